"""A diagnostic is a value: where the problem is, what is wrong, and what cures it. Only the command line prints it."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .characters import all_visible, is_visible

if TYPE_CHECKING:
    from collections.abc import Iterable

# Wide enough for a sentence, narrow enough for a terminal.
EXCERPT_WIDTH = 100
# A hostile name may be very long; a message shows its beginning.
SHOWN_NAME = 80

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stretch of one source line; line and column count from 1, in code points."""

    line: int
    column: int
    width: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem in one file. A code that starts with E is an error, one with W a warning; `explain` prints more."""

    code: str
    message: str
    file: str | None = None
    pointer: str | None = None
    place: Place | None = None
    help: str | None = None

    @property
    def severity(self) -> Severity:
        return "error" if self.code.startswith("E") else "warning"

    def __str__(self) -> str:
        return render(self)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)


def in_reading_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file, then by place; the same problem found in two ways is shown once."""

    def key(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
        line, column = (diagnostic.place.line, diagnostic.place.column) if diagnostic.place else (0, 0)
        return (diagnostic.file or "", line, column, diagnostic.code, diagnostic.message)

    return tuple(sorted(dict.fromkeys(diagnostics), key=key))


def render(diagnostic: Diagnostic) -> str:
    """`file:line:column: CODE message`, the source line with a caret below, and the cure."""
    place = diagnostic.place
    where = [diagnostic.file] if diagnostic.file else []
    if place:
        where += [str(place.line), str(place.column)]
    message = f"{diagnostic.code} {diagnostic.message}"
    # A schema's text may hold control sequences; none reaches the terminal.
    lines = [visible(": ".join((":".join(where), message) if where else (message,)))]
    if place:
        lines += _excerpt(place)
    if diagnostic.help:
        first, *rest = [visible(line) for line in diagnostic.help.split("\n")]
        lines += [f"help: {first}", *(f"      {line}" if line else "" for line in rest)]
    return "\n".join(lines)


def quote(text: str) -> str:
    """A name in a message: in double quotes, on one line, with control characters escaped."""
    shortened = text if len(text) <= SHOWN_NAME else text[:SHOWN_NAME] + "…"
    return visible(json.dumps(shortened, ensure_ascii=False))


def visible(text: str) -> str:
    """Escape what is not printable: control characters, line separators, direction marks, lone surrogates."""
    if all_visible(text):
        return text
    return "".join(
        char if is_visible(char) else f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
        for char in text
    )


def display(path: Path) -> str:
    """A path as messages show it: from the working directory when it lies below, with forward slashes."""
    try:
        # A link is named by its own name, not by where it leads.
        return (path.parent.resolve() / path.name).relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def json_text(value: object, indent: int | None = None) -> str:
    """JSON to be copied from a message: letters as they are, what is not printable as JSON escapes it."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(char if is_visible(char) or char == "\n" else json.dumps(char)[1:-1] for char in text)


def _excerpt(place: Place) -> list[str]:
    start, end = place.column - 1, place.column - 1 + max(1, place.width)
    # A minified schema is one long line: keep the window around the caret.
    left = max(0, min(start - EXCERPT_WIDTH // 3, len(place.text) - EXCERPT_WIDTH))
    right = min(len(place.text), left + EXCERPT_WIDTH)
    before, marked = place.text[left:start], place.text[start : min(end, right)]
    prefix = "…" if left else ""
    suffix = "…" if right < len(place.text) else ""
    line = f"{prefix}{_one_cell(place.text[left:right])}{suffix}"
    number = str(place.line)
    gap = " " * len(number)
    pad = " " * (_cells(prefix) + _cells(before))
    return [f"{gap} |", f"{number} | {line}".rstrip(), f"{gap} | {pad}{'^' * max(1, _cells(marked))}"]


def _one_cell(text: str) -> str:
    # Tabs and the unprintable would shift the caret: each becomes one visible cell.
    return "".join(" " if char == "\t" else char if is_visible(char) else "�" for char in text)


def _cells(text: str) -> int:
    """How many terminal cells the text takes: wide letters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
