"""Numbers: true and false are none, a whole float is an integer, and nothing that JSON cannot carry gets through."""

from __future__ import annotations

from .nodes import Node
from .report import Problem
from .words import shown, type_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .report import Finding

__all__ = ["MAX_NUMBER", "Integer", "Number", "not_finite"]

# The largest double. What is beyond it turns into infinity somewhere on the way.
MAX_NUMBER = 1.7976931348623157e308


class Number(Node):
    """A number; true and false are none, nor is what a double cannot hold."""

    __slots__ = (
        "_high",
        "_low",
        "_plain",
        "_span",
        "exclusive_maximum",
        "exclusive_minimum",
        "maximum",
        "minimum",
        "multiple_of",
    )

    expected = "a number"
    whole = False

    def __init__(
        self,
        *,
        minimum: float | None = None,
        maximum: float | None = None,
        exclusive_minimum: float | None = None,
        exclusive_maximum: float | None = None,
        multiple_of: float | None = None,
    ) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.exclusive_minimum = exclusive_minimum
        self.exclusive_maximum = exclusive_maximum
        self.multiple_of = multiple_of
        self._span: str | None = None
        # The span in which nothing is left to look at; an empty one if there is more to say than two bounds.
        self._plain = plain = exclusive_minimum is None and exclusive_maximum is None and multiple_of is None
        self._low = (-MAX_NUMBER if minimum is None else minimum) if plain else 1
        self._high = (MAX_NUMBER if maximum is None else maximum) if plain else 0

    def judge(self, value: object) -> list[Finding] | None:
        if type(value) is float or type(value) is int:
            if self._low <= value <= self._high:
                return None
            if self._plain and -MAX_NUMBER <= value <= MAX_NUMBER:  # the usual fault
                return [self._outside(value)]
        return self._faults(value) or None

    def _faults(self, value: object) -> list[Finding]:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return [type_problem(self.expected, value)]
        if not -MAX_NUMBER <= value <= MAX_NUMBER:
            return [not_finite(value)]
        found: list[Finding] = []
        # Floats beyond 2**53 are whole by nature.
        if self.whole and isinstance(value, float) and not value.is_integer():
            found.append(type_problem(self.expected, value))
        if (
            (self.minimum is not None and value < self.minimum)
            or (self.maximum is not None and value > self.maximum)
            or (self.exclusive_minimum is not None and value <= self.exclusive_minimum)
            or (self.exclusive_maximum is not None and value >= self.exclusive_maximum)
        ):
            found.append(self._outside(value))
        if self.multiple_of is not None and not _is_multiple(value, self.multiple_of):
            message = f"must be a multiple of {shown(self.multiple_of)}, got {shown(value)}"
            found.append(Problem("multiple_of", message, shown(value)))
        return found

    def _outside(self, value: float) -> Problem:
        given = shown(value)
        return Problem("range", f"must be {self._span or self.span()}, got {given}", given)

    def span(self) -> str:
        """The bounds in words: "from 0 to 1", "at least 1", "above 0 and at most 9"; "any number" if there are none."""
        if self._span is None:
            bounds = (
                ("at least", self.minimum),
                ("above", self.exclusive_minimum),
                ("at most", self.maximum),
                ("below", self.exclusive_maximum),
            )
            told = [f"{word} {shown(bound)}" for word, bound in bounds if bound is not None]
            if self.minimum is not None and self.maximum is not None and len(told) == 2:
                told = [f"from {shown(self.minimum)} to {shown(self.maximum)}"]
            self._span = " and ".join(told) or "any number"
        return self._span


class Integer(Number):
    """A whole number; 3.0 is one."""

    __slots__ = ()

    expected = "an integer"
    whole = True

    def judge(self, value: object) -> list[Finding] | None:
        if type(value) is int:
            if self._low <= value <= self._high:
                return None
            if self._plain and -MAX_NUMBER <= value <= MAX_NUMBER:
                return [self._outside(value)]
        return self._faults(value) or None


def not_finite(value: float) -> Problem:
    """The fault of NaN, of the infinities, and of integers that would turn into one."""
    given = shown(value)
    return Problem("not_finite", f"{given} is not a number that a double can hold and JSON can carry", given)


def _is_multiple(value: float, step: float) -> bool:
    if isinstance(step, int) and value == int(value):
        # Where an integer is asked for, a whole float is sent as one, and all its digits count.
        return int(value) % step == 0
    from fractions import Fraction

    # Read as people write them: 0.3 is three times 0.1, though their doubles are not.
    return Fraction(repr(value)) % Fraction(repr(step)) == 0
