"""Enums: one of the listed values, told apart as JSON tells them, with the nearest one named."""

from __future__ import annotations

from .nodes import Leaf
from .numbers import MAX_NUMBER
from .report import Problem
from .suggest import Speller
from .words import choices, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .report import Finding

__all__ = ["Enum", "same"]


class Enum(Leaf):
    """One of the listed values. 1.0 is 1, true is not."""

    __slots__ = ("_expected", "_plain", "_speller", "values")

    def __init__(self, values: tuple[object, ...]) -> None:
        super().__init__()
        self.values = values
        self._expected: str | None = None
        self._speller: Speller | None = None
        # One set for each kind that Python would otherwise mix up: True == 1 in any set.
        plain: dict[type, set[object]] = {str: set(), int: set(), float: set(), bool: set()}
        for value in values:
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                plain[int].add(value)
                plain[float].add(value)
            elif isinstance(value, (str, bool)):
                plain[type(value)].add(value)
        self._plain = plain

    @property
    def expected(self) -> str:  # type: ignore[override]  # told by the values here
        if self._expected is None:
            self._expected = "one of " + choices(self.values) if len(self.values) > 1 else choices(self.values)
        return self._expected

    def judge(self, value: object) -> list[Finding] | None:
        plain = self._plain.get(type(value))
        if plain is not None:
            if value in plain:
                return None
        elif any(same(value, allowed) for allowed in self.values):
            return None
        return self._told(value)

    def _faults(self, value: object) -> list[Finding]:
        given = shown(value)
        suggestion: object = None
        if isinstance(value, str) and self._plain[str]:
            if self._speller is None:
                self._speller = Speller([allowed for allowed in self.values if isinstance(allowed, str)])
            suggestion = self._speller.nearest(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and self._plain[int]:
            suggestion = _closest(value, self.values)
        elif all(_kind(value) != _kind(allowed) for allowed in self.values):
            return [self._type_problem(value, given)]
        message = f"{given} is not allowed; it must be {self.expected}"
        if suggestion is not None and len(self.values) > 1:
            message = f"{message}; did you mean {shown(suggestion)}?"
        return [Problem("enum", message, given, self.values, suggestion)]

    def _type_problem(self, value: object, given: str) -> Problem:
        cure, twin = "", None
        if value is None:
            cure = "; leave the key out if it is not given"
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
            twin = next((allowed for allowed in self.values if shown(allowed).strip("'") == given.strip("'")), None)
            if twin is not None:
                cure = f"; did you mean the {_kind(twin)} {shown(twin)}?"
        message = f"expected {self.expected}, got the {_kind(value)} {given}{cure}"
        return Problem("type", message, given, self.values, twin)


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "text"
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else "value"


def same(one: object, other: object) -> bool:
    """Whether two values are the same in JSON's sense: true is not 1, 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    return one == other


def _closest(value: float, allowed: tuple[object, ...]) -> float | None:
    if not -MAX_NUMBER <= value <= MAX_NUMBER:
        return None
    numbers = [number for number in allowed if isinstance(number, (int, float)) and not isinstance(number, bool)]
    return min(numbers, key=lambda number: abs(number - value), default=None)
