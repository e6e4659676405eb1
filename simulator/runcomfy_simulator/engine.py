"""The simulated service: who owns what, which jobs are accepted, what they cost, when they are forgotten.

Safe to call from any thread: tests look in while the server answers.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from .clock import Clock
from .faults.effects import Effect
from .jobs import Job
from .media.order import Order, order_for
from .queue import Queue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .catalogue import Catalogue, Model
    from .faults.rules import Rule
    from .settings import Settings

# Inputs may carry whole files; beyond this the jobs that ended first are forgotten early.
KEPT_INPUT_BYTES = 256 * 1024 * 1024


class Engine:
    """All state of one simulator."""

    def __init__(self, catalogue: Catalogue, settings: Settings) -> None:
        self.catalogue = catalogue
        self.settings = settings
        self.clock = Clock()
        self.accepted = 0
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._ended: deque[Job] = deque()
        self._ended_size = 0
        self._balances: dict[str, float] = {}
        self._queue = Queue(settings.slots, self._on_end)

    # -- accounts

    def admits(self, token: str) -> bool:
        """Is this a token that the service knows?"""
        well_formed = bool(token) and token.isascii() and token.isprintable() and " " not in token
        return well_formed and (not self.settings.tokens or token in self.settings.tokens)

    def balance(self, token: str) -> float:
        """US dollars left; may be negative, as costs are known only at the end."""
        with self._lock:
            self._settle()
            return round(self._balances.get(token, self.settings.balance), 6)

    def set_balance(self, token: str, dollars: float) -> None:
        with self._lock:
            self._settle()
            self._balances[token] = dollars

    # -- jobs

    def submit(
        self,
        model: Model,
        token: str,
        body: Mapping[str, Any],
        *,
        size: int = 0,
        rules: tuple[Rule, ...] = (),
        effect: Effect | None = None,
    ) -> Job:
        """Accept a job; `size` is that of its body in bytes, `effect` overrules how it goes."""
        special = effect or Effect()
        settings = self.settings
        order = order_for(model, body)
        with self._lock:
            now = self._settle()
            self.accepted += 1
            job = Job(
                number=self.accepted,
                request_id=secrets.token_hex(16),
                model=model,
                token=token,
                input=body,
                order=order,
                created=now,
                ready=now + _first(special.queue_seconds, settings.queue_seconds),
                run_seconds=_first(special.run_seconds, settings.run_time(model.model_id, model.kind)),
                cost_delay=_first(special.cost_delay, settings.cost_delay),
                size=size,
                rules=rules,
                cost=_cost(model, order),
                error=special.error,
            )
            self._queue.add(job)
            if not special.forget:
                self._jobs[job.request_id] = job
            self._settle()
            return job

    def find(self, request_id: str) -> Job | None:
        """A job as it stands now; None if there never was one, or it is forgotten."""
        with self._lock:
            self._settle()
            return self._jobs.get(request_id)

    def position(self, job: Job) -> int:
        """How many jobs wait before this queued one."""
        with self._lock:
            return self._queue.position(job)

    def cancel(self, job: Job) -> bool:
        """Cancel a queued job; False if it runs or has ended."""
        with self._lock:
            now = self._settle()
            if job.state != "in_queue":
                return False
            self._queue.cancel(job, now)
            return True

    def jobs(self) -> tuple[Job, ...]:
        """Every job that is remembered, oldest first."""
        with self._lock:
            self._settle()
            return tuple(self._jobs.values())

    def stats(self) -> dict[str, int]:
        with self._lock:
            self._settle()
            counts = {"accepted": self.accepted, "queued": self._queue.waiting, "running": self._queue.running}
            return {**counts, "remembered": len(self._jobs)}

    def _settle(self) -> float:
        now = self.clock.now()
        self._queue.settle(now)
        while self._ended and self._too_much(now):
            oldest = self._ended.popleft()
            self._ended_size -= oldest.size
            self._jobs.pop(oldest.request_id, None)
        return now

    def _too_much(self, now: float) -> bool:
        """Is it time to forget the job that ended first?"""
        expired = (self._ended[0].ended or 0.0) + self.settings.request_ttl < now
        return expired or len(self._ended) > self.settings.keep_jobs or self._ended_size > KEPT_INPUT_BYTES

    def _on_end(self, job: Job) -> None:
        self._ended.append(job)
        self._ended_size += job.size
        if job.state == "succeeded":
            self._balances[job.token] = self._balances.get(job.token, self.settings.balance) - job.cost
        else:
            job.cost = 0.0


def _first(special: float | None, usual: float) -> float:
    return usual if special is None else special


def _cost(model: Model, order: Order) -> float:
    """Base price times outputs or seconds. The real API's sums are not published; this one is plain and adds up."""
    units = order.count * order.seconds if model.price_unit == "second" else order.count
    return round(model.price * units, 6)
