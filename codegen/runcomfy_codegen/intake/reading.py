"""From a saved file to the text of its page, whatever the browser saved it as."""

from __future__ import annotations

import email
import email.policy
from typing import TYPE_CHECKING

from .html import html_page, is_html
from .text import MAX_BYTES, PageText, decode

if TYPE_CHECKING:
    from ..diagnostics.diagnostic import Diagnostic


def open_page(data: bytes, name: str) -> tuple[PageText | None, tuple[Diagnostic, ...]]:
    """The page's text, or why it has none."""
    if len(data) <= MAX_BYTES and (inner := _from_archive(data)) is not None:
        data = inner
    text, faults = decode(data, name)
    if text is None:
        return None, faults
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
