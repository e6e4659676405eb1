"""The jobs of a batch that are in flight: polled, fetched, and written down as they end.

- A poll fails for long: the job stays in flight, for it is paid. If no poll at all got a reply for GIVE_UP_SECONDS, the
  run ends.
- Files cannot be fetched: the result is read again, for its addresses expire, and the fetch is repeated; then the item
  stays `fetching`, and the next run goes on there. Where the file's host says that there is no such file, it is
  `expired`.
- Files cannot be written: the run ends; its jobs stay `fetching`, and so do others that end meanwhile.
- A cost is not known yet when its job ends: it is asked for at the end of the run, and of each later one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from logging import INFO, WARNING
from typing import TYPE_CHECKING

from ..api import poll as polling
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
    JobCancelledError,
    JobError,
    NotFoundError,
    PermissionDeniedError,
    RunComfyError,
    TransportError,
)
from ..transport.hooks import log
from .items import DONE, EXPIRED, FAILED, FETCHING, REFUSED, Ending
from .store import BEFORE_ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ..api.calls import Session
    from ..api.values import PollState
    from ..journal.sql import Row
    from ..journal.writer import WriteQueue
    from ..transport.async_driver import AsyncDriver
    from .items import Item
    from .limits import Limits
    from .results import Results
    from .store import BatchStore

# Requests at once, so that a POST never waits for a connection after its intent was written.
MOST_POLLS = 32
MOST_FETCHES = 8
# All jobs in flight together are polled no more often than this.
POLLS_A_SECOND = 25.0
# Between polls of a job whose polls fail for long.
LONGEST_PAUSE = 30.0
GIVE_UP_SECONDS = 300.0
FILE_NAME = "{job_key}-{index}{suffix}"
FETCH_TRIES = 4
# With these a host says that a file is not there any more.
FILE_IS_GONE = frozenset({403, 404, 410})
# So many costs are asked for at once; where none of them is known, no more are asked for.
LATE_COSTS = 20
LATE_COST_SECONDS = 10.0
# Seconds that an ending waits for a commit that it can share: it is no loss, for the next run would find it again.
ENDING_WAITS = 0.1


class Flight:
    """The jobs in flight of one run.

    in_flight: how many there are. ended: called with each item that ended. stop: ends the run, for a reason.
    draining: nothing new is begun any more. fetches: the items whose files are on their way. tried: models of which a
    job has ended, so that their estimates are right.
    """

    def __init__(
        self,
        session: Session,
        driver: AsyncDriver,
        store: BatchStore,
        writes: WriteQueue,
        results: Results,
        limits: Limits,
        in_flight: Callable[[], int],
        ended: Callable[[Row], None],
        stop: Callable[[str, BaseException | None], None],
    ) -> None:
        self._session = session._replace(journal=None, cool_down=CoolDown())
        self._driver = driver
        self._store = store
        self._writes = writes
        self._results = results
        self._limits = limits
        self._in_flight = in_flight
        self._ended = ended
        self._stop = stop
        self.draining = False
        self.fetches: set[int] = set()
        self.tried: set[str] = set()
        self._failures = 0
        self._poll_slots = asyncio.Semaphore(min(MOST_POLLS, max(session.config.max_connections // 2, 1)))
        self._fetch_slots = asyncio.Semaphore(MOST_FETCHES)
        self._last_reply = time.monotonic()
        self._names: frozenset[str] = frozenset()
        self._template = NameTemplate(FILE_NAME)

    def prepare(self) -> None:
        """Before the first job; blocks."""
        self.tried = self._store.tried_models()
        if self._limits.download:
            self._names = prepare(self._store.folder / "files")

    async def see_to_end(self, item: Item, ref: JobRef) -> None:
        """Poll the job, fetch its files and write down how it ended. Raises what ends the run."""
        try:
            body = await self._outcome(ref)
            if body is None:
                return  # it runs on; the next run takes it up
            await self._settled(item, ref, body)
        except NotFoundError:
            await self.over(item, Ending(item, EXPIRED, "failed", error="RunComfy does not know the job any more"))
        except (TransportError, APIError) as error:
            if isinstance(error, (AuthenticationError, PermissionDeniedError)):
                raise
            log.warning("%s: %s The next run takes the job up again.", item.key, error)

    async def _outcome(self, ref: JobRef) -> dict[str, object] | None:
        """The last reply of a job; None if it took longer than ``timeout``."""
        state: PollState | None = None
        began = time.monotonic()
        while True:
            try:
                async with self._poll_slots:
                    poll = await self._driver.run(polling.poll_once(self._session, ref, state))
            except (TransportError, APIError) as error:
                if not is_transient(error):
                    raise
                if self._gives_up(began):
                    self._stop("unreachable", error)
                    raise
                await asyncio.sleep(jitter(LONGEST_PAUSE))
                state = None
                continue
            state = poll.state
            if poll.miss is None:
                self._last_reply = time.monotonic()
            elif self._gives_up(began):
                self._stop("unreachable", poll.miss)
                raise poll.miss
            if state.over and poll.update is not None:
                return poll.update.raw
            if self._is_late(ref):
                log.warning("%s: not over after %g s; the next run goes on.", ref.job_key, self._limits.timeout)
                return None
            await asyncio.sleep(max(poll.pause, jitter(self._in_flight() / POLLS_A_SECOND)))

    def _gives_up(self, began: float) -> bool:
        """Whether no poll at all got a reply for so long, since this job is polled."""
        return time.monotonic() - max(self._last_reply, began) > GIVE_UP_SECONDS

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
            await self.over(item, Ending(item, FAILED, job_state, cost_in(body), error=reason))
            return
        success = read_success(self._session, ref, body)
        urls = [file.url for file in success.files]
        if not self._limits.download or not success.files:
            await self.over(item, Ending(item, DONE, "completed", success.cost, files=urls, urls=urls))
            return
        await self._write(Ending(item, FETCHING, "completed", success.cost, urls=urls))
        self.tried.add(item.model_id)
        await self._fetched(item, ref, body)

    async def _fetched(self, item: Item, ref: JobRef, body: dict[str, object]) -> None:
        for tries in range(1, FETCH_TRIES + 1):
            success = read_success(self._session, ref, body)
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
                    if self.draining:
                        return
                    self.fetches.add(item.id)
                    operation = download(self._session, ref, success.files, success.cost, folder, limits)
                    paths = await self._driver.run(operation)
            except DownloadError as error:
                self.fetches.discard(item.id)
                if isinstance(error.__cause__, OSError):  # as on a full disk, where it helps no job to try again
                    self._stop("disk", error)
                    await self._write(Ending(item, FETCHING, error=error.message))
                    return
                log.log(WARNING if tries == FETCH_TRIES else INFO, "%s: %s", item.key, error)
                if tries == FETCH_TRIES and error.status_code in FILE_IS_GONE:
                    reason = f"a file of its result is gone: HTTP {error.status_code}"
                    await self.over(item, Ending(item, EXPIRED, files=self._file_names(error.saved), error=reason))
                    return
                if tries == FETCH_TRIES:
                    await self._write(Ending(item, FETCHING, error=error.message))
                    return
            else:
                await self.over(item, Ending(item, DONE, files=self._file_names(paths)))
                return
            await asyncio.sleep(backoff(tries + 1))
            with contextlib.suppress(JobError, NotFoundError):  # then the addresses of the first reply must do
                async with self._poll_slots:
                    body = await self._driver.run(polling.result(self._session, ref))

    def _file_names(self, paths: Iterable[Path]) -> list[str]:
        """As an item and results.jsonl name them."""
        return [path.relative_to(self._store.folder).as_posix() for path in paths]

    async def ask_late_costs(self) -> None:
        """RunComfy may know what a job cost only after its end."""
        costs: dict[int, float] = {}
        after = BEFORE_ALL
        while page := await asyncio.to_thread(self._store.without_cost, after, LATE_COSTS):
            answers = await asyncio.gather(*map(self._late_cost, page))
            costs |= {item.id: cost for item, cost in zip(page, answers, strict=True) if cost is not None}
            if answers.count(None) == len(answers):
                break
            after = page[-1].number
        if costs:
            note = self._writes.begin(lambda: self._store.note_costs(costs), then=lambda _: self._results.repair())
            await asyncio.wrap_future(note)

    async def _late_cost(self, item: Item) -> float | None:
        assert item.request_id is not None
        ref = JobRef(item.request_id, item.model_id, item.submitted_at, None, frozenset(), item.key)
        try:
            async with self._poll_slots, asyncio.timeout(LATE_COST_SECONDS):
                return cost_in(await self._driver.run(polling.result(self._session, ref)))
        except (RunComfyError, TimeoutError) as error:
            log.info("%s: its cost is not known: %s", item.key, error)
            return None

    async def _write(self, ending: Ending) -> Row:
        """Write it down. Returns the item when it is on disk and in results.jsonl; cancellation takes nothing back."""
        written = self._writes.begin(lambda: self._store.end(ending), then=self._results.add, within=ENDING_WAITS)
        return await asyncio.wrap_future(written)

    async def over(self, item: Item, ending: Ending) -> None:
        """Write down the end of an item, and tell of it."""
        row = await self._write(ending)
        if row["state"] != ending.state:
            return  # another worker was quicker, or it was retried
        if ending.job_state is not None and (ending.job_state == "completed" or ending.cost is not None):
            self.tried.add(item.model_id)
        self._ended(row)
        if ending.state in (FAILED, REFUSED):
            self._failures += 1
            if self._limits.max_failures is not None and self._failures > self._limits.max_failures:
                self._stop("failures", None)


def job_of(item: Item) -> JobRef:
    """The job of an item that was sent."""
    assert item.request_id is not None
    payload = json.loads(item.input)
    return JobRef(item.request_id, item.model_id, item.submitted_at, payload, urls_in(payload), item.key)
