"""The media rules of the dialect as data: an operand read off a file, an operator and a bound."""

from __future__ import annotations

# The operands seen in RunComfy's schemas, and what each one needs to know.
OPERANDS = ("file_size_mb", "width_pixels", "height_pixels", "shortest_side_pixels", "width/height")
OPERATORS = ("<", "<=", ">", ">=")


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

    @property
    def known(self) -> bool:
        return self.operand in OPERANDS and self.operator in OPERATORS and isinstance(self.value, (int, float))

    def __str__(self) -> str:
        if self.raw is not None:
            return f"{self.raw} {self.value}"
        return f"{self.operand} {self.operator} {self.value}"

    def __repr__(self) -> str:
        raw = f", raw={self.raw!r}" if self.raw is not None else ""
        return f"MediaRule({self.operand!r}, {self.operator!r}, {self.value!r}, {self.message!r}{raw})"
