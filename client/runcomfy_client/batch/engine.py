"""What a batch does while it runs: one task that sends, and one for each job in flight that polls and fetches.

It is asynchronous, for both clients: `AsyncBatch` runs it in the program's event loop, `Batch` in a thread with a loop
of its own.

The order of things decides about money. All waiting is done *before* the intent is written: for a place in flight, a
POST slot, the rate limit, the cool-down after a 429, the breaker. From the intent to the reply there is nothing but
the POST, so a kill can leave only those submits unsure whose POST is on its way, at most ``submits`` of them. Jobs in
flight are many, POST slots are few.

What can go wrong, and what is done:

- 429 on a submit: no job was started; the item waits again and all submits pause, polls go on. 429 on a poll: polls
  pause, submits go on.
- Unsure submits or no connection, BREAKER_FAILURES in a row: pause, then probe with one submit at a time, the pauses
  growing. ``max_unsure`` unsure submits in a run end it; so do MOST_PROBES probes without a reply (the API is down).
- A reply that asks to try again later, and nothing else for BUSY_SECONDS while no job is in flight: the run ends.
- The budget is full: wait until a job in flight is over, for costs replace estimates; if none is in flight, the run
  ends. With a budget, the first job of a model runs alone, and corrects the estimate of the others.
- The token or the balance is refused: nothing more is sent, and the error is raised at the end.
- The lease of a submit ended before its first byte, as after a laptop's sleep: the item waits again.
- `drain` (Ctrl-C, SIGTERM): nothing more is sent, the POSTs on their way are seen to their end, so nothing is unsure;
  jobs in flight run on at RunComfy and are taken up by the next run. `stop` does not wait longer than the submit
  rule's own few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING

from ..api import submit as submitting
from ..api.calls import CoolDown, JobRef, jitter
from ..errors import (
    APIError,
    AuthenticationError,
    InsufficientBalanceError,
    InvalidInputError,
    JournalError,
    PermissionDeniedError,
    RateLimitError,
    SubmissionUnknownError,
    TransportError,
)
from ..journal.base import LostLeaseError
from ..transport.hooks import log
from .flight import Flight, job_of
from .items import FETCHING, REFUSED, RUNNING, WAITING, Ending, Held
from .store import BEFORE_ALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..api.calls import Session
    from ..journal.sql import Row
    from ..journal.writer import JournalWriter
    from ..transport.async_driver import AsyncDriver
    from .items import Item
    from .limits import Limits
    from .results import Results
    from .store import BatchStore

BREAKER_FAILURES = 3
MOST_PROBES = 8
# As long as no submit of the run got a reply: then most likely the address or the network is wrong.
FIRST_PROBES = 2
FIRST_PROBE = 1.0
LONGEST_PROBE = 30.0
BUSY_SECONDS = 600.0
# Seconds that an intent waits for a commit that it can share. Syncs of the disk cost most of a job's processor time.
INTENT_WAITS = 0.003
# Seconds that a drain waits for fetches under way.
FETCH_GRACE = 5.0


class Engine:
    """One run of a batch.

    ended: called with each item that ended. stopped: why the run ended before all was done, None if it did
    not: interrupted, budget, paused, failures, unsure, busy, disk, access, unreachable, journal, error. error: what to
    raise for that. only: keys; other items that wait are left alone.
    """

    def __init__(
        self,
        session: Session,
        driver: AsyncDriver,
        store: BatchStore,
        writer: JournalWriter,
        results: Results,
        limits: Limits,
        ended: Callable[[Row], None],
        only: frozenset[str] | None = None,
    ) -> None:
        config = session.config._replace(max_retries=0)  # a retry would wait after the intent
        self._submit_session = session._replace(config=config, journal=writer, cool_down=CoolDown())
        self._driver = driver
        self._store = store
        self._writes = writer.writes
        writer.intent_waits, writer.on_reply = INTENT_WAITS, self._replied
        self._results = results
        self._limits = limits
        self._ended = ended
        self._only = only
        self.stopped: str | None = None
        self.error: BaseException | None = None
        self._waiting: deque[Item] = deque()
        self._cursor = BEFORE_ALL
        self._jobs: dict[int, asyncio.Task[None]] = {}
        self._posts: dict[int, asyncio.Task[None]] = {}
        # The job_keys of POSTs without a reply: those hold a slot.
        self._unanswered: set[str | None] = set()
        self._changed = asyncio.Event()
        self._breaker = Breaker()
        self._next_post = 0.0
        self._unsure = 0
        # Since when the API asks to try again later, while no job is in flight.
        self._busy_since: float | None = None
        self._trials: dict[str, int] = {}
        self._fetch_grace = FETCH_GRACE
        self._flight = Flight(
            *(session, driver, store, writer.writes, results, limits), lambda: len(self._jobs), ended, self._stop
        )

    def drain(self) -> None:
        """Send nothing more, see the POSTs on their way to their end, and return."""
        self._flight.draining = True
        self._stop("interrupted")

    def stop(self) -> None:
        """Do not wait for the POSTs on their way any longer than their grace."""
        self.drain()
        self._fetch_grace = 0.0
        for task in self._posts.values():
            task.cancel()

    async def run(self) -> None:
        """Work until all is done, or something ends the run."""
        await asyncio.to_thread(self._flight.prepare)
        self._resume()
        feeder = asyncio.ensure_future(self._feed())
        feeder.add_done_callback(lambda _: self._changed.set())
        try:
            while (self._posts or self._jobs or not feeder.done()) and not self._flight.draining:
                await self._change()
            while self._posts:
                await asyncio.wait(list(self._posts.values()))
            if self._flight.fetches:
                await asyncio.wait([self._jobs[item_id] for item_id in self._flight.fetches], timeout=self._fetch_grace)
            if feeder.done() and (error := feeder.exception()) is not None:
                raise error
            if not self._flight.draining and self.error is None:
                await self._flight.ask_late_costs()
        finally:
            feeder.cancel()
            for task in (*self._posts.values(), *self._jobs.values()):
                task.cancel()
            await asyncio.gather(feeder, *self._posts.values(), *self._jobs.values(), return_exceptions=True)
            await asyncio.wrap_future(self._writes.begin(self._results.finish))

    def _resume(self) -> None:
        """First what is paid already, for addresses of results expire."""
        for state in (FETCHING, RUNNING):
            for item in self._store.all_items(state):
                self._follow(item)

    def _stop(self, reason: str, error: BaseException | None = None) -> None:
        if self.stopped is None:
            self.stopped, self.error = reason, error
        self._changed.set()

    # Sending.

    async def _feed(self) -> None:
        while self.stopped is None:
            item = await self._next_item()
            if item is None:
                if not self._posts:
                    return
                await self._change()  # a POST on its way may come back to wait again
                continue
            if not await self._may_send(item):
                self._waiting.appendleft(item)
                return
            self._trials[item.model_id] = self._trials.get(item.model_id, 0) + 1
            self._unanswered.add(item.job_key)
            self._posts[item.id] = asyncio.ensure_future(self._post(item))

    async def _next_item(self) -> Item | None:
        while not self._waiting:
            page = await asyncio.to_thread(self._store.items, WAITING, self._cursor)
            if not page:
                break
            self._cursor = page[-1].number
            self._waiting.extend(item for item in page if self._only is None or item.key in self._only)
        return self._waiting.popleft() if self._waiting else None

    async def _may_send(self, item: Item) -> bool:
        """Wait for everything that a POST may have to wait for; False if the run ends meanwhile."""
        while self.stopped is None:
            if len(self._unanswered) >= self._limits.submits or (
                len(self._posts) + len(self._jobs) >= self._limits.concurrency
            ):
                await self._change()
            elif self._breaker.failures >= BREAKER_FAILURES and self._posts:
                await self._change()  # one probe at a time
            elif self._must_run_alone(item.model_id):
                await self._change()
            elif (pause := self._pause()) > 0:
                await self._change(pause)
            else:
                break
        if self.stopped is not None:
            return False
        if self._limits.rate:
            self._next_post = max(time.monotonic(), self._next_post) + 1 / self._limits.rate
        return True

    def _pause(self) -> float:
        """Seconds until breaker, cool-down and rate let the next POST through."""
        rate = self._next_post - time.monotonic()
        return max(self._breaker.left(), self._submit_session.cool_down.left(), rate)

    def _must_run_alone(self, model_id: str) -> bool:
        return (
            self._limits.budget is not None and model_id not in self._flight.tried and self._trials.get(model_id, 0) > 0
        )

    async def _change(self, seconds: float | None = None) -> None:
        """Until something ends, or so many seconds are over."""
        self._changed.clear()
        if seconds is None:
            await self._changed.wait()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    def _replied(self, job_key: str | None) -> None:
        """A slot is free as soon as an id is known: the next intent is written after it, mostly in the same commit."""
        self._unanswered.discard(job_key)
        self._changed.set()

    async def _post(self, item: Item) -> None:
        job: JobRef | None = None
        try:
            job = await self._submitted(item)
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - a defect must end the run, and not a task that nobody looks at
            self._stop("error", error)
        finally:
            del self._posts[item.id]
            self._unanswered.discard(item.job_key)
            if job is None:
                self._untry(item.model_id)
                if item not in self._waiting:
                    self._let_go(item)
            self._changed.set()
        if job is not None:
            item = item._replace(request_id=job.request_id, submitted_at=job.submitted_at, state=RUNNING)
            self._follow(item, job._replace(job_key=item.key))

    async def _submitted(self, item: Item) -> JobRef | None:
        """Send the POST. None if there is no job; then all that follows from that is done."""
        try:
            payload = await asyncio.to_thread(self._store.input_of, item) if item.media else self._store.input_of(item)
            operation = submitting.submit(self._submit_session, item.model_id, payload, {"job_key": item.job_key})
            job = await self._driver.run(operation)
        except Held as error:
            await self._held(item, error)
        except SubmissionUnknownError as error:
            self._unsure += 1
            self._breaker.had_reply = True
            log.info("%s: %s", item.key, error.message)  # the item that ends says so
            self._breaker.failed()
            self._ended(await asyncio.to_thread(self._store.item, item.id))
            if self._unsure >= self._limits.max_unsure:
                self._stop("unsure")
        except RateLimitError as error:
            self._breaker.had_reply = True
            self._waiting.appendleft(item)
            self._note_busy(error)
        except (AuthenticationError, InsufficientBalanceError, PermissionDeniedError) as error:
            self._stop("access", error)
        except (InvalidInputError, APIError) as error:
            if isinstance(error, APIError) and error.retryable:
                self._waiting.appendleft(item)
                self._breaker.failed()
                self._note_busy(error)
            else:
                self._breaker.succeeded()
                await self._flight.over(item, Ending(item, REFUSED, error=str(error)))
        except TransportError as error:
            self._waiting.appendleft(item)
            self._breaker.failed()
            probes = MOST_PROBES if self._breaker.had_reply else FIRST_PROBES
            if self._breaker.failures >= BREAKER_FAILURES + probes:
                self._stop("unreachable", error)
        except LostLeaseError:
            self._waiting.appendleft(item)
        except JournalError as error:
            self._stop("journal", error)
        else:
            self._breaker.succeeded()
            return job
        return None

    def _note_busy(self, error: APIError) -> None:
        """The API asks to try again later. It may mean the jobs in flight, so that only their end makes room."""
        if self._jobs:
            return
        if self._busy_since is None:
            self._busy_since = time.monotonic()
            log.warning("RunComfy takes no job now; the batch tries again for some minutes. %s", error)
        elif time.monotonic() - self._busy_since > BUSY_SECONDS:
            self._stop("busy")

    async def _held(self, item: Item, error: Held) -> None:
        """The gate was shut."""
        match error.reason:
            case "taken":
                pass
            case "changed":
                await self._flight.over(item, Ending(item, REFUSED, error=error.message))
            case "paused":
                self._stop("paused")
            case "unpriced":
                self._stop("budget", error)
            case _:  # full or budget: what is in flight may make room
                self._waiting.appendleft(item)
                if self._jobs or len(self._posts) > 1:
                    self._next_post = time.monotonic() + 0.2
                elif error.reason == "budget":
                    self._stop("budget")

    # Jobs in flight.

    def _follow(self, item: Item, job: JobRef | None = None) -> None:
        """job: the item's job, where it is at hand."""
        self._busy_since = None
        task = asyncio.ensure_future(self._watched(item, job))
        self._jobs[item.id] = task

    async def _watched(self, item: Item, job: JobRef | None) -> None:
        try:
            await self._flight.see_to_end(item, job or job_of(item))
        except (AuthenticationError, PermissionDeniedError) as error:
            self._stop("access", error)
        except JournalError as error:
            self._stop("journal", error)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect must end the run, and not a task that nobody looks at
            self._stop("error", error)
        finally:
            del self._jobs[item.id]
            self._flight.fetches.discard(item.id)
            self._untry(item.model_id)
            self._let_go(item)
            self._changed.set()

    def _let_go(self, item: Item) -> None:
        """This run has nothing more to do with the item."""

    def _untry(self, model_id: str) -> None:
        self._trials[model_id] = max(self._trials.get(model_id, 0) - 1, 0)


class Breaker:
    """How many submits in a row brought no usable reply, and when the next one may be tried."""

    def __init__(self) -> None:
        self.failures = 0
        self.had_reply = False
        self._until = 0.0

    def failed(self) -> None:
        self.failures += 1
        if (probes := self.failures - BREAKER_FAILURES) >= 0:
            self._until = time.monotonic() + jitter(min(FIRST_PROBE * 2.0 ** min(probes, 10), LONGEST_PROBE))

    def succeeded(self) -> None:
        self.had_reply = True
        self.failures = 0
        self._until = 0.0

    def left(self) -> float:
        return max(self._until - time.monotonic(), 0.0)
