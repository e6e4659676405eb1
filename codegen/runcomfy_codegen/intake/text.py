"""A page as text whose every offset can be traced back to a line and column of the saved file."""

from __future__ import annotations

import codecs
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import Diagnostic
from ..reading.positions import place_at, place_of_byte

if TYPE_CHECKING:
    from ..diagnostics.diagnostic import Place

# A saved page has some kilobytes, with every picture inlined some megabytes. A larger file is something else.
MAX_BYTES = 32 * 1024 * 1024

# The longer mark first: UTF-32's begins like UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Characters that no text has, and that pictures, archives and PDFs have within their first bytes.
_NEVER_IN_TEXT = frozenset(map(chr, (*range(8), *range(14, 27), *range(28, 32))))


@dataclass(frozen=True, slots=True)
class Piece:
    """The text from offset `begin` on comes from offset `origin` of the source: letter by letter if `exact`, else
    it was unpacked from what begins there.
    """

    begin: int
    origin: int
    exact: bool


@dataclass(frozen=True, slots=True)
class PageText:
    """The text a page shows. `source` is the file's text where that differs (HTML), and `pieces` then says, in the
    order of the text, what comes from where. `title` is HTML's, for messages.
    """

    name: str
    text: str
    title: str = ""
    source: str | None = None
    pieces: tuple[Piece, ...] = ()

    def place(self, start: int, end: int) -> Place:
        """Where a stretch of the text stands in the saved file."""
        if self.source is None:
            return place_at(self.text, start, end)
        piece = self.pieces[max(0, bisect_right(self.pieces, start, key=lambda piece: piece.begin) - 1)]
        origin = piece.origin + (start - piece.begin if piece.exact else 0)
        return place_at(self.source, origin, origin + (end - start if piece.exact else 1))

    def diagnostic(self, code: str, message: str, start: int, end: int, help: str | None = None) -> Diagnostic:
        return Diagnostic(code=code, message=message, file=self.name, place=self.place(start, end), help=help)

    def relocate(self, diagnostic: Diagnostic, block: str, start: int) -> Diagnostic:
        """A diagnostic of a block that begins at `start` of the text, with its place in the saved file."""
        if diagnostic.place is None:
            return replace(diagnostic, file=self.name)
        lines = block.split("\n")[: diagnostic.place.line - 1]
        at = start + sum(len(line) + 1 for line in lines) + diagnostic.place.column - 1
        return replace(diagnostic, file=self.name, place=self.place(at, at + diagnostic.place.width))


def decode(data: bytes, name: str) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """The text of a file: UTF-8, or what its byte order mark says; line ends become `\\n`."""

    def refuse(message: str, help: str, place: Place | None = None) -> tuple[None, tuple[Diagnostic, ...]]:
        return None, (Diagnostic(code="E070", message=message, file=name, place=place, help=help),)

    save_again = "Open the model's API page in a browser, select all, copy, and save that as a UTF-8 text file."
    if len(data) > MAX_BYTES:
        return refuse(f"is larger than {MAX_BYTES // 1024 // 1024} MiB, which no API page is", save_again)
    encoding = next((codec for mark, codec in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding not in ("utf-8", "utf-8-sig"):
            return refuse(f"is not the {encoding} that its first bytes promise: {error.reason}", save_again)
        if b"\0" in data[:4096]:
            return refuse("is not text: it looks like a binary file", save_again)
        return refuse(
            f"is not UTF-8: byte 0x{data[error.start]:02x} cannot stand here",
            "Save the page again as UTF-8.",
            place_of_byte(data, error.start),
        )
    if _NEVER_IN_TEXT.intersection(text[:4096]):
        return refuse("is not text: it looks like a binary file", save_again)
    if not text.strip():
        return refuse("is empty", save_again)
    return text.replace("\r\n", "\n").replace("\r", "\n"), ()
