"""One clock for everything simulated; tests may move it forward instead of waiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Seconds since start, never going back, plus what a test has skipped."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._born = datetime.now(UTC).timestamp()
        self._skipped = 0.0

    def now(self) -> float:
        return time.monotonic() - self._start + self._skipped

    def skip(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        if seconds < 0:
            raise ValueError("time only moves forward")
        self._skipped += seconds

    def date(self, moment: float) -> str:
        """A moment of this clock as an ISO date in UTC."""
        stamp = datetime.fromtimestamp(self._born + moment, UTC)
        return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
