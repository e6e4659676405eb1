"""The nodes for plain values: text, numbers, booleans, null and enums. A tree of nodes checks a payload."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING

from .findings import ErrorFinding, UncheckedFinding
from .messages import amount, brief, choices
from .suggest import nearest

if TYPE_CHECKING:
    from .findings import Finding
    from .patterns import Pattern


class Node:
    """What a schema says about one place. ``check`` returns None if all is well, else what was found.

    A finding's ``keys`` lead from the node to the place it is about; the node's parent puts its own key before them.

    A node's arguments stay readable under their own names, so that a schema can be shown as well as applied.
    """

    __slots__ = ()

    expected = "a value"

    def check(self, value: object) -> list[Finding] | None:
        raise NotImplementedError

    def arguments(self) -> dict[str, object]:
        """The arguments that make this node again, without those that say nothing."""
        slots = [name for kind in reversed(type(self).__mro__) for name in getattr(kind, "__slots__", ())]
        values = {name: getattr(self, name) for name in slots if not name.startswith("_")}
        return {
            name: value for name, value in values.items() if value is not None and value is not False and value != ()
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.arguments().items())})"


class String(Node):
    """A string; lengths count code points."""

    __slots__ = ("_high", "_low", "_pattern", "format", "max_length", "min_length", "pattern")

    expected = "a string"

    def __init__(
        self,
        *,
        min_length: int | None = None,
        max_length: int | None = None,
        pattern: str | None = None,
        format: str | None = None,  # the schema's own word
    ) -> None:
        self.min_length = min_length
        self.max_length = max_length
        self.pattern = pattern
        self.format = format
        self._pattern: Pattern | None = None
        # The lengths at which nothing is left to look at; none if there is more to say than length.
        plain = pattern is None and format is None
        self._low: float = (min_length or 0) if plain else 1
        self._high: float = (float("inf") if max_length is None else max_length) if plain else 0

    def check(self, value: object) -> list[Finding] | None:
        if type(value) is str and self._low <= len(value) <= self._high and value.isascii():
            return None
        return self._errors(value) or None

    def _errors(self, value: object) -> list[Finding]:
        if not isinstance(value, str):
            return [type_error(self.expected, value)]
        findings: list[Finding] = [*text_errors(value, self.min_length, self.max_length)]
        if self.pattern is not None:
            findings += self._pattern_findings(self.pattern, value)
        if self.format is not None:
            findings.append(UncheckedFinding("format", f"the format {self.format!r} is not checked here"))
        return findings

    def _pattern_findings(self, text: str, value: str) -> list[Finding]:
        if self._pattern is None:
            from .patterns import Pattern  # most models have no pattern

            self._pattern = Pattern(text)
        pattern = self._pattern
        if pattern.error is not None:
            return [UncheckedFinding("pattern", f"the pattern {brief(text)} cannot be read here: {pattern.error}")]
        matches = pattern.search(value)
        if matches is None:
            return [UncheckedFinding("pattern", f"to match the pattern {brief(text)} takes too long")]
        if not matches:
            return [ErrorFinding("pattern", f"{brief(value)} does not match the pattern {text!r}", brief(value))]
        return []


class Boolean(Node):
    """True or false; 0 and 1 are neither."""

    __slots__ = ()

    expected = "true or false"

    def check(self, value: object) -> list[Finding] | None:
        if value is True or value is False:
            return None
        return [type_error(self.expected, value)]


class Null(Node):
    """Null and nothing else."""

    __slots__ = ()

    expected = "null"

    def check(self, value: object) -> list[Finding] | None:
        return None if value is None else [type_error(self.expected, value)]


def text_errors(value: str, min_length: int | None, max_length: int | None) -> list[Finding]:
    """The errors any string can have: its length, and halves of characters that no UTF-8 can carry."""
    findings: list[Finding] = []
    length = len(value)
    if (min_length is not None and length < min_length) or (max_length is not None and length > max_length):
        findings.append(
            ErrorFinding("length", f"must be {lengths(min_length, max_length)} long, got {length}", brief(value))
        )
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            message = (
                f"holds half a character (a lone surrogate, U+{ord(value[error.start]):04X}, at position {error.start})"
            )
            findings.append(ErrorFinding("surrogate", message, brief(value)))
    return findings


def lengths(low: int | None, high: int | None) -> str:
    """Bounds of a text's length in words: "at most 800 characters"."""
    if low and high is not None:
        return f"exactly {amount(low, 'character')}" if low == high else f"from {low} to {amount(high, 'character')}"
    return f"at least {amount(low or 0, 'character')}" if high is None else f"at most {amount(high, 'character')}"


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
        multiple_of: int | float | None = None,
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

    def check(self, value: object) -> list[Finding] | None:
        if type(value) is float or type(value) is int:
            if self._low <= value <= self._high:
                return None
            if self._plain and -MAX_NUMBER <= value <= MAX_NUMBER:  # the usual error
                return [self._range_error(value)]
        return self._errors(value) or None

    def _errors(self, value: object) -> list[Finding]:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return [type_error(self.expected, value)]
        if not -MAX_NUMBER <= value <= MAX_NUMBER:
            return [not_finite(value)]
        findings: list[Finding] = []
        # Floats beyond 2**53 are whole by nature.
        if self.whole and isinstance(value, float) and not value.is_integer():
            findings.append(type_error(self.expected, value))
        if (
            (self.minimum is not None and value < self.minimum)
            or (self.maximum is not None and value > self.maximum)
            or (self.exclusive_minimum is not None and value <= self.exclusive_minimum)
            or (self.exclusive_maximum is not None and value >= self.exclusive_maximum)
        ):
            findings.append(self._range_error(value))
        if self.multiple_of is not None and not _is_multiple(value, self.multiple_of):
            message = f"must be a multiple of {brief(self.multiple_of)}, got {brief(value)}"
            findings.append(ErrorFinding("multiple_of", message, brief(value)))
        return findings

    def _range_error(self, value: float) -> ErrorFinding:
        text = brief(value)
        return ErrorFinding("range", f"must be {self._span or self.span()}, got {text}", text)

    def span(self) -> str:
        """The bounds in words: "from 0 to 1", "at least 1", "above 0 and at most 9"; "any number" if there are none."""
        if self._span is None:
            bounds = (
                ("at least", self.minimum),
                ("above", self.exclusive_minimum),
                ("at most", self.maximum),
                ("below", self.exclusive_maximum),
            )
            parts = [f"{word} {brief(bound)}" for word, bound in bounds if bound is not None]
            if self.minimum is not None and self.maximum is not None and len(parts) == 2:
                parts = [f"from {brief(self.minimum)} to {brief(self.maximum)}"]
            self._span = " and ".join(parts) or "any number"
        return self._span


class Integer(Number):
    """A whole number; 3.0 is one."""

    __slots__ = ()

    expected = "an integer"
    whole = True

    def check(self, value: object) -> list[Finding] | None:
        if type(value) is int:
            if self._low <= value <= self._high:
                return None
            if self._plain and -MAX_NUMBER <= value <= MAX_NUMBER:
                return [self._range_error(value)]
        return self._errors(value) or None


def not_finite(value: float) -> ErrorFinding:
    """The error of NaN, of the infinities, and of integers that would turn into one."""
    text = brief(value)
    return ErrorFinding("not_finite", f"{text} is not a number that a double can hold and JSON can carry", text)


def _is_multiple(value: float, step: float) -> bool:
    if isinstance(step, int) and value == int(value):
        # Where an integer is asked for, a whole float is sent as one, and all its digits count.
        return int(value) % step == 0
    from fractions import Fraction

    # Read as people write them: 0.3 is three times 0.1, though their doubles are not.
    return Fraction(repr(value)) % Fraction(repr(step)) == 0


class Enum(Node):
    """One of the listed values. 1.0 is 1, true is not."""

    __slots__ = ("_expected", "_plain", "_texts", "values")

    def __init__(self, values: tuple[object, ...]) -> None:
        self.values = values
        self._expected: str | None = None
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
    def expected(self) -> str:  # type: ignore[override]  # the values say it here
        if self._expected is None:
            self._expected = "one of " + choices(self.values) if len(self.values) > 1 else choices(self.values)
        return self._expected

    def check(self, value: object) -> list[Finding] | None:
        if type(value) is str and self._texts:  # nearly all enums list texts, and nothing else is equal to one
            return None if value in self._texts else [self._enum_error(value)]
        plain = self._plain.get(type(value))
        if plain is not None:
            if value in plain:
                return None
        elif any(json_equal(value, allowed) for allowed in self.values):
            return None
        return [self._fault(value)]

    def _enum_error(self, value: str) -> ErrorFinding:
        text, near = brief(value), nearest(value, [allowed for allowed in self.values if isinstance(allowed, str)])
        return ErrorFinding("enum", self._refusal(text, near), text, self.values, near)

    def _fault(self, value: object) -> ErrorFinding:
        if isinstance(value, str) and self._texts:
            return self._enum_error(value)
        text = brief(value)
        suggestion: object = None
        if isinstance(value, (int, float)) and not isinstance(value, bool) and self._plain[int]:
            suggestion = _closest(value, self.values)
        elif all(_kind(value) != _kind(allowed) for allowed in self.values):
            return self._type_problem(value, text)
        return ErrorFinding("enum", self._refusal(text, suggestion), text, self.values, suggestion)

    def _refusal(self, text: str, suggestion: object) -> str:
        hint = f"; did you mean {brief(suggestion)}?" if suggestion is not None and len(self.values) > 1 else ""
        return f"{text} is not allowed; it must be {self._expected or self.expected}{hint}"

    def _type_problem(self, value: object, text: str) -> ErrorFinding:
        cure, twin = "", None
        if value is None:
            cure = "; leave the key out if it is not given"
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
            twin = next((allowed for allowed in self.values if brief(allowed).strip("'") == text.strip("'")), None)
            if twin is not None:
                cure = f"; did you mean the {_kind(twin)} {brief(twin)}?"
        message = f"expected {self.expected}, got the {_kind(value)} {text}{cure}"
        return ErrorFinding("type", message, text, self.values, twin)


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "text"
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else "value"


def json_equal(left: object, right: object) -> bool:
    """Whether two values are the same in JSON's sense: true is not 1, 1.0 is."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(json_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(json_equal(item, right[key]) for key, item in left.items())
    return left == right


def _closest(value: float, allowed: tuple[object, ...]) -> float | None:
    if not -MAX_NUMBER <= value <= MAX_NUMBER:
        return None
    numbers = [number for number in allowed if isinstance(number, (int, float)) and not isinstance(number, bool)]
    return min(numbers, key=lambda number: abs(number - value), default=None)


def type_error(expected: str, value: object) -> ErrorFinding:
    """The error of a value of another type than ``expected`` ("a string", "a number", ...), with the usual cure."""
    text = brief(value)
    kind = _KINDS.get(type(value), "")
    return ErrorFinding("type", f"expected {expected}, got {kind}{text}{_cure(expected, value)}", text)


_KINDS: dict[type, str] = {str: "the text ", int: "the number ", float: "the number "}


def _cure(expected: str, value: object) -> str:
    if value is None:
        return "; leave the key out if it is not given"
    if expected == "true or false":
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return "; write it without quotes"
        if isinstance(value, int) and value in (0, 1):
            return "; write true" if value else "; write false"
    elif expected == "a number" or expected == "an integer":
        if isinstance(value, bool):
            return "; true and false are never numbers"
        if isinstance(value, str) and _is_number(value):
            return "; write it without quotes"
        if isinstance(value, float):
            return "; it must be whole"
        if isinstance(value, numbers.Number):
            return f"; convert it, for example with {'int' if expected == 'an integer' else 'float'}()"
    elif expected == "a string":
        return "; write it in quotes" if isinstance(value, (int, float)) else ""
    elif expected.startswith("an image ") and hasattr(value, "shape"):
        return "; make a picture of an array with PIL.Image.fromarray()"
    elif expected == "a list":
        return "" if isinstance(value, dict) else "; put it in a list"
    return ""


def _is_number(text: str) -> bool:
    try:
        number = float(text[:400])
    except ValueError:
        return False
    return number - number == 0  # not so of NaN and the infinities, which JSON cannot express
