"""The schemas' `validations`, applied to the facts of a medium."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .inspect import Facts

_RULE = re.compile(r"\s*(?P<fact>[a-z_/]+)\s*(?P<sign><=|>=|<|>|≤|≥)\s*")
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "≤": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "≥": operator.ge,
}


def broken(rule: Mapping[str, Any], facts: Facts) -> str | None:
    """The sentence to refuse with if `facts` break `rule`; None if they keep it, or nobody knows what it means."""
    match = _RULE.fullmatch(str(rule.get("validation_rule", "")))
    if match is None:
        return None
    fact = _fact(match["fact"], match["sign"], facts)
    try:
        bound = float(rule["validation_value"])
    except (KeyError, TypeError, ValueError):
        return None
    if fact is None or _SIGNS[match["sign"]](fact, bound):
        return None
    return str(rule.get("validation_error") or f"{rule['validation_rule']} {rule['validation_value']} does not hold")


def _fact(name: str, sign: str, facts: Facts) -> float | None:
    if name == "file_size_mb":
        # Which megabyte is meant is not said: the larger for an upper bound, the smaller for a lower one.
        return facts.size / (1024**2 if sign in ("<", "<=", "≤") else 1000**2)
    if not (facts.width and facts.height):
        return None
    return {
        "width_pixels": float(facts.width),
        "height_pixels": float(facts.height),
        "shortest_side_pixels": float(min(facts.width, facts.height)),
        "longest_side_pixels": float(max(facts.width, facts.height)),
        "width/height": facts.width / facts.height,
    }.get(name)
