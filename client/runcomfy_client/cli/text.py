"""Text as it is printed: escaped, as JSON, and places as words name them. Nothing here writes anywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..schema.findings import printable

if TYPE_CHECKING:
    from collections.abc import Sequence


def printable_lines(text: str) -> str:
    """The text line by line, with everything escaped that a terminal would act upon."""
    return text if text.isprintable() else "\n".join([printable(line) for line in text.split("\n")])


def json_text(value: object) -> str:
    """A value as JSON that a terminal shows as it is: what is not printable is escaped, as JSON allows."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if text.replace("\n", "").isprintable():
        return text
    return "".join([c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text])


def write_place(place: Sequence[str | int]) -> str:
    """A place in a payload as KEY=VALUE words name it: `keyframes[0].image_url`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
