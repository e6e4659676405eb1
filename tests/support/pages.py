"""A page as its reader sees it: blocks of text, tags, and nothing of the markup."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

# Everything that is not part of a line of text.
_BLOCKS = frozenset({"h1", "h2", "h3", "p", "td", "th", "pre", "li"})


@dataclass
class Seen:
    """What a browser would make of a page: blocks of text as (kind, text), tags with their attributes."""

    blocks: list[tuple[str, str]] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def texts(self, kind: str) -> list[str]:
        return [text for each, text in self.blocks if each == kind]

    def below(self, heading: str) -> list[tuple[str, str]]:
        """The blocks from a heading of the third level to the next heading."""
        start = self.blocks.index(("h3", heading)) + 1
        end = next((at for at in range(start, len(self.blocks)) if self.blocks[at][0] in ("h1", "h2", "h3")), None)
        return self.blocks[start:end]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.tags.append((tag, dict(attrs)))
        if tag in _BLOCKS:
            self.seen.blocks.append((tag, ""))
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            kind, text = self.seen.blocks[-1]
            self.seen.blocks[-1] = (kind, text + data)

    def handle_comment(self, data: str) -> None:
        self.seen.comments.append(data)


def read_html(text: str) -> Seen:
    reader = _Reader()
    reader.feed(text)
    return reader.seen


def read_markdown(text: str) -> Seen:
    """As CommonMark with tables; raw HTML is let through, so that what is not escaped shows."""
    return read_html(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
