"""From the files that a command line names to the text of their pages."""

from __future__ import annotations

import email
import email.policy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import display, visible
from .html import html_page, is_html
from .text import MAX_BYTES, PageText, decode

if TYPE_CHECKING:
    from ..diagnostics.diagnostic import Diagnostic

STDIN = "<stdin>"


def read_all(names: list[str]) -> tuple[list[tuple[str, bytes]], list[str]]:
    """Each file's name for messages and its bytes, at most one more than MAX_BYTES; a sentence for each that fails."""
    if names.count("-") > 1:
        return [], ["- stands twice; there is one standard input"]
    files: list[tuple[str, bytes]] = []
    unreadable = []
    for name in names:
        if name == "-":
            files.append((STDIN, sys.stdin.buffer.read(MAX_BYTES + 1)))
            continue
        try:
            with Path(name).open("rb") as file:
                files.append((display(Path(name)), file.read(MAX_BYTES + 1)))
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            unreadable.append(f"{visible(name)}: {reason}")
    return files, unreadable


def open_page(data: bytes, name: str) -> tuple[PageText | None, tuple[Diagnostic, ...]]:
    """The page's text, or why it has none."""
    if len(data) <= MAX_BYTES and (inner := _from_archive(data)) is not None:
        data = inner
    text, diagnostics = decode(data, name)
    if text is None:
        return None, diagnostics
    return html_page(text, name) if is_html(text) else PageText(name, text), ()


def _from_archive(data: bytes) -> bytes | None:
    """The page in a "webpage, single file" (MHTML), a mail whose first HTML part is the page."""
    if b"multipart/related" not in data[:2000] or b"MIME-Version:" not in data[:2000]:
        return None
    for part in email.message_from_bytes(data, policy=email.policy.default).walk():
        if part.get_content_type() == "text/html":
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else None
    return None
