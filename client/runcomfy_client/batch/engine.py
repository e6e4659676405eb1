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
- The budget is full: wait until a job in flight is over, for costs replace estimates; if none is in flight, the run
  ends. With a budget, the first job of a model runs alone, and corrects the estimate of the others.
- The token or the balance is refused: nothing more is sent, and the error is raised at the end.
- A poll fails for long: the job stays in flight, for it is paid. If no poll at all got a reply for GIVE_UP_SECONDS, the
  run ends.
- Files cannot be fetched: the result is read again, for its addresses expire, and the fetch is repeated; then the item
  stays `fetching`, and the next run goes on there. Where the file's host says that there is no such file, it is
  `expired`.
- A cost is not known yet when its job ends: it is asked for at the end of the run, and of each later one.
- The lease of a submit ended before its first byte, as after a laptop's sleep: the item waits again.
- `drain` (Ctrl-C, SIGTERM): nothing more is sent, the POSTs on their way are seen to their end, so nothing is unsure;
  jobs in flight run on at RunComfy and are taken up by the next run. `stop` does not wait longer than the submit
  rule's own few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from ..api import poll as polling
from ..api import submit as submitting
from ..api.arguments import limits_of
from ..api.calls import CoolDown, JobRef, backoff, is_transient, jitter, now
from ..api.download import Folder, download, prepare
from ..api.file_names import NameTemplate, facts_of
from ..api.outcomes import cost_in, read_success
from ..api.payload import urls_in
from ..api.replies import failure_in
from ..api.values import LARGEST
from ..errors import (
    APIError,
    AuthenticationError,
    DownloadError,
    InsufficientBalanceError,
    InvalidInputError,
    JobCancelledError,
    JobError,
    JournalError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RunComfyError,
    SubmissionUnknownError,
    TransportError,
)
from ..journal.base import LostLeaseError
from ..transport.hooks import log
from .items import DONE, EXPIRED, FAILED, FETCHING, REFUSED, RUNNING, WAITING, Ending, Held

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..api.calls import Session
    from ..api.values import PollState
    from ..journal.sql import Row
    from ..journal.writer import JournalWriter
    from ..transport.async_driver import AsyncDriver
    from .items import Item
    from .limits import Limits
    from .store import BatchStore

FILE_NAME = "{job_key}-{index}{suffix}"
# Requests at once, so that a POST never waits for a connection after its intent was written.
MOST_POLLS = 32
MOST_FETCHES = 8
# All jobs in flight together are polled no more often than this.
POLLS_A_SECOND = 25.0
BREAKER_FAILURES = 3
MOST_PROBES = 8
# As long as no submit of the run got a reply: then most likely the address or the network is wrong.
FIRST_PROBES = 2
FIRST_PROBE = 1.0
LONGEST_PROBE = 30.0
GIVE_UP_SECONDS = 300.0
FETCH_TRIES = 4
# With these a host says that a file is not there any more.
FILE_IS_GONE = frozenset({403, 404, 410})
# So many costs are asked for at once; where none of them is known, no more are asked for.
LATE_COSTS = 20
# Seconds that an ending waits for a commit that it can share: it is no loss, for the next run would find it again.
ENDING_WAITS = 0.05
# Seconds that a drain waits for fetches under way.
FETCH_GRACE = 5.0


class Results(Protocol):
    """What follows the store while a batch runs."""

    def repair(self) -> None: ...

    def catch_up(self) -> None: ...

    def finish(self) -> None: ...

    def close(self) -> None: ...


class Engine:
    """One run of a batch.

    ended: called with each item that ended. stopped: why the run ended before all was done, None if it did
    not: interrupted, budget, paused, failures, unsure, access, unreachable, journal, error. error: what to raise for
    that. only: keys; other items that wait are left alone.
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
        self._poll_session = session._replace(journal=None, cool_down=CoolDown())
        self._driver = driver
        self._store = store
        self._writes = writer.writes
        self._results = results
        self._limits = limits
        self._ended = ended
        self._only = only
        self.stopped: str | None = None
        self.error: BaseException | None = None
        self._waiting: deque[Item] = deque()
        self._cursor = -(2**62)
        self._jobs: dict[int, asyncio.Task[None]] = {}
        self._posts: dict[int, asyncio.Task[None]] = {}
        self._fetches: set[int] = set()
        self._changed = asyncio.Event()
        self._breaker = Breaker()
        self._next_post = 0.0
        self._failures = self._unsure = 0
        self._trials: dict[str, int] = {}
        self._tried: set[str] = set()
        self._poll_slots = asyncio.Semaphore(min(MOST_POLLS, max(session.config.max_connections // 2, 1)))
        self._fetch_slots = asyncio.Semaphore(MOST_FETCHES)
        self._fetch_grace = FETCH_GRACE
        self._last_reply = time.monotonic()
        self._names: frozenset[str] = frozenset()
        self._template = NameTemplate(FILE_NAME)
        self._draining = False

    def drain(self) -> None:
        """Send nothing more, see the POSTs on their way to their end, and return."""
        self._draining = True
        self._stop("interrupted")

    def stop(self) -> None:
        """Do not wait for the POSTs on their way any longer than their grace."""
        self.drain()
        self._fetch_grace = 0.0
        for task in self._posts.values():
            task.cancel()

    async def run(self) -> None:
        """Work until all is done, or something ends the run."""
        await asyncio.to_thread(self._prepare)
        self._resume()
        feeder = asyncio.ensure_future(self._feed())
        feeder.add_done_callback(lambda _: self._changed.set())
        try:
            while (self._posts or self._jobs or not feeder.done()) and not self._draining:
                await self._change()
            while self._posts:
                await asyncio.wait(list(self._posts.values()))
            if self._fetches:
                await asyncio.wait([self._jobs[each] for each in self._fetches], timeout=self._fetch_grace)
            if feeder.done() and (error := feeder.exception()) is not None:
                raise error
            if not self._draining and self.error is None:
                await self._ask_late_costs()
        finally:
            feeder.cancel()
            for task in (*self._posts.values(), *self._jobs.values()):
                task.cancel()
            await asyncio.gather(feeder, *self._posts.values(), *self._jobs.values(), return_exceptions=True)
            await asyncio.wrap_future(self._writes.begin(self._results.finish))

    def _resume(self) -> None:
        """First what is paid already, for addresses of results expire."""
        for state in (FETCHING, RUNNING):
            after = -(2**62)
            while page := self._store.items(state, after):
                for item in page:
                    self._follow(item)
                after = page[-1].number

    def _prepare(self) -> None:
        self._tried = self._store.tried_models()
        if self._limits.download:
            self._names = prepare(self._store.folder / "files")

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
            if len(self._posts) >= self._limits.submits or (
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
        return self._limits.budget is not None and model_id not in self._tried and self._trials.get(model_id, 0) > 0

    async def _change(self, seconds: float | None = None) -> None:
        """Until something ends, or so many seconds are over."""
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

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
            if job is None:
                self._untry(item.model_id)
                if item not in self._waiting:
                    self._let_go(item)
            self._changed.set()
        if job is not None:
            self._follow(item._replace(request_id=job.request_id, submitted_at=job.submitted_at, state=RUNNING))

    async def _submitted(self, item: Item) -> JobRef | None:
        """Send the POST. None if there is no job; then all that follows from that is done."""
        try:
            given = await asyncio.to_thread(self._store.input_of, item) if item.media else self._store.input_of(item)
            operation = submitting.submit(self._submit_session, item.model_id, given, {"job_key": item.job_key})
            job = await self._driver.run(operation)
        except Held as error:
            await self._held(item, error)
        except SubmissionUnknownError as error:
            self._unsure += 1
            self._breaker.had_reply = True
            log.warning("%s: %s", item.key, error.message)
            self._breaker.failed()
            self._ended(await asyncio.to_thread(self._store.item, item.id))
            if self._unsure >= self._limits.max_unsure:
                self._stop("unsure")
        except RateLimitError:
            self._breaker.had_reply = True
            self._waiting.appendleft(item)
        except (AuthenticationError, InsufficientBalanceError, PermissionDeniedError) as error:
            self._stop("access", error)
        except (InvalidInputError, APIError) as error:
            if isinstance(error, APIError) and error.retryable:
                self._waiting.appendleft(item)
                self._breaker.failed()
            else:
                self._breaker.succeeded()
                await self._over(item, Ending(item.id, REFUSED, error=str(error)))
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

    async def _held(self, item: Item, error: Held) -> None:
        """The gate was shut."""
        match error.reason:
            case "taken":
                pass
            case "changed":
                await self._over(item, Ending(item.id, REFUSED, error=error.message))
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

    def _follow(self, item: Item) -> None:
        task = asyncio.ensure_future(self._watched(item))
        self._jobs[item.id] = task

    async def _watched(self, item: Item) -> None:
        try:
            await self._job(item)
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
            self._fetches.discard(item.id)
            self._untry(item.model_id)
            self._let_go(item)
            self._changed.set()

    def _let_go(self, item: Item) -> None:
        """This run has nothing more to do with the item."""

    def _untry(self, model_id: str) -> None:
        self._trials[model_id] = max(self._trials.get(model_id, 0) - 1, 0)

    async def _job(self, item: Item) -> None:
        assert item.request_id is not None
        given = json.loads(item.input)
        ref = JobRef(item.request_id, item.model_id, item.submitted_at, given, urls_in(given), item.key)
        try:
            body = await self._outcome(ref)
            if body is None:
                return  # it runs on; the next run takes it up
            await self._settled(item, ref, body)
        except NotFoundError as error:
            await self._over(item, Ending(item.id, EXPIRED, "failed", error=str(error)))
        except (TransportError, APIError) as error:
            if isinstance(error, (AuthenticationError, PermissionDeniedError)):
                raise
            log.warning("%s: %s The next run takes the job up again.", item.key, error)

    async def _outcome(self, ref: JobRef) -> dict[str, object] | None:
        """The last reply of a job; None if it took longer than ``timeout``."""
        state: PollState | None = None
        while True:
            try:
                async with self._poll_slots:
                    found = await self._driver.run(polling.poll_once(self._poll_session, ref, state))
            except (TransportError, APIError) as error:
                if not is_transient(error):
                    raise
                if time.monotonic() - self._last_reply > GIVE_UP_SECONDS:
                    self._stop("unreachable", error)
                    raise
                await asyncio.sleep(jitter(LONGEST_PROBE))
                state = None
                continue
            state = found.state
            if found.miss is None:
                self._last_reply = time.monotonic()
            elif time.monotonic() - self._last_reply > GIVE_UP_SECONDS:
                self._stop("unreachable", found.miss)
                raise found.miss
            if state.over and found.update is not None:
                return found.update.raw
            if self._is_late(ref):
                log.warning("%s: not over after %g s; the next run goes on.", ref.job_key, self._limits.timeout)
                return None
            await asyncio.sleep(max(found.pause, jitter(len(self._jobs) / POLLS_A_SECOND)))

    def _is_late(self, ref: JobRef) -> bool:
        timeout = self._limits.timeout
        return timeout is not None and ref.submitted_at is not None and now() - ref.submitted_at > timeout

    async def _settled(self, item: Item, ref: JobRef, body: dict[str, object]) -> None:
        try:
            polling.successful_result(ref, body)
        except JobError as error:
            cancelled = isinstance(error, JobCancelledError)
            reason = failure_in(body) or ("cancelled" if cancelled else "the API gives no reason")
            job_state = "cancelled" if cancelled else "failed"
            await self._over(item, Ending(item.id, FAILED, job_state, cost_in(body), error=reason))
            return
        found = read_success(self._poll_session, ref, body)
        urls = [file.url for file in found.files]
        if not self._limits.download or not found.files:
            await self._over(item, Ending(item.id, DONE, "completed", found.cost, files=urls, urls=urls))
            return
        await self._write(Ending(item.id, FETCHING, "completed", found.cost, urls=urls))
        self._tried.add(item.model_id)
        await self._fetched(item, ref, body)

    async def _fetched(self, item: Item, ref: JobRef, body: dict[str, object]) -> None:
        for tries in range(1, FETCH_TRIES + 1):
            found = read_success(self._poll_session, ref, body)
            folder = Folder(
                path=self._store.folder / "files",
                template=self._template,
                facts=facts_of(ref, item.model_id, body),
                overwrite=False,
                sidecar=True,
                names=self._names,
            )
            limits = limits_of((), LARGEST, None)
            try:
                async with self._fetch_slots:
                    if self._draining:
                        return
                    self._fetches.add(item.id)
                    operation = download(self._poll_session, ref, found.files, found.cost, folder, limits)
                    paths = await self._driver.run(operation)
            except DownloadError as error:
                self._fetches.discard(item.id)
                log.warning("%s: %s", item.key, error)
                if tries == FETCH_TRIES and error.status_code in FILE_IS_GONE:
                    names = [path.relative_to(self._store.folder).as_posix() for path in error.saved]
                    reason = f"a file of its result is gone: HTTP {error.status_code}"
                    await self._over(item, Ending(item.id, EXPIRED, files=names, error=reason))
                    return
                if tries == FETCH_TRIES:
                    await self._write(Ending(item.id, FETCHING, error=error.message))
                    return
            else:
                names = [path.relative_to(self._store.folder).as_posix() for path in paths]
                await self._over(item, Ending(item.id, DONE, files=names))
                return
            await asyncio.sleep(backoff(tries + 1))
            with contextlib.suppress(JobError):  # then the addresses of the first reply must do
                async with self._poll_slots:
                    body = await self._driver.run(polling.result(self._poll_session, ref))

    async def _ask_late_costs(self) -> None:
        """RunComfy may know what a job cost only after its end."""
        costs: dict[int, float] = {}
        after = -(2**62)
        while page := await asyncio.to_thread(self._store.without_cost, after, LATE_COSTS):
            found = await asyncio.gather(*map(self._late_cost, page))
            costs |= {item.id: cost for item, cost in zip(page, found, strict=True) if cost is not None}
            if found.count(None) == len(found):
                break
            after = page[-1].number
        if costs:
            note = self._writes.begin(lambda: self._store.note_costs(costs), then=self._results.repair)
            await asyncio.wrap_future(note)

    async def _late_cost(self, item: Item) -> float | None:
        assert item.request_id is not None
        ref = JobRef(item.request_id, item.model_id, item.submitted_at, None, frozenset(), item.key)
        try:
            async with self._poll_slots:
                return cost_in(await self._driver.run(polling.result(self._poll_session, ref)))
        except RunComfyError as error:
            log.info("%s: its cost is not known: %s", item.key, error)
            return None

    async def _write(self, ending: Ending) -> Row:
        """Write it down. Returns the item when it is on disk and in results.jsonl; cancellation takes nothing back."""
        written = self._writes.begin(lambda: self._store.end(ending), then=self._results.catch_up, within=ENDING_WAITS)
        return await asyncio.shield(asyncio.wrap_future(written))

    async def _over(self, item: Item, ending: Ending) -> None:
        row = await self._write(ending)
        if ending.job_state is not None and (ending.job_state == "completed" or ending.cost is not None):
            self._tried.add(item.model_id)
        self._ended(row)
        if ending.state in (FAILED, REFUSED):
            self._failures += 1
            if self._limits.max_failures is not None and self._failures > self._limits.max_failures:
                self._stop("failures")


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
