"""The media rules of the dialect: an operand read off a file, compared with a number."""

from __future__ import annotations

from .report import Finding, Problem, Unchecked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..media.facts import Facts

__all__ = ["OPERANDS", "OPERATORS", "Rule"]

# The operands seen in RunComfy's schemas, and what each one needs to know.
OPERANDS = ("file_size_mb", "width_pixels", "height_pixels", "shortest_side_pixels", "width/height")
OPERATORS = ("<", "<=", ">", ">=")


class Rule:
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

    def judge(self, facts: Facts) -> Finding | None:
        """The finding about a file of these facts: a Problem if it breaks the rule, None if it keeps it."""
        if not self.known:
            return self.unknown()
        readings = self._readings(facts)
        if not readings:
            return Unchecked(
                "media_rule", f"{self} was not checked: {facts.unread or 'it is not known of this file'}", rule=self
            )
        kept = [self._keeps(number) for number in readings]
        if all(kept):
            return None
        if any(kept):
            return Unchecked(
                "media_rule",
                f"{self} was not checked: the file is stored as {facts.measure} and marked to be shown turned; "
                "which of the two the server measures is not known",
                rule=self,
            )
        return Problem(
            "media_rule", f"{self.message or f'{self} is not kept'} (given: {facts.measure})", facts.measure, rule=self
        )

    def deferred(self, reason: str) -> Unchecked:
        """The finding about a file that is not here to be measured."""
        return Unchecked("media_rule", f"{self} was not checked: {reason}", rule=self) if self.known else self.unknown()

    def unknown(self) -> Unchecked:
        text = f' (its text: "{self.message}")' if self.message else ""
        return Unchecked(
            "unknown_rule", f"the rule {self} is not one this client knows, so it was not checked{text}", rule=self
        )

    def _readings(self, facts: Facts) -> list[float]:
        """What the operand may be of this file: one number, or two if the file is marked to be shown turned."""
        if self.operand == "file_size_mb":
            # In the user's favour: the larger megabyte below an upper bound, the smaller one above a lower bound.
            return (
                []
                if facts.size is None
                else [facts.size / (1024 * 1024 if self.operator in ("<", "<=") else 1_000_000)]
            )
        width, height = facts.width, facts.height
        if width is None or height is None:
            return []
        sides = [(width, height), (height, width)] if facts.turned else [(width, height)]
        if self.operand == "width_pixels":
            return [float(side[0]) for side in sides]
        if self.operand == "height_pixels":
            return [float(side[1]) for side in sides]
        if self.operand == "shortest_side_pixels":
            return [float(min(width, height))]
        return [side[0] / side[1] for side in sides]

    def _keeps(self, number: float) -> bool:
        bound = self.value
        assert isinstance(bound, (int, float))
        if self.operator == "<":
            return number < bound
        if self.operator == "<=":
            return number <= bound
        if self.operator == ">":
            return number > bound
        return number >= bound

    def __str__(self) -> str:
        if self.raw is not None:
            return f"{self.raw} {self.value}"
        return f"{self.operand} {self.operator} {self.value}"

    def __repr__(self) -> str:
        raw = f", raw={self.raw!r}" if self.raw is not None else ""
        return f"Rule({self.operand!r}, {self.operator!r}, {self.value!r}, {self.message!r}{raw})"
