"""The media rules of the dialect: how a schema spells one, and what it says of a file.

A rule is an operand that is read off the file, an operator and a bound. A schema writes it as
``{"validation_rule": "width/height≤", "validation_value": "1/3", "validation_error": "..."}``.
"""

from __future__ import annotations

# The operands seen in RunComfy's schemas, and what each one needs to know.
OPERANDS = ("file_size_mb", "width_pixels", "height_pixels", "shortest_side_pixels", "width/height")
OPERATORS = ("<", "<=", ">", ">=")
# How the operators are spelt, the longer spellings first.
_SPELLINGS = {"<=": "<=", ">=": ">=", "≤": "<=", "≥": ">=", "<": "<", ">": ">"}
_ASCII_SPACE = " \t\n\r\x0b\x0c"
# Longer than any number that means something, short enough for a double.
_LONGEST_BOUND = 64


class MediaRule:
    """One entry of a schema's ``validations``.

    ``operand`` and ``operator`` are None if the rule is not one that is known here; ``raw`` then holds the rule as the
    schema spells it. ``value`` is the bound, ``message`` the schema's own ``validation_error``.
    """

    __slots__ = ("message", "operand", "operator", "raw", "value")

    def __init__(
        self, operand: str | None, operator: str | None, value: object, message: str = "", *, raw: str | None = None
    ) -> None:
        self.operand = operand
        self.operator = operator
        self.value = value
        self.message = message
        self.raw = raw

    @classmethod
    def parse(cls, text: str, value: object, message: str = "") -> MediaRule:
        """A rule as a schema spells it. One whose operand, operator or bound is not known keeps the text in ``raw``."""
        known, bound = parse_rule(text), parse_bound(value)
        if known is None or bound is None:
            return cls(None, None, value, message, raw=text)
        return cls(*known, bound, message)

    @property
    def is_known(self) -> bool:
        return self.operand in OPERANDS and self.operator in OPERATORS and isinstance(self.value, (int, float))

    def arguments(self) -> dict[str, object]:
        """The arguments that make this rule again."""
        values = {"operand": self.operand, "operator": self.operator, "value": self.value, "message": self.message}
        return values if self.raw is None else {**values, "raw": self.raw}

    def __str__(self) -> str:
        if self.raw is not None:
            return f"{self.raw} {self.value}"
        return f"{self.operand} {self.operator} {self.value}"

    def __repr__(self) -> str:
        return f"MediaRule({', '.join(f'{name}={value!r}' for name, value in self.arguments().items())})"


def parse_rule(text: str) -> tuple[str, str] | None:
    """Operand and plain operator of a rule: ``width/height≥`` is ("width/height", ">="); None if it is not known."""
    word = text.strip(_ASCII_SPACE)
    for spelling, operator in _SPELLINGS.items():
        if word.endswith(spelling):
            operand = word[: -len(spelling)].rstrip(_ASCII_SPACE)
            return (operand, operator) if operand in OPERANDS else None
    return None


def parse_bound(value: object) -> int | float | None:
    """The number a rule compares with: 15, 4.7, "0.33", "1/3"; None if it is none, or below 0."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value if 0 <= value < float("inf") else None
    if not isinstance(value, str) or len(value) > _LONGEST_BOUND:
        return None
    parts = [part.strip(_ASCII_SPACE) for part in value.split("/")]
    if len(parts) > 2 or not all(map(_is_decimal, parts)):
        return None
    from fractions import Fraction  # loads a lot, and a generated package has its bounds as numbers

    over, under = Fraction(parts[0]), Fraction(parts[1] if len(parts) == 2 else 1)
    if under == 0:
        return None
    exact = over / under
    return int(exact) if exact.denominator == 1 else float(exact)


def _is_decimal(text: str) -> bool:
    """Digits, perhaps with a point and more digits behind them."""
    whole, point, rest = text.partition(".")
    return text.isascii() and whole.isdigit() and (not point or rest.isdigit())
