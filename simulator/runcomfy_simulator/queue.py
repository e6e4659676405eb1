"""The queue and its slots: the job that is ready first runs first.

Nothing ticks. `advance` replays exactly what has happened up to a moment, event by event: a thousand waiting jobs cost
nothing between polls, and the order of events never depends on when a client asks.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .jobs import Job, State


class Queue:
    """Jobs wait here for a slot, at least until they are `ready`. Calls `on_end` with each job that ends, in order."""

    def __init__(self, slots: int, on_end: Callable[[Job], None]) -> None:
        self._slots = slots
        self._on_end = on_end
        # Both are ordered by time, then by the job's number; no two jobs share a number.
        self._waiting: list[tuple[float, int, Job]] = []
        self._running: list[tuple[float, int, Job]] = []
        self._advanced_to = 0.0

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
        """Remove a waiting job."""
        del self._waiting[self.position(job)]
        self._finish(job, "cancelled", now)

    def advance(self, now: float) -> None:
        """Do everything that is due by `now`, in its order and at its own time."""
        while True:
            end = self._running[0][0] if self._running else None
            start = self._next_start()
            if end is not None and end <= now and (start is None or end <= start):
                _, _, job = heapq.heappop(self._running)
                self._advanced_to = end
                self._finish(job, "failed" if job.error is not None else "succeeded", end)
            elif start is not None and start <= now:
                self._start(start)
            else:
                self._advanced_to = max(self._advanced_to, now)
                return

    def _next_start(self) -> float | None:
        if not self._waiting or len(self._running) >= self._slots:
            return None
        # A slot that became free at `_advanced_to` cannot have been taken earlier.
        return max(self._waiting[0][0], self._advanced_to)

    def _start(self, time: float) -> None:
        _, _, job = self._waiting.pop(0)
        job.state, job.started = "in_progress", time
        self._advanced_to = time
        heapq.heappush(self._running, (time + job.run_seconds, job.number, job))

    def _finish(self, job: Job, state: State, time: float) -> None:
        job.state, job.ended = state, time
        self._on_end(job)
