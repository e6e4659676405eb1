"""Where the parts of a JSON text stand: by pointer, as line and column."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..diagnostics.diagnostic import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

Pointer: TypeAlias = "tuple[str | int, ...]"
Part = Literal["key", "value"]

# The text is known to be JSON when this runs, so a token's first character says what it is.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s"\[\]{},:]+', re.DOTALL)


def pointer_text(pointer: Pointer) -> str:
    """RFC 6901: `/properties/width~1height`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in pointer)


def place_at(text: str, start: int, end: int) -> Place:
    """The place of a stretch of text; one that runs over several lines is cut at the first line's end."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    line = text[first : len(text) if last < 0 else last].rstrip("\r")
    return Place(
        line=text.count("\n", 0, start) + 1,
        column=start - first + 1,
        width=max(1, min(end, first + len(line)) - start),
        text=line,
    )


def place_of_byte(data: bytes, at: int) -> Place:
    """The place of the first byte that is not UTF-8."""
    before = data[:at].decode("utf-8")
    line = data[at:].split(b"\n", 1)[0].decode("utf-8", "replace")
    return place_at(before + line, len(before), len(before) + 1)


def scan(text: str) -> Iterator[tuple[Pointer, Part, int, int]]:
    """Each key and each value with its stretch of text; a container when it ends. The text is valid JSON."""
    open_containers: list[tuple[Pointer, int, bool]] = []
    path: list[str | int] = []
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        first = text[start]
        pointer, _, in_object = open_containers[-1] if open_containers else ((), 0, False)
        if first in "]}":
            pointer, began, _ = open_containers.pop()
            path = list(pointer)
            yield pointer, "value", began, end
        elif first == ",":
            last = path.pop()
            if isinstance(last, int):
                path.append(last + 1)
        elif first == ":":
            continue
        elif in_object and len(path) == len(pointer):
            path.append(json.loads(token.group()))
            yield tuple(path), "key", start, end
        elif first in "[{":
            open_containers.append((tuple(path), start, first == "{"))
            if first == "[":
                path.append(0)
        else:
            yield tuple(path), "value", start, end
