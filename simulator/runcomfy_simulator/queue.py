"""The queue and its slots, first ready first served.

Nothing ticks: `settle` replays exactly what has happened up to a moment, event by event, so a thousand waiting jobs
cost nothing between polls and the order of events never depends on who asks when.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .jobs import Job, State


class Queue:
    """Jobs wait here for a slot, at least until they are `ready`; `on_end` hears of each that ends, in order."""

    def __init__(self, slots: int, on_end: Callable[[Job], None]) -> None:
        self._slots = slots
        self._on_end = on_end
        # Both are ordered by a moment, then by the job's number; no two jobs share a number.
        self._waiting: list[tuple[float, int, Job]] = []
        self._running: list[tuple[float, int, Job]] = []
        self._settled = 0.0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def running(self) -> int:
        return len(self._running)

    def add(self, job: Job) -> None:
        insort(self._waiting, (job.ready, job.number, job))

    def position(self, job: Job) -> int:
        """How many jobs wait before this one."""
        return bisect_left(self._waiting, (job.ready, job.number, job))

    def cancel(self, job: Job, now: float) -> None:
        """Take a waiting job out."""
        del self._waiting[self.position(job)]
        self._finish(job, "cancelled", now)

    def settle(self, now: float) -> None:
        """Let everything happen that was due by `now`, in its order and at its own moment."""
        while True:
            end = self._running[0][0] if self._running else None
            start = self._next_start()
            if end is not None and end <= now and (start is None or end <= start):
                _, _, job = heapq.heappop(self._running)
                self._settled = end
                self._finish(job, "failed" if job.error is not None else "succeeded", end)
            elif start is not None and start <= now:
                self._start(start)
            else:
                self._settled = max(self._settled, now)
                return

    def _next_start(self) -> float | None:
        if not self._waiting or len(self._running) >= self._slots:
            return None
        # A slot that came free at `_settled` cannot have been taken earlier.
        return max(self._waiting[0][0], self._settled)

    def _start(self, moment: float) -> None:
        _, _, job = self._waiting.pop(0)
        job.state, job.started = "in_progress", moment
        self._settled = moment
        heapq.heappush(self._running, (moment + job.run_seconds, job.number, job))

    def _finish(self, job: Job, state: State, moment: float) -> None:
        job.state, job.ended = state, moment
        self._on_end(job)
