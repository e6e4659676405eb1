"""How a message names a value: short, never megabytes, never a character that could move a cursor."""

from __future__ import annotations

_LONGEST = 60
_MOST_CHOICES = 30


def brief(value: object) -> str:
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
        # Python refuses to write integers of more than 4300 digits, and forty are too many to read.
        return repr(int(value)) if value.bit_length() <= 128 else f"an integer of {_digits(value)} digits"
    if isinstance(value, str):
        return brief(str(value))
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, (list, tuple)):
        return f"a list of {amount(len(value), 'item')}"
    if isinstance(value, dict):
        return f"an object with {amount(len(value), 'key')}"
    return f"a Python {kind.__name__}"


def amount(count: int, noun: str, plural: str = "") -> str:
    """A number of things: "1 item", "2 items"; pass a plural that is not noun + s."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def choices(values: tuple[object, ...]) -> str:
    """The allowed values, in the schema's order; a very long list is cut."""
    if len(values) < 2:
        return brief(values[0]) if values else "no value at all"
    if len(values) > _MOST_CHOICES:
        return ", ".join(map(brief, values[:_MOST_CHOICES])) + f", ... ({len(values)} in all)"
    return ", ".join(map(brief, values[:-1])) + " or " + brief(values[-1])


def _long_text(text: str) -> str:
    return f"{text[: _LONGEST - 20]!r}... ({len(text)} characters)"


def _digits(number: int) -> int:
    return int(number.bit_length() * 0.30103) + 1


def megabytes(size: int) -> str:
    """A size in bytes for people; 1 MB is 1024 * 1024 bytes here, as in the rules' upper bounds."""
    if size < 1024:
        return f"{size} bytes"
    if size < 1024 * 1024:
        return f"{size / 1024:.1f} kB"
    return f"{size / (1024 * 1024):.2f} MB"
