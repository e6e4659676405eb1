"""Jobs as the studio runs them: submitted once for each form, watched, cancelled, settled.

The journal is the truth: what a card shows is read from it, so cards go on after a restart. Only the place in the
queue and what went wrong with a look are kept in memory.

A form carries a job key, and the journal gives one job for one key and input. So a double click, a reload and a lost
reply find the job that was paid for. When a submit was accepted the form gets a new key. While it is unsure the key
stays, so that nothing more is sent before the user has settled it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import secrets
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

from runcomfy_client.describe.prices import MICRO, job_estimate, price_of
from runcomfy_client.errors import (
    APIError,
    AuthenticationError,
    ConfigurationError,
    JobError,
    JournalError,
    NotFoundError,
    RunComfyError,
    SubmissionUnknownError,
    TransportError,
)
from runcomfy_client.journal import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runcomfy_client.api.submit import RequestOptions
    from runcomfy_client.api.values import JobUpdate
    from runcomfy_client.client import AsyncClient
    from runcomfy_client.jobs import AsyncJob
    from runcomfy_client.journal import JournalEntry
    from runcomfy_client.result_store import AsyncResultStore, StoredResult
    from runcomfy_client.schema import ModelSpec

    from .messages import Messages

T = TypeVar("T")

log = logging.getLogger("runcomfy")

KEY_PREFIX = "studio-"
# Seconds until a look that failed is tried again, at first and at most.
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
# What --max-cost counts, as a budget of the client does.
HOURS = 24.0
_NO_JOB = ("unsure", "sending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a job is likely to cost. ``usd`` is None if the catalog names no price; it is never a quote."""

    base: str
    note: str
    usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Where a submit stands. ``name`` finds it in the journal; ``problem`` is what went wrong besides the job."""

    name: str
    model_id: str
    state: str
    request_id: str | None
    created_at: float
    ended_at: float | None
    queue_position: int | None
    cost: float | None
    note: str
    problem: str
    watched: bool
    result: StoredResult | None

    @property
    def id(self) -> str:
        """What the card's element is called."""
        return element_id(self.name)

    @property
    def over(self) -> bool:
        return self.state in ("completed", "failed", "cancelled", "refused", "released")

    @property
    def seconds(self) -> float:
        return max((self.ended_at or time.time()) - self.created_at, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The outcome of pressing Run. ``name`` finds the submit in the journal, None if nothing is there.

    ``new_key`` is for the form to go on with, "" if it keeps the one it has.
    """

    name: str | None
    problem: str = ""
    new_key: str = ""


class Runs:
    """The jobs of one studio. ``max_cost`` is what the jobs of a day may cost, by estimate, in US dollars; None: no
    limit.
    """

    def __init__(
        self, client: AsyncClient, store: AsyncResultStore, messages: Messages, max_cost: float | None
    ) -> None:
        self._client = client
        self._store = store
        self._messages = messages
        self.max_cost = max_cost
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._updates: dict[str, JobUpdate] = {}
        self._problems: dict[str, str] = {}

    # Before a submit.

    async def estimate(self, spec: ModelSpec, payload: Mapping[str, object]) -> Estimate:
        """What the catalog says of the price now, times outputs or seconds. Raises what the client raises."""
        try:
            entry = await self._client.catalog.get(spec.model_id)
        except NotFoundError:
            return Estimate(base="", note="RunComfy's catalog does not list this model.", usd=None)
        price = price_of(entry.base_price_usd, entry.price_unit)
        if price is None:
            return Estimate(base="", note=entry.pricing_note, usd=None)
        return Estimate(base=str(price), note=entry.pricing_note, usd=job_estimate(price, spec, payload))

    async def balance(self) -> str:
        """What the account has left, in words. Raises AuthenticationError."""
        try:
            return str(await self._client.balance())
        except AuthenticationError:
            raise
        except RunComfyError:  # another server has it, and a submit does not need it
            return "not known"

    async def spent(self) -> float:
        """What the last day's jobs cost, by estimate where RunComfy has not stated it, in US dollars."""
        spending = await self._read(lambda: self._client.journal.spending(HOURS))
        return (spending.spent + spending.reserved) / MICRO

    async def over_limit(self, estimate: Estimate) -> str:
        """Why a job of this price is refused, or "" if it is not. The submit itself decides; this says so before."""
        if self.max_cost is None:
            return ""
        if estimate.usd is None:
            return f"The price is not known, so a limit of {self.max_cost:g} USD cannot hold it."
        spent = await self.spent()
        if spent + estimate.usd <= self.max_cost:
            return ""
        return (
            f"About {estimate.usd:g} USD more would be above the limit of {self.max_cost:g} USD for {HOURS:g} hours:"
            f" about {spent:g} USD are spent. The option --max-cost sets the limit."
        )

    # The submit.

    async def submit(
        self, model_id: str, payload: Mapping[str, object], key: str, estimate: Estimate | None = None
    ) -> Submitted:
        """Send a job once for its key. Whatever becomes of the browser's request, the submit goes on to its end."""
        return await asyncio.shield(asyncio.ensure_future(self._submit(model_id, payload, key, estimate)))

    async def _submit(
        self, model_id: str, payload: Mapping[str, object], key: str, estimate: Estimate | None
    ) -> Submitted:
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:  # the second click of two waits here, and then finds the job
            options: RequestOptions = {"job_key": key}
            if estimate is not None:
                options["budget"] = Budget(max_cost=self.max_cost, estimate=estimate.usd, hours=HOURS)
            try:
                job = await self._client.submit(model_id, payload, options)
            except SubmissionUnknownError as error:
                return Submitted(
                    name=error.submission_id, problem="" if error.submission_id else self._messages.of(error)
                )
            except (RunComfyError, OSError) as error:
                return await self._not_submitted(error, key)
            self.watch(job.request_id, model_id)
            return Submitted(name=job.request_id, new_key=new_key())

    async def _not_submitted(self, error: Exception, key: str) -> Submitted:
        is_other_input = isinstance(error, JournalError) and error.job_key is not None and error.account is None
        entry = await self.find(key) if is_other_input else None
        if entry is None:  # also where a job was started, and its id cannot be written down: the error names it
            return Submitted(name=None, problem=self._messages.of(error))
        if entry.state in _NO_JOB:
            problem = "The input has changed since a submit that is unsure. Settle that one first; nothing was sent."
            return Submitted(name=entry.submission_id, problem=problem)
        problem = (
            "This form has already started a job, with other settings: it is below. Nothing was sent now; "
            "press Run again to start a new one."
        )
        return Submitted(name=entry.request_id or entry.submission_id, problem=problem, new_key=new_key())

    # After it.

    async def find(self, name: str) -> JournalEntry | None:
        return await self._read(lambda: self._client.journal.find(name))

    async def pending(self) -> list[Card]:
        """What was not seen to end, the newest first."""
        entries = await self._read(self._client.journal.pending)
        return [self._card(entry, None) for entry in reversed(entries)]

    async def ended_badly(self, most: int) -> list[Card]:
        """Jobs that failed or were cancelled, the newest first."""

        def entries() -> list[JournalEntry]:
            newest = deque(
                (entry for entry in self._client.journal.entries() if entry.state in ("failed", "cancelled")),
                maxlen=most,
            )
            return list(newest)

        return [self._card(entry, None) for entry in reversed(await self._read(entries))]

    async def card(self, name: str) -> Card | None:
        entry = await self.find(name)
        if entry is None:
            return None
        result = await self._store.find(entry.request_id) if entry.request_id else None
        return self._card(entry, result)

    def _card(self, entry: JournalEntry, result: StoredResult | None) -> Card:
        request_id = entry.request_id or ""
        update = self._updates.get(request_id)
        state = entry.state
        if state == "submitted" and update is not None:
            state = update.state if not update.over else "in_progress"  # its files are still on their way
        return Card(
            name=request_id or entry.submission_id,
            model_id=entry.model_id,
            state=state,
            request_id=entry.request_id,
            created_at=entry.created_at.timestamp(),
            ended_at=entry.ended_at.timestamp() if entry.ended_at else None,
            queue_position=update.queue_position if update and state == "in_queue" else None,
            cost=entry.cost if result is None or result.cost is None else result.cost,
            note=self._messages.clean(entry.note or ""),
            problem=self._problems.get(request_id, ""),
            watched=request_id in self._watchers,
            result=result,
        )

    def watch(self, request_id: str, model_id: str) -> None:
        """Follow a job to its end and keep its result, in the background."""
        if request_id not in self._watchers:
            task = asyncio.create_task(self._watch(request_id, model_id))
            self._watchers[request_id] = task
            task.add_done_callback(lambda _: self._watchers.pop(request_id, None))

    async def _watch(self, request_id: str, model_id: str) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                job = await self._job(request_id, model_id)
                result = await job.wait(on_update=lambda update: self._updates.__setitem__(request_id, update))
                await self._store.save(result)
            except (TransportError, APIError) as error:
                self._problems[request_id] = self._messages.of(error)
                if isinstance(error, APIError) and not error.retryable:
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            except JobError:  # how it ended is in the journal
                self._problems.pop(request_id, None)
                return
            except (RunComfyError, OSError) as error:
                self._problems[request_id] = self._messages.of(error)
                return
            except Exception as error:
                log.exception("The job %s cannot be followed.", request_id)
                self._problems[request_id] = self._messages.of(error)
                return
            self._problems.pop(request_id, None)
            return

    async def resume(self) -> None:
        """Go on with the jobs of an earlier studio."""
        for entry in await self._read(self._client.journal.pending):
            if entry.state == "submitted" and entry.request_id and (entry.job_key or "").startswith(KEY_PREFIX):
                self.watch(entry.request_id, entry.model_id)

    async def look_again(self, name: str) -> str:
        """Follow a job on, fetch files that are missing, ask for a cost that was not known. Returns what went wrong."""
        entry = await self.find(name)
        if entry is None or entry.request_id is None:
            return "There is no job to look at."
        self._problems.pop(entry.request_id, None)
        if entry.state == "submitted":
            self.watch(entry.request_id, entry.model_id)
            return ""
        try:
            result = await (await self._job(entry.request_id, entry.model_id)).result()
            await self._store.save(result)
        except (RunComfyError, OSError) as error:
            return self._messages.of(error)
        return "" if result.cost is not None else "RunComfy has not stated the cost yet."

    async def cancel(self, name: str) -> str:
        """Ask RunComfy to cancel; returns what the page says of it."""
        entry = await self.find(name)
        if entry is None or entry.request_id is None:
            return "There is no job to cancel."
        try:
            outcome = await (await self._job(entry.request_id, entry.model_id)).cancel()
        except (RunComfyError, OSError) as error:
            return self._messages.of(error)
        if outcome.cancelled:
            return ""
        return "It was not cancelled: only jobs that are still queued can be. It goes on, and is paid for."

    async def settle(self, name: str, request_id: str | None) -> tuple[str, str]:
        """Settle an unsure submit. Returns the name it has now, and what went wrong."""
        journal = self._client.journal
        try:
            if request_id is None:
                entry = await self._read(lambda: journal.settle(name, started=False))
            else:
                entry = await self._read(lambda: journal.settle(name, request_id=request_id))
        except (JournalError, ConfigurationError) as error:
            return name, self._messages.of(error)
        if entry.request_id:
            self.watch(entry.request_id, entry.model_id)
        return entry.request_id or entry.submission_id, ""

    async def close(self) -> None:
        """Leave the watched jobs alone; they run on, and the next studio follows them."""
        for task in [*self._watchers.values()]:
            task.cancel()
        await asyncio.gather(*self._watchers.values(), return_exceptions=True)

    async def _job(self, request_id: str, model_id: str) -> AsyncJob[object]:
        return await self._read(lambda: self._client.job(request_id, model_id))

    async def _read(self, work: Callable[[], T]) -> T:
        """The journal blocks, so it is asked on a thread."""
        return await asyncio.to_thread(work)


def new_key() -> str:
    """A job key for one form."""
    return f"{KEY_PREFIX}{secrets.token_hex(12)}"


def element_id(name: str) -> str:
    """A name for the element of a card: request ids may hold what means something in a selector."""
    plain = re.fullmatch(r"[A-Za-z0-9_-]+", name)
    return f"job-{name if plain else hashlib.sha256(name.encode()).hexdigest()[:24]}"


def digest(payload: Mapping[str, object]) -> str:
    """The same for the same input."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
