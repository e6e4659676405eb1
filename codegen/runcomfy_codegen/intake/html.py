"""From saved HTML to the text it shows; and, if that lacks the schema, to what its scripts carry."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

from .scripts import carried_texts
from .text import PageText, Piece

# Every other element begins and ends a line, as in the browser.
_INLINE = re.compile(
    "a|abbr|b|bdi|bdo|code|del|em|font|i|ins|kbd|label|mark|q|s|samp|small|span|strong|sub|sup|u|var|wbr"
)
_UNSEEN = re.compile("button|select|style|svg|template")
_VOID = re.compile("area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr")
# Highlighters number the lines; a number within JSON would break it.
_LINE_NUMBER = re.compile(r"\b(?:blob-num|line-?numbers?(?!-)|linenos?|gutter)\b|line-number", re.IGNORECASE)
_MOST_OPEN_COMMENTS = 100


def is_html(text: str) -> bool:
    return text.lstrip().startswith("<")


def html_page(source: str, name: str) -> PageText:
    """The text of a saved page; places lead back into the HTML."""
    reader = _Reader(source)
    reader.feed(_without_open_comments(source))
    reader.close()
    pieces = reader.pieces
    shown = "".join(text for text, _ in pieces)
    exact = len(pieces)
    if '"properties"' not in shown or "/v1/models/" not in shown:
        pieces = [*pieces, *((f"\n{text}\n", at) for text, at in carried_texts(reader.scripts))]
    begins = []
    length = 0
    for number, (text, at) in enumerate(pieces):
        begins.append(Piece(length, at, exact=number < exact))
        length += len(text)
    whole = "".join(text for text, _ in pieces)
    return PageText(name, whole, title=reader.title.strip(), source=source, pieces=tuple(begins))


def _without_open_comments(source: str) -> str:
    """The source up to where comments begin that never end, if there are many: the parser looks for each one's end."""
    begin = source.find("<!--", source.rfind("-->") + 1)
    return source[:begin] if begin >= 0 and source.count("<!--", begin) > _MOST_OPEN_COMMENTS else source


class _Reader(HTMLParser):
    """Collects text with the offset in the source each stretch of it comes from."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=False)
        self._lines = [0, *(found.end() for found in re.finditer("\n", source))]
        # Open elements that are not shown, innermost last; only their own tags can close them.
        self._unseen: list[str] = []
        self._inside = ""
        self.pieces: list[tuple[str, int]] = []
        self.scripts: list[tuple[str, int]] = []
        self.title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "title"):
            self._inside = tag
        if self._unseen:
            if tag == self._unseen[0]:
                self._unseen.append(tag)
        elif _UNSEEN.fullmatch(tag) or (
            not _VOID.fullmatch(tag) and _LINE_NUMBER.search(dict(attrs).get("class") or "")
        ):
            self._unseen.append(tag)
        elif not _INLINE.fullmatch(tag):
            self._add("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not _INLINE.fullmatch(tag):
            self._add("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""
        if self._unseen:
            if tag == self._unseen[-1]:
                self._unseen.pop()
        elif not _INLINE.fullmatch(tag):
            self._add("\n")

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append((data, self._offset()))
        elif self._inside == "title":
            self.title += data
        elif not self._unseen:
            self._add(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(html.unescape(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        self.handle_data(html.unescape(f"&#{name};"))

    def _add(self, text: str) -> None:
        self.pieces.append((text, self._offset()))

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column
