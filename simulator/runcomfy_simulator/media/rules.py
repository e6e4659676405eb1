"""The schemas' `validations`, applied to what is known of a file.

Read here a second time and on purpose: the client and the generator have a reading of their own, and a test compares
the two on real files.
"""

from __future__ import annotations

import math
import operator
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .probe import MediaInfo

_RULE = re.compile(r"\s*(?P<operand>[a-z_/]+)\s*(?P<sign><=|>=|<|>|≤|≥)\s*", re.ASCII)
_BOUND = re.compile(r"\s*(\d+(?:\.\d+)?)(?:\s*/\s*(\d+(?:\.\d+)?))?\s*", re.ASCII)
_LONGEST_BOUND = 64
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "≤": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "≥": operator.ge,
}


def broken_rule(rule: Mapping[str, Any], info: MediaInfo) -> str | None:
    """The message to refuse a file with if it breaks `rule`; None if it keeps it, or the rule is not known."""
    match = _RULE.fullmatch(str(rule.get("validation_rule", "")))
    bound = _bound(rule.get("validation_value"))
    if match is None or bound is None:
        return None
    measured = _measure(match["operand"], match["sign"], info)
    if measured is None or _SIGNS[match["sign"]](measured, bound):
        return None
    return str(rule.get("validation_error") or f"{rule['validation_rule']} {rule['validation_value']} does not hold")


def _bound(value: object) -> int | float | None:
    """The number of a rule: 15, "0.33", "1/3"; None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if 0 <= value < math.inf else None
    match = _BOUND.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST_BOUND else None
    if match is None:
        return None
    divisor = Fraction(match[2] or 1)
    return float(Fraction(match[1]) / divisor) if divisor else None


def _measure(operand: str, sign: str, info: MediaInfo) -> float | None:
    if operand == "file_size_mb":
        # Which megabyte is meant is not documented: the larger for an upper bound, the smaller for a lower one.
        return info.size / (1024**2 if sign in ("<", "<=", "≤") else 1000**2)
    if not (info.width and info.height):
        return None
    return {
        "width_pixels": float(info.width),
        "height_pixels": float(info.height),
        "shortest_side_pixels": float(min(info.width, info.height)),
        "width/height": info.width / info.height,
    }.get(operand)
