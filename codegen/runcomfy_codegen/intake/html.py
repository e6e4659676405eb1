"""From saved HTML to the text it shows; and, if that lacks the schema, to what its scripts carry."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from .blocks import find_blocks
from .text import PageText, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..reading.source import Json

# Every other element begins and ends a line, as in the browser.
_INLINE = re.compile(
    "a|abbr|b|bdi|bdo|code|del|em|font|i|ins|kbd|label|mark|q|s|samp|small|span|strong|sub|sup|u|var|wbr"
)
_HIDDEN = re.compile("button|select|style|svg|template")
_VOID = re.compile("area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr")
# Highlighters number the lines; a number within JSON would break it.
_LINE_NUMBER = re.compile(r"\b(?:blob-num|line-?numbers?(?!-)|linenos?|gutter)\b|line-number", re.IGNORECASE)
_MAX_OPEN_COMMENTS = 100


def is_html(text: str) -> bool:
    return text.lstrip().startswith("<")


def html_page(source: str, name: str) -> PageText:
    """The text of a saved page; places lead back into the HTML."""
    reader = _Reader(source)
    reader.feed(_without_open_comments(source))
    reader.close()
    pieces = reader.pieces
    shown_text = "".join(text for text, _ in pieces)
    exact = len(pieces)
    if '"properties"' not in shown_text or "/v1/models/" not in shown_text:
        pieces = [*pieces, *((f"\n{text}\n", at) for text, at in script_texts(reader.scripts))]
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
    return source[:begin] if begin >= 0 and source.count("<!--", begin) > _MAX_OPEN_COMMENTS else source


class _Reader(HTMLParser):
    """Collects text with the offset in the source each stretch of it comes from."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=False)
        self._lines = [0, *(match.end() for match in re.finditer("\n", source))]
        # Open elements that are not shown, innermost last; only their own tags can close them.
        self._hidden: list[str] = []
        self._inside = ""
        self.pieces: list[tuple[str, int]] = []
        self.scripts: list[tuple[str, int]] = []
        self.title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "title"):
            self._inside = tag
        if self._hidden:
            if tag == self._hidden[0]:
                self._hidden.append(tag)
        elif _HIDDEN.fullmatch(tag) or (
            not _VOID.fullmatch(tag) and _LINE_NUMBER.search(dict(attrs).get("class") or "")
        ):
            self._hidden.append(tag)
        elif not _INLINE.fullmatch(tag):
            self._add("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not _INLINE.fullmatch(tag):
            self._add("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""
        if self._hidden:
            if tag == self._hidden[-1]:
                self._hidden.pop()
        elif not _INLINE.fullmatch(tag):
            self._add("\n")

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append((data, self._offset()))
        elif self._inside == "title":
            self.title += data
        elif not self._hidden:
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


_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
# Next.js sends its data in pieces, which may be cut anywhere; each line of the whole is `number:JSON`.
_NEXT_PUSH = re.compile(r'__next_f\.push\(\[\d+,\s*("(?:[^"\\\n]|\\.)*")\]\)')
_NEXT_LINE = re.compile(r"^[0-9a-f]+:(?=[\[{\"])", re.MULTILINE)
# A string without any of these is ignored.
_SIGNS = ("/v1/models/", '"properties"')


def script_texts(scripts: list[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """The requests and schemas in scripts, each as an API page would show it. A script, and so what comes out of it,
    comes with its offset in the page.
    """
    pushes = [(push.group(1), at) for script, at in scripts for push in _NEXT_PUSH.finditer(script)]
    stream = "".join(str(_parse_json(literal) or "") for literal, _ in pushes)
    for line in _NEXT_LINE.split(stream):
        for text in _flatten(line):
            yield text, pushes[0][1]
    for script, at in scripts:
        if "/v1/models/" in script or "properties" in script:
            for text in _texts_of_script(_NEXT_PUSH.sub("", script)):
                yield text, at


def _texts_of_script(script: str) -> Iterator[str]:
    value = _parse_json(script)
    if value is not None:
        yield from _flatten(value)
        return
    for string in _STRING.finditer(script):
        if "/v1/models/" in string.group() or "properties" in string.group():
            yield from _flatten(_parse_json(string.group()))
    # An object written out in JavaScript is JSON more often than not.
    for block in find_blocks(script):
        yield from _flatten(_parse_json(block.text))


def _flatten(value: Json) -> Iterator[str]:
    """Walk a value, and JSON in its strings, in reading order, without recursion, since the page decides the depth."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            inner = _parse_json(node)
            if isinstance(inner, (dict, list)):
                waiting.append(inner)
            elif any(sign in node for sign in _SIGNS):
                yield node
        elif isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            if isinstance(node.get("properties"), dict) or set(node) == {"output"}:
                yield json.dumps(node, ensure_ascii=False, indent=2)
                continue
            if isinstance(node.get("model_id"), str) and "input_schema" in node:
                yield f"--url https://model-api.runcomfy.net/v1/models/{node['model_id']}"
            waiting.extend(reversed(node.values()))


def _parse_json(text: str) -> Json:
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value
