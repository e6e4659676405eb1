"""The value that a text stands for, by a schema: what a word of a command line and a cell of a CSV file mean.

Turning text into a value never fails: what does not fit stays text, and the check says what is wrong with it.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

from .schema import AllOf, AnyOf, Array, Boolean, Enum, Number, Object, OneOf
from .schema.findings import has_errors
from .schema.json_payload import read_payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .schema import Node

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LONGEST_INTEGER = 400  # Python refuses to read more than 4300 digits, and no double holds one of 310


def typed_value(node: Node | None, value: object) -> object:
    """The first reading of a text that the schema admits, else the likeliest one, for the check to name its error."""
    if node is None:
        return value
    readings = list(_readings(node, value))
    for reading in readings:
        findings = node.check(reading)
        if findings is None or not has_errors(findings):
            return reading
    return readings[0]


def item_node(node: Node | None) -> tuple[Node | None] | None:
    """What the items of the list that ``node`` takes are, wrapped; None if it takes no list."""
    if isinstance(node, Array):
        return (node.items,)
    if isinstance(node, (AnyOf, OneOf, AllOf)):
        return next((items for part in node.nodes if (items := item_node(part))), None)
    return None


def kinds_in(node: Node | None) -> Iterator[type]:
    """The kinds of values a place takes, seen through lists and alternatives."""
    if isinstance(node, (AnyOf, OneOf, AllOf)):
        for part in node.nodes:
            yield from kinds_in(part)
    elif isinstance(node, Array) and node.items is not None:
        yield from kinds_in(node.items)
    elif node is not None:
        yield type(node)


def _readings(node: Node, value: object) -> Iterator[object]:
    if isinstance(node, (AnyOf, OneOf, AllOf)):
        for part in node.nodes:
            yield from _readings(part, value)
    elif isinstance(node, Array):
        if isinstance(value, str) and value.lstrip()[:1] == "[":
            yield _json_or_text(value, list)
        if isinstance(value, list):
            yield value
        yield [typed_value(node.items, value)]
    elif not isinstance(value, str):
        yield value
    elif isinstance(node, Number):
        yield _number(value)
    elif isinstance(node, Boolean):
        yield {"true": True, "false": False}.get(value.lower(), value)
    elif isinstance(node, Enum):
        yield _choice(node, value)
    elif isinstance(node, Object):
        yield _json_or_text(value, dict)
    else:
        yield value


def _choice(node: Enum, text: str) -> object:
    """The allowed value that reads like this text; if none does, a number where numbers are allowed."""
    for allowed in node.values:
        if text == (allowed if isinstance(allowed, str) else json.dumps(allowed)):
            return allowed
    return text if any(isinstance(allowed, str) for allowed in node.values) else _number(text)


def _number(text: str) -> object:
    """A number as JSON writes it, or as people do: .5, +1, 5."""
    number = _json_or_text(text, (int, float))
    if number is text and _DECIMAL.fullmatch(text):
        number = float(text) if len(text) > _LONGEST_INTEGER or not text.lstrip("+-").isdecimal() else int(text)
    return text if isinstance(number, bool) or (isinstance(number, float) and not math.isfinite(number)) else number


def _json_or_text(text: str, kind: type | tuple[type, ...]) -> object:
    value, findings = read_payload(text)
    return value if not findings and isinstance(value, kind) else text
