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
    """The text as black writes it.

    `format_str` formats what it changed a second time, for a rare case of optional parentheses that generated text
    does not have (a test sees to that). One time is enough, and takes less than half as long.
    """
    return black._format_str_once(text, mode=_MODE)
