"""One clock for everything simulated; tests move it forward instead of waiting."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

# A thousand years: what is skipped must stay a date that can be written.
_LONGEST_SKIP = 86_400.0 * 365_000


class Clock:
    """Seconds since the start, plus the seconds that were skipped; never goes back."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._start_date = datetime.now(UTC).timestamp()
        self._skipped = 0.0

    def now(self) -> float:
        return time.monotonic() - self._start + self._skipped

    def skip(self, seconds: float) -> None:
        """Move the clock `seconds` forward.

        Raises:
            ValueError: `seconds` is negative, no number, or all skips together are more than a thousand years.
        """
        if not (math.isfinite(seconds) and 0 <= seconds <= _LONGEST_SKIP - self._skipped):
            raise ValueError("seconds must be 0 or more, and a thousand years at most in all")
        self._skipped += seconds

    def date(self, time: float) -> str:
        """A time of this clock as an ISO date in UTC."""
        stamp = datetime.fromtimestamp(self._start_date + time, UTC)
        return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
