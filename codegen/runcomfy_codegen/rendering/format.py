"""black, as a library, with its mode fixed here: no configuration file of any folder has a say."""

from __future__ import annotations

import black
from black.mode import Mode, TargetVersion

from .imports import LINE_LENGTH

_MODE = Mode(
    target_versions={TargetVersion.PY311, TargetVersion.PY312, TargetVersion.PY313},
    line_length=LINE_LENGTH,
)


def formatted(text: str) -> str:
    """The text as black writes it."""
    return black.format_str(text, mode=_MODE)
