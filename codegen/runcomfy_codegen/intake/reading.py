"""From a saved file to the text of its page, whatever the browser saved it as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .text import PageText, decode

if TYPE_CHECKING:
    from ..diagnostics import Diagnostic


def open_page(data: bytes, name: str) -> tuple[PageText | None, tuple[Diagnostic, ...]]:
    """The page's text, or why it has none."""
    text, faults = decode(data, name)
    if text is None:
        return None, faults
    return PageText(name, text), ()
