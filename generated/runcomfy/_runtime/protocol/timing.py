"""When to ask again, and until when: deadlines, growing pauses with jitter, and the pause a 429 asks of everyone."""

from __future__ import annotations

import random
import time

QUICKEST = 0.25
SLOWEST = 10.0
FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
# A queue is worth a look about once for each place one may have moved up; nobody says how long a place takes.
SECONDS_A_PLACE = 0.5
# With many slots a long queue is gone in no time, so no look is put off by more than this, or than what was waited.
FIRST_LOOK = 4.0
RATE_LIMIT_PAUSE = 2.0


class Until:
    """A deadline, or none. The clock is monotonic, so setting the computer's clock changes nothing."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float:
        return float("inf") if self._end is None else max(self._end - time.monotonic(), 0.0)

    def over(self) -> bool:
        return self.left() <= 0

    def within(self, seconds: float) -> float:
        return min(seconds, self.left())


class CoolDown:
    """Shared by all jobs of a client: after a 429 nobody sends until it is over."""

    def __init__(self) -> None:
        self._end = 0.0

    def push(self, seconds: float) -> None:
        # Threads may race here; what is lost is one of two pauses of about the same length.
        self._end = max(self._end, time.monotonic() + seconds)

    def left(self) -> float:
        return max(self._end - time.monotonic(), 0.0)


def jitter(seconds: float) -> float:
    return seconds * random.uniform(0.8, 1.2)


def backoff(misses: int) -> float:
    """The pause after so many failures in a row, the first being 1."""
    return jitter(min(FIRST_BACKOFF * 2.0 ** min(misses - 1, 16), LONGEST_BACKOFF))


def poll_pause(in_state: float, position: int | None) -> float:
    """The pause before the next poll, for a job that has been in its state for so many seconds.

    A sixth of the time waited so far: a short job is seen to end quickly, a long one costs few polls. Deep in the queue
    it is not quicker than the queue can move.
    """
    pause = min(max(in_state / 6, QUICKEST), SLOWEST)
    if position is not None and position > 1:
        pause = max(pause, min(position * SECONDS_A_PLACE, max(in_state, FIRST_LOOK), SLOWEST))
    return jitter(pause)
