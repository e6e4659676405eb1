"""The queue: procrastinate, behind this one adapter. Its rows hold item numbers and nothing else.

What the queue does not do by itself, and what is done about it:

- A worker ends when the database goes away for a moment: here it waits.
- A worker that dies leaves its rows `doing`: `take_up_stalled` gives them to others, by the queue's own heartbeat.
- A row can be `doing` for a worker that does not work on it, because the reply that would have said so was lost:
  `release_stuck` compares them with what is really worked on.
- A handler is cancelled when its worker ends: what a handler runs is shielded, and delivered again by need.
- A worker fetches rows for as long as it has free slots: here only as many as it can send soon, so that others have
  them, and that slots are left for jobs that are paid already. Those stand in a queue of their own, and come first.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import hashlib
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, ProcrastinateException
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.schema import SchemaManager
from procrastinate.worker import Worker

from ...journal.base import LEASE_SECONDS
from ...journal.postgres import LostDatabaseError
from ...transport.hooks import log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable

    from procrastinate.job_context import JobContext
    from procrastinate.jobs import Job, Status

T = TypeVar("T")

TASK = "runcomfy"
POLL_SECONDS = 1.0
# How long a worker waits for a database that has gone away.
OUTAGE_SECONDS = 600.0
# For the store: the items in the queue, how many of them wait there, and what a worker is believed to work on.
QUEUED_ITEMS = "SELECT CAST(queueing_lock AS BIGINT) AS item FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
TODO_ROWS = "SELECT count(*) AS number FROM procrastinate_jobs WHERE status = 'todo'"
STUCK_ROWS = "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = ?"


def queue_tables() -> str:
    """The statements that make the queue's tables."""
    return str(SchemaManager.get_schema())


class GivenBack(Exception):
    """The item was not finished here."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"to be taken up in {seconds:g} s")
        self.seconds = seconds


class _Later(BaseRetryStrategy):
    """An item that is given back is delivered again; what its handler raises otherwise is a defect.

    paid: the queue of what may be paid already.
    """

    def __init__(self, paid: str) -> None:
        self._paid = paid

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        seconds = exception.seconds if isinstance(exception, GivenBack) else LEASE_SECONDS
        at = _at_once() if seconds <= 0 else _now() + datetime.timedelta(seconds=seconds)
        return RetryDecision(retry_at=at, priority=1, queue=self._paid)


class _PatientManager(JobManager):
    """Waits for a database that has gone away, where the queue's own worker would end.

    has_room: whether more may be fetched than what is paid already. paid: the queue of that. room: set when there is
    room again. stopping: nothing is fetched any more.
    """

    def __init__(self, connector: PsycopgConnector, paid: str) -> None:
        super().__init__(connector)
        self.has_room: Callable[[], bool] = lambda: True
        self.room = asyncio.Event()
        self.stopping = False
        self._paid = paid

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        try:
            while not self.stopping:
                if self.has_room():
                    return await super().fetch_job(queues, worker_id)
                if (job := await super().fetch_job([self._paid], worker_id)) is not None:
                    return job
                await self._wait_for_room()
        except ConnectorException as error:
            log.warning("The queue cannot be asked for jobs: %s", error)
            await asyncio.sleep(POLL_SECONDS)
        return None

    async def _wait_for_room(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                while not (self.stopping or self.has_room()):
                    self.room.clear()
                    await self.room.wait()

    async def prune_stalled_workers(self, seconds_since_heartbeat: float) -> list[int]:
        prune = super().prune_stalled_workers
        return await self._until_it_works(lambda: prune(seconds_since_heartbeat))

    async def register_worker(self) -> int:
        return await self._until_it_works(super().register_worker)

    async def _until_it_works(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await ask()
            except ConnectorException as error:
                if self.stopping:
                    raise
                log.warning("The queue cannot be joined yet: %s", error)
                await asyncio.sleep(POLL_SECONDS)

    async def update_heartbeat(self, worker_id: int) -> None:
        with contextlib.suppress(ConnectorException):
            await super().update_heartbeat(worker_id)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        # A row that is not `doing` any more was given to another worker meanwhile, and is that one's to finish.
        with contextlib.suppress(ProcrastinateException):
            await super().finish_job(job, status, delete_job)

    async def retry_job(self, job: Job, *arguments: Any, **options: Any) -> None:
        with contextlib.suppress(ProcrastinateException):
            await super().retry_job(job, *arguments, **options)

    async def listen_for_jobs(self, **options: Any) -> None:
        while True:
            try:
                await super().listen_for_jobs(**options)
            except ConnectorException:
                await asyncio.sleep(POLL_SECONDS)


class Queue:
    """The queue of one batch, as one worker uses it. conninfo, schema: where its tables are."""

    def __init__(self, conninfo: str, schema: str) -> None:
        async def configure(connection: psycopg.AsyncConnection[Any]) -> None:
            await connection.execute(f'SET search_path TO "{schema}"')
            await connection.commit()

        # A part of the name of a channel for notifications, of which PostgreSQL takes 63 characters.
        self._name = hashlib.sha256(schema.encode()).hexdigest()[:16]
        self._paid = f"{self._name}-paid"
        self._connector = PsycopgConnector(
            conninfo=conninfo, configure=configure, min_size=1, max_size=2, reconnect_timeout=OUTAGE_SECONDS
        )
        self._app = App(connector=self._connector)
        self._app.job_manager = self._manager = _PatientManager(self._connector, self._paid)
        self._worker: Worker | None = None
        self._running: set[int] = set()
        self._suspects: set[int] = set()

    async def open(self) -> None:
        """Raises LostDatabaseError if the database cannot be reached for half a minute."""
        try:
            await self._app.open_async()
        except (ConnectorException, psycopg.OperationalError) as error:
            raise LostDatabaseError(f"The queue of the batch cannot be reached: {error}") from None

    async def close(self) -> None:
        await self._app.close_async()

    async def put(self, items: Iterable[int], *, paid: bool = False) -> None:
        """Put items into the queue, none of which is there. paid: jobs that were started, which come first."""
        jobs = [
            self._app.configure_task(
                TASK,
                queue=self._paid if paid else self._name,
                priority=int(paid),
                queueing_lock=str(item),
                task_kwargs={"item": item},
                allow_unknown=True,
            ).job
            for item in items
        ]
        if jobs:
            with contextlib.suppress(AlreadyEnqueued):  # another worker was quicker; what is missing comes next time
                await self._manager.batch_defer_jobs_async(jobs)

    async def work(
        self, handle: Callable[[int], Awaitable[float | None]], concurrency: int, has_room: Callable[[], bool]
    ) -> None:
        """Hand out items until ``stop``. ``handle`` returns None when an item is over, or in how many seconds it is to
        be delivered again, to whoever is free. has_room: whether items that are not paid yet are wanted; call ``wake``
        when that changes.
        """
        self._manager.has_room = has_room

        async def run(context: JobContext, item: int) -> None:
            assert context.job.id is not None
            self._running.add(context.job.id)
            try:
                seconds = await asyncio.shield(asyncio.ensure_future(handle(item)))
            finally:
                self._running.discard(context.job.id)
            if seconds is not None:
                raise GivenBack(seconds)

        self._app.task(name=TASK, queue=self._name, pass_context=True, retry=_Later(self._paid))(run)
        self._worker = Worker(
            self._app,
            queues=[self._paid, self._name],
            concurrency=concurrency,
            fetch_job_polling_interval=POLL_SECONDS,
            install_signal_handlers=False,
            delete_jobs="always",
            update_heartbeat_interval=LEASE_SECONDS / 3,
            stalled_worker_timeout=LEASE_SECONDS * 4,
        )
        await self._worker.run()  # type: ignore[no-untyped-call]

    def stop(self) -> None:
        """Hand out nothing more; ``work`` returns when the handlers have."""
        self._manager.stopping = True
        self.wake()
        if self._worker is not None:
            self._worker.stop()  # type: ignore[no-untyped-call]

    def wake(self) -> None:
        """There may be room again."""
        self._manager.room.set()

    @property
    def worker_id(self) -> int | None:
        return self._worker.worker_id if self._worker is not None else None

    async def take_up_stalled(self) -> int:
        """Let others have the rows of workers that gave no sign of life for the length of a lease. Returns how many."""
        stalled = list(await self._manager.get_stalled_jobs(seconds_since_heartbeat=LEASE_SECONDS))
        return await self._release(job.id for job in stalled if job.id is not None)

    async def release_stuck(self, believed: Collection[int]) -> int:
        """Let rows go that the queue believes this worker works on, and that it was twice seen not to."""
        suspects = set(believed) - self._running
        stuck, self._suspects = suspects & self._suspects, suspects
        return await self._release(stuck)

    async def _release(self, rows: Iterable[int]) -> int:
        number = 0
        for row in rows:
            with contextlib.suppress(ProcrastinateException):  # another worker was quicker
                await self._manager.retry_job_by_id_async(row, retry_at=_at_once(), priority=1, queue=self._paid)
                number += 1
        return number


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _at_once() -> datetime.datetime:
    """A time that is over by any machine's clock."""
    return datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
