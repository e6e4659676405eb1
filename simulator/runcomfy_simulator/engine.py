"""The simulated service: who owns what, which jobs are accepted, what they cost, when they are forgotten.

Safe to call from any thread: tests look at it while the server answers.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from .clock import Clock
from .fault_injection.effects import Effect
from .jobs import Job
from .media.spec import OutputSpec, output_spec
from .queue import Queue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .catalog import Catalog, Model
    from .fault_injection.rules import FaultRule
    from .media.probe import MediaInfo
    from .settings import Settings

# Inputs may hold whole files; beyond this the jobs that ended first are forgotten early.
KEPT_INPUT_BYTES = 256 * 1024 * 1024
# Balances of tokens; beyond this the token seen first starts anew.
KEPT_BALANCES = 100_000


class Engine:
    """All state of one simulator."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self.catalog = catalog
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

    def is_known_token(self, token: str) -> bool:
        """Is this a token that the service takes?"""
        well_formed = bool(token) and token.isascii() and token.isprintable() and " " not in token
        return well_formed and (not self.settings.tokens or token in self.settings.tokens)

    def balance(self, token: str) -> float:
        """US dollars left; may be negative, as costs are known only at the end."""
        with self._lock:
            self._advance()
            return round(self._balances.get(token, self.settings.balance), 6)

    def set_balance(self, token: str, dollars: float) -> None:
        with self._lock:
            self._advance()
            self._set_balance(token, dollars)

    # -- jobs

    def submit(
        self,
        model: Model,
        token: str,
        body: Mapping[str, Any],
        *,
        media: Sequence[MediaInfo] = (),
        size: int = 0,
        rules: tuple[FaultRule, ...] = (),
        effect: Effect | None = None,
    ) -> Job:
        """Accept a job.

        Args:
            media: what is known of the files that the input names.
            size: the length of the body in bytes.
            rules: the faults that its prompt asks for.
            effect: how this job differs from others.
        """
        special = effect or Effect()
        settings = self.settings
        used = body if settings.profile.undeclared_keys == "take" else model.validator.declared(body)
        spec = output_spec(model, used, media)
        with self._lock:
            now = self._advance()
            self.accepted += 1
            job = Job(
                number=self.accepted,
                request_id=secrets.token_hex(16),
                model=model,
                token=token,
                input=body,
                used_input=used,
                spec=spec,
                created=now,
                ready=now + _either(special.queue_seconds, settings.queue_seconds),
                run_seconds=_either(special.run_seconds, settings.run_time(model.model_id, model.kind)),
                cost_delay=_either(special.cost_delay, settings.cost_delay),
                size=size,
                rules=rules,
                cost=_cost(model, spec),
                error=special.error,
            )
            self._queue.add(job)
            if not special.forget:
                self._jobs[job.request_id] = job
            self._advance()
            return job

    def find(self, request_id: str) -> Job | None:
        """A job as it is now; None if there never was one, or it is forgotten."""
        with self._lock:
            self._advance()
            return self._jobs.get(request_id)

    def position(self, job: Job) -> int:
        """How many jobs wait before this queued one."""
        with self._lock:
            return self._queue.position(job)

    def cancel(self, job: Job) -> bool:
        """Cancel a queued job; False if it runs or has ended."""
        with self._lock:
            now = self._advance()
            if job.state != "in_queue":
                return False
            self._queue.cancel(job, now)
            return True

    def jobs(self) -> tuple[Job, ...]:
        """Every job that is remembered, oldest first."""
        with self._lock:
            self._advance()
            return tuple(self._jobs.values())

    def stats(self) -> dict[str, int]:
        with self._lock:
            self._advance()
            counts = {"accepted": self.accepted, "queued": self._queue.waiting, "running": self._queue.running}
            return {**counts, "remembered": len(self._jobs)}

    def _advance(self) -> float:
        now = self.clock.now()
        self._queue.advance(now)
        while self._ended and self._is_forgettable(now):
            oldest = self._ended.popleft()
            self._ended_size -= oldest.size
            self._jobs.pop(oldest.request_id, None)
        return now

    def _is_forgettable(self, now: float) -> bool:
        """Is it time to forget the job that ended first?"""
        expired = (self._ended[0].ended or 0.0) + self.settings.request_ttl < now
        return expired or len(self._ended) > self.settings.keep_jobs or self._ended_size > KEPT_INPUT_BYTES

    def _on_end(self, job: Job) -> None:
        self._ended.append(job)
        self._ended_size += job.size
        if job.state == "succeeded":
            self._set_balance(job.token, self._balances.get(job.token, self.settings.balance) - job.cost)
        else:
            job.cost = 0.0

    def _set_balance(self, token: str, dollars: float) -> None:
        self._balances[token] = dollars
        if len(self._balances) > KEPT_BALANCES:
            del self._balances[next(iter(self._balances))]


def _either(special: float | None, usual: float) -> float:
    return usual if special is None else special


def _cost(model: Model, spec: OutputSpec) -> float:
    """Base price times outputs or seconds. RunComfy publishes no formula; this one is plain and adds up."""
    units = spec.count * spec.seconds if model.price_unit == "second" else spec.count
    return round(model.price * units, 6)
