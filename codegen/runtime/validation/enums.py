"""Enums: one of the listed values, told apart as JSON tells them, with the nearest one named."""

from __future__ import annotations

from .nodes import Node
from .numbers import MAX_NUMBER
from .report import Problem
from .suggest import Sayings, Speller
from .words import choices, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .report import Finding

__all__ = ["Enum", "same"]


class Enum(Node):
    """One of the listed values. 1.0 is 1, true is not."""

    __slots__ = ("_expected", "_plain", "_sayings", "_speller", "_texts", "values")

    def __init__(self, values: tuple[object, ...]) -> None:
        self.values = values
        self._expected: str | None = None
        self._speller: Speller | None = None
        self._sayings = Sayings(self._misspelt)
        # One set for each kind that Python would otherwise mix up: True == 1 in any set.
        plain: dict[type, set[object]] = {str: set(), int: set(), float: set(), bool: set()}
        for value in values:
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                plain[int].add(value)
                plain[float].add(value)
            elif isinstance(value, (str, bool)):
                plain[type(value)].add(value)
        self._plain = plain
        self._texts = plain[str]

    @property
    def expected(self) -> str:  # type: ignore[override]  # told by the values here
        if self._expected is None:
            self._expected = "one of " + choices(self.values) if len(self.values) > 1 else choices(self.values)
        return self._expected

    def judge(self, value: object) -> list[Finding] | None:
        if type(value) is str and self._texts:  # nearly all enums list texts, and nothing else is equal to one
            return None if value in self._texts else [self._refused(value)]
        plain = self._plain.get(type(value))
        if plain is not None:
            if value in plain:
                return None
        elif any(same(value, allowed) for allowed in self.values):
            return None
        return [self._fault(value)]

    def _refused(self, value: str) -> Problem:
        message, given, suggestion = self._sayings[value]
        return Problem("enum", message, given, self.values, suggestion)

    def _misspelt(self, value: str) -> tuple[str, str, str | None]:
        if self._speller is None:
            self._speller = Speller([allowed for allowed in self.values if isinstance(allowed, str)])
        given, near = shown(value), self._speller.nearest(value)
        return self._refusal(given, near), given, near

    def _fault(self, value: object) -> Problem:
        if isinstance(value, str) and self._texts:
            return self._refused(value)
        given = shown(value)
        suggestion: object = None
        if isinstance(value, (int, float)) and not isinstance(value, bool) and self._plain[int]:
            suggestion = _closest(value, self.values)
        elif all(_kind(value) != _kind(allowed) for allowed in self.values):
            return self._type_problem(value, given)
        return Problem("enum", self._refusal(given, suggestion), given, self.values, suggestion)

    def _refusal(self, given: str, suggestion: object) -> str:
        hint = f"; did you mean {shown(suggestion)}?" if suggestion is not None and len(self.values) > 1 else ""
        return f"{given} is not allowed; it must be {self._expected or self.expected}{hint}"

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
