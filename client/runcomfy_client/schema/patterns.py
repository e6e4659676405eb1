"""The regular expressions of schemas, searched within a bound.

A schema comes from elsewhere, and an expression such as ``(a|aa)+$`` takes years on a text of a hundred letters. The
library `regex` gives a search up after a time; Python's own `re` would hang the program, and an event loop with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Final

# What one search may take. A sound expression needs a thousandth of it for a long prompt.
SEARCH_SECONDS: Final = 0.1
# After this number of timeouts the expression is not tried any more.
_MOST_TIMEOUTS: Final = 3
_LONGEST_PATTERN: Final = 10_000


class Pattern:
    """A regular expression, compiled when it is first needed.

    ``error`` says why it cannot be read, None if it can.
    """

    __slots__ = ("_compiled", "_timeouts", "error", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._timeouts = 0
        self._compiled: Any = None
        self.error: str | None = None
        if len(text) > _LONGEST_PATTERN:
            self.error = f"it is longer than {_LONGEST_PATTERN} characters"
            return
        import regex  # takes longer to load than a check takes; most models have no pattern

        try:
            self._compiled = regex.compile(text)
        except (regex.error, OverflowError, RecursionError, MemoryError, ValueError) as error:
            self.error = str(error)

    def search(self, value: str, seconds: float = SEARCH_SECONDS) -> bool | None:
        """Whether it matches somewhere in a text; None if that takes too long to find out."""
        if self._timeouts >= _MOST_TIMEOUTS:
            return None
        try:
            return self._compiled.search(value, timeout=seconds, concurrent=False) is not None
        except (TimeoutError, MemoryError):
            self._timeouts += 1
            return None
