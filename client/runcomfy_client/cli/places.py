"""Places inside a payload, as words name them: `keyframes[0].image_url` is a field of the first object of a list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from ..schema import AllOf, AnyOf, Array, Object, OneOf
from .errors import CommandError
from .text import write_place

if TYPE_CHECKING:
    from ..schema import ModelSpec, Node

# Keys and indexes that lead from the payload to a value.
Place: TypeAlias = "tuple[str | int, ...]"

_PATH = re.compile(r"[^.\[\]]+(?:\[\d{1,4}\]|\.[^.\[\]]+)+")
_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def read_place(spec: ModelSpec | None, key: str) -> tuple[Place, Node | None]:
    """Where `key` leads, by wire names, and what the schema takes there; None if that is unknown.

    A key that is a property's own name is that property, dots and brackets included.
    """
    here: Node | None = spec.input if spec else None
    name, node = _step(here, key)
    if node is not None or not _PATH.fullmatch(key):
        return (name,), node
    place: list[str | int] = []
    for index, word in _PART.findall(key):
        part, here = _step(here, int(index) if index else word)
        place.append(part)
    return tuple(place), here


def put(payload: dict[str, object], place: Place, value: object) -> None:
    """Set the value at a place; lists and objects on the way are made. Raises CommandError if the place cannot be."""
    container: object = payload
    for depth, part in enumerate(place):
        last = depth == len(place) - 1
        child: object = value if last else [] if isinstance(place[depth + 1], int) else {}
        if isinstance(container, dict) and isinstance(part, str):
            container[part] = child if last else container.get(part, child)
        elif isinstance(container, list) and isinstance(part, int):
            if part > len(container):
                before = write_place((*place[:depth], part - 1))
                raise CommandError(f"{write_place(place)} is given, but {before} is not; lists are filled in order")
            if part == len(container):
                container.append(child)
            elif last:
                container[part] = child
        else:
            kind = "list" if isinstance(part, int) else "object"
            raise CommandError(f"{write_place(place)} is given, but {write_place(place[:depth])} is no {kind}")
        container = container[part]  # type: ignore[index]  # the branches above have looked


def _step(node: Node | None, part: str | int) -> tuple[str | int, Node | None]:
    """One step down: the wire name or the index, and what is there."""
    if isinstance(node, (AnyOf, OneOf, AllOf)):
        steps = (_step(branch, part) for branch in node.nodes)
        return next((step for step in steps if step[1] is not None), (part, None))
    if isinstance(node, Array) and isinstance(part, int):
        return part, node.items
    if isinstance(node, Object) and isinstance(part, str):
        for wire, prop in node.properties.items():
            if part in (wire, prop.name):
                return wire, prop.node
    return part, None
