"""The moment by which something must be over."""

from __future__ import annotations

import time

# Seconds; the clocks of sockets and locks end not far behind, and infinity is too long for all of them.
LONGEST = 1_000_000.0


class Deadline:
    """The nearest of some limits in seconds from now; None stands for no limit.

    The clock is monotonic, so setting the computer's clock changes nothing.
    """

    __slots__ = ("_end", "seconds")

    def __init__(self, *limits: float | None) -> None:
        self.seconds = min((limit for limit in limits if limit is not None), default=None)
        self._end = None if self.seconds is None else time.monotonic() + min(self.seconds, LONGEST)

    def left(self) -> float:
        """Seconds left, infinity if there is no limit."""
        return float("inf") if self._end is None else max(self._end - time.monotonic(), 0.0)

    def over(self) -> bool:
        return self.left() <= 0

    def within(self, seconds: float) -> float:
        """``seconds``, or the time left if that is less."""
        return min(seconds, self.left())

    def timeout(self) -> float | None:
        """Seconds left in the form that sockets and locks take: None for no limit, and never zero."""
        return None if self._end is None else max(self._end - time.monotonic(), 0.001)
