"""How a message names what was given: short, never megabytes, never a character that could move a cursor."""

from __future__ import annotations

from .report import Problem

__all__ = ["amount", "choices", "shown", "type_problem"]

_LONGEST = 60
_MOST_CHOICES = 30


def shown(value: object) -> str:
    """A value of a payload as it stands in a message."""
    kind = type(value)
    if kind is str:
        return f"{value!r}" if len(value) <= _LONGEST else _long_text(value)  # type: ignore[arg-type]  # narrowed by hand
    if kind is float:
        return f"{value!r}"
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        # Python refuses to write integers of more than 4300 digits, and nobody reads forty.
        return repr(int(value)) if value.bit_length() <= 128 else f"an integer of {_digits(value)} digits"
    if isinstance(value, str):
        return shown(str(value))
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, (list, tuple)):
        return f"a list of {amount(len(value), 'item')}"
    if isinstance(value, dict):
        return f"an object with {amount(len(value), 'key')}"
    return f"a Python {kind.__name__}"


def amount(count: int, thing: str) -> str:
    """A number of things: "1 item", "2 items"."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def choices(values: tuple[object, ...]) -> str:
    """The allowed values, in the schema's order; a very long list is cut."""
    if len(values) == 1:
        return shown(values[0])
    if len(values) > _MOST_CHOICES:
        return ", ".join(map(shown, values[:_MOST_CHOICES])) + f", ... ({len(values)} in all)"
    return ", ".join(map(shown, values[:-1])) + " or " + shown(values[-1])


def type_problem(expected: str, value: object) -> Problem:
    """The fault of a value of another type than ``expected`` ("a string", "a number", ...), with the usual cure."""
    given = shown(value)
    kind = _KINDS.get(type(value), "")
    return Problem("type", f"expected {expected}, got {kind}{given}{_cure(expected, value)}", given)


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
    elif expected == "a string":
        return "; write it in quotes" if isinstance(value, (int, float)) else ""
    elif expected == "a list":
        return "" if isinstance(value, dict) else "; put it in a list"
    return ""


def _is_number(text: str) -> bool:
    try:
        number = float(text[:400])
    except ValueError:
        return False
    return number - number == 0  # not so of NaN and the infinities, which JSON has no words for


def _long_text(text: str) -> str:
    return f"{text[: _LONGEST - 20]!r}... ({len(text)} characters)"


def _digits(number: int) -> int:
    return int(number.bit_length() * 0.30103) + 1
