"""What a check is made of: nodes that judge a value; here those for plain types."""

from __future__ import annotations

from .report import Problem, Unchecked
from .words import amount, shown, type_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from .report import Finding

__all__ = ["Boolean", "Node", "Null", "String", "text_faults"]


class Node:
    """What a schema says about one place. ``judge`` returns None if all is well, else what was found.

    A finding's ``keys`` lead from the node to the place it is about; whoever holds the node puts its own key before.

    A node's arguments stay readable under their own names, so that a schema can be shown as well as applied.
    """

    __slots__ = ()

    expected = "a value"

    def judge(self, value: object) -> list[Finding] | None:
        raise NotImplementedError

    def facts(self) -> dict[str, object]:
        """The arguments this node was made with, without those that say nothing."""
        slots = [name for kind in reversed(type(self).__mro__) for name in getattr(kind, "__slots__", ())]
        given = {name: getattr(self, name) for name in slots if not name.startswith("_")}
        return {
            name: value for name, value in given.items() if value is not None and value is not False and value != ()
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.facts().items())})"


class String(Node):
    """A string; lengths count code points."""

    __slots__ = ("_high", "_low", "_search", "format", "max_length", "min_length", "pattern")

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
        self._search: Callable[[str], object] | str | None = None
        # The lengths at which nothing is left to look at; none if there is more to say than length.
        plain = pattern is None and format is None
        self._low: float = (min_length or 0) if plain else 1
        self._high: float = (float("inf") if max_length is None else max_length) if plain else 0

    def judge(self, value: object) -> list[Finding] | None:
        if type(value) is str and self._low <= len(value) <= self._high and value.isascii():
            return None
        return self._faults(value) or None

    def _faults(self, value: object) -> list[Finding]:
        if not isinstance(value, str):
            return [type_problem(self.expected, value)]
        found: list[Finding] = [*text_faults(value, self.min_length, self.max_length)]
        if self.pattern is not None:
            found += self._pattern_findings(self.pattern, value)
        if self.format is not None:
            found.append(Unchecked("format", f"the format {self.format!r} is not checked here"))
        return found

    def _pattern_findings(self, pattern: str, value: str) -> list[Finding]:
        if self._search is None:
            self._search = _searcher(pattern)
        if isinstance(self._search, str):
            return [Unchecked("pattern", f"the pattern {shown(pattern)} cannot be read here: {self._search}")]
        if self._search(value) is None:
            return [Problem("pattern", f"{shown(value)} does not match the pattern {pattern!r}", shown(value))]
        return []


class Boolean(Node):
    """True or false; 0 and 1 are neither."""

    __slots__ = ()

    expected = "true or false"

    def judge(self, value: object) -> list[Finding] | None:
        if value is True or value is False:
            return None
        return [type_problem(self.expected, value)]


class Null(Node):
    """Null and nothing else."""

    __slots__ = ()

    expected = "null"

    def judge(self, value: object) -> list[Finding] | None:
        return None if value is None else [type_problem(self.expected, value)]


def text_faults(value: str, min_length: int | None, max_length: int | None) -> list[Finding]:
    """The faults any string can have: its length, and halves of characters that no UTF-8 can carry."""
    found: list[Finding] = []
    length = len(value)
    if (min_length is not None and length < min_length) or (max_length is not None and length > max_length):
        found.append(Problem("length", f"must be {_lengths(min_length, max_length)}, got {length}", shown(value)))
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            message = (
                f"holds half a character (a lone surrogate, U+{ord(value[error.start]):04X}, at position {error.start})"
            )
            found.append(Problem("surrogate", message, shown(value)))
    return found


def _lengths(min_length: int | None, max_length: int | None) -> str:
    if min_length is not None and max_length is not None:
        return f"from {min_length} to {amount(max_length, 'character')} long"
    if max_length is not None:
        return f"at most {amount(max_length, 'character')} long"
    return f"at least {amount(min_length or 0, 'character')} long"


def _searcher(pattern: str) -> Callable[[str], re.Match[str] | None] | str:
    import re

    try:
        return re.compile(pattern).search
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
