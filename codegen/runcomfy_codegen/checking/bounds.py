"""Do a schema's bounds leave any value of a type?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..reading.source import Json

_NUMBERS = tuple((low, high) for low in ("minimum", "exclusiveMinimum") for high in ("maximum", "exclusiveMaximum"))
_PAIRS = {
    "string": (("minLength", "maxLength"),),
    "array": (("minItems", "maxItems"),),
    "integer": _NUMBERS,
    "number": _NUMBERS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two keywords that leave nothing between them. `crossed`: the lower bound is above the upper one."""

    low: str
    high: str
    crossed: bool


def conflict(type: str, schema: Mapping[str, Json]) -> Conflict | None:
    """The first pair of bounds between which no value of the type is left."""
    for low, high in _PAIRS.get(type, ()):
        least, most = schema.get(low), schema.get(high)
        if not is_number(least) or not is_number(most):
            continue
        if least > most:
            return Conflict(low=low, high=high, crossed=True)
        if least == most and (low.startswith("exclusive") or high.startswith("exclusive")):
            return Conflict(low=low, high=high, crossed=False)
        first = math.floor(least) + 1 if low.startswith("exclusive") else math.ceil(least)
        last = math.ceil(most) - 1 if high.startswith("exclusive") else math.floor(most)
        if type == "integer" and first > last:
            return Conflict(low=low, high=high, crossed=False)
    return None


def is_number(value: Json) -> TypeGuard[int | float]:
    """A JSON number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
