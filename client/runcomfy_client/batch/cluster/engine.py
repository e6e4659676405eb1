"""The engine of a worker: the embedded one, fed by the queue instead of the store.

Each item that the queue delivers is sent, polled and fetched here, or taken up where another worker left it. Beside
that the worker shows that it is alive, from the event loop, so that one whose loop stands still counts as dead; and one
of all workers looks every second for what was left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import time
from typing import TYPE_CHECKING

from ...errors import JournalError
from ...journal.base import LEASE_SECONDS
from ...transport.hooks import log
from ..engine import Engine
from ..items import ENDED, SUBMITTING, WAITING
from .queue import Queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...api.calls import JobRef, Session
    from ...journal.sql import Row
    from ...journal.writer import JournalWriter
    from ...transport.async_driver import AsyncDriver
    from ..items import Held, Item
    from ..limits import Limits
    from ..results import Results
    from .store import ClusterStore

TEND_SECONDS = 1.0
# A gate that is shut for everybody is looked at again after this; an item that another worker is sending, and one that
# could not be finished, is delivered again after those.
LOOK_AGAIN = 0.5
SENT_ELSEWHERE = 2.0
TRY_AGAIN = 15.0
# How long a worker that ends waits for a database that is away. The ids of its jobs are in files then.
DRAIN_OUTAGE_SECONDS = 20.0
# Items that a worker holds before they are sent, besides those being sent: more would keep them from others.
FETCH_AHEAD = 20


class _Handling:
    """An item that the queue has delivered. released: the engine has nothing more to do with it. ended: nor has its
    handler.
    """

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.ended = asyncio.Event()


class ClusterEngine(Engine):
    """One worker of a batch. Arguments as `Engine`; ``stopped`` and ``error`` are those of this worker alone."""

    def __init__(
        self,
        session: Session,
        driver: AsyncDriver,
        store: ClusterStore,
        writer: JournalWriter,
        results: Results,
        limits: Limits,
        ended: Callable[[Row], None],
        only: frozenset[str] | None = None,
    ) -> None:
        local = dataclasses.replace(limits, rate=None)  # the rate is the store's, for all workers
        super().__init__(session, driver, store, writer, results, local, ended, only)
        self._shared = store
        self._worker = writer.owner
        self._queue = Queue(store.address.conninfo, store.schema)
        self._handled: dict[int, _Handling] = {}
        self._ahead = FETCH_AHEAD + limits.submits
        self._complete = False
        self._next_heartbeat = 0.0

    async def run(self) -> None:
        await asyncio.to_thread(self._shared.heartbeat, self._worker, 0)
        await self._queue.open()
        slots = self._limits.concurrency + self._ahead
        handing = asyncio.ensure_future(self._queue.work(self._handle, slots, self._has_room))
        tending = asyncio.ensure_future(self._tend())
        handing.add_done_callback(self._queue_ended)
        try:
            await super().run()
        finally:
            tending.cancel()
            for handling in self._handled.values():
                handling.released.set()
            self._queue.stop()
            await asyncio.gather(handing, tending, return_exceptions=True)
            await self._queue.close()
            with contextlib.suppress(JournalError):
                await asyncio.to_thread(self._shared.leave, self._worker)

    def drain(self) -> None:
        self._shared.outage_seconds = min(self._shared.outage_seconds, DRAIN_OUTAGE_SECONDS)
        super().drain()

    def stop(self) -> None:
        self._shared.outage_seconds = 0.0
        super().stop()

    def _queue_ended(self, handing: asyncio.Future[None]) -> None:
        if not handing.cancelled() and (error := handing.exception()) is not None:
            self._stop("error", error)

    def _resume(self) -> None:
        """Nothing: the queue delivers what is in flight."""

    # What the queue delivers.

    async def _handle(self, item_id: int) -> float | None:
        """Work on an item. Returns None when it is over, else the seconds after which it is to be delivered again."""
        while (other := self._handled.get(item_id)) is not None:  # delivered twice: one task an item
            await other.ended.wait()
        if self._is_stopped():
            return 0.0
        handling = self._handled[item_id] = _Handling()
        try:
            item = await asyncio.to_thread(self._shared.find_item, item_id)
            if item is None or item.state in ENDED:
                return None
            if item.state == SUBMITTING:
                return SENT_ELSEWHERE
            if item.state == WAITING:
                self._waiting.append(item)
            else:
                self._follow(item)
            self._changed.set()
            await handling.released.wait()
            if self._is_stopped():
                return 0.0
            item = await asyncio.to_thread(self._shared.find_item, item_id)
            return None if item is None or item.state in ENDED else TRY_AGAIN
        except JournalError as error:
            log.warning("Item %s is given back: %s", item_id, error)
            return TRY_AGAIN
        finally:
            del self._handled[item_id]
            handling.ended.set()
            self._queue.wake()

    def _is_stopped(self) -> bool:
        return self.stopped is not None

    def _let_go(self, item: Item) -> None:
        if (handling := self._handled.get(item.id)) is not None:
            handling.released.set()

    async def _next_item(self) -> Item | None:
        while not self._waiting and self.stopped is None and not self._complete:
            await self._change()
        return self._waiting.popleft() if self._waiting else None

    def _has_room(self) -> bool:
        return len(self._handled) - len(self._jobs) < self._ahead

    def _follow(self, item: Item, job: JobRef | None = None) -> None:
        super()._follow(item, job)
        self._queue.wake()

    # What the workers share.

    def _must_run_alone(self, model_id: str) -> bool:
        return False  # the gate knows whether any worker has tried this model

    async def _may_send(self, item: Item) -> bool:
        if not await super()._may_send(item):
            return False
        while (look := await asyncio.to_thread(self._shared.look)).shut:
            await self._change(random.uniform(0.5, 1.0) * LOOK_AGAIN)
            if self._is_stopped():
                return False
        begins = time.monotonic()
        if look.has_rate:
            begins += await asyncio.to_thread(self._shared.next_slot)
        while self.stopped is None and (left := begins - time.monotonic()) > 0:
            await self._change(left)
        return self.stopped is None

    async def _held(self, item: Item, error: Held) -> None:
        match error.reason:
            case "full" | "paused":  # since it was looked at; a paused batch is resumed some time
                self._waiting.appendleft(item)
            case "trial":
                self._waiting.append(item)
                self._wait(LOOK_AGAIN)
            case "budget":
                self._waiting.appendleft(item)
                self._wait(LOOK_AGAIN)
                if not (await asyncio.to_thread(self._shared.sweep)).in_flight:  # nothing that could make room
                    self._stop("budget")
            case _:
                await super()._held(item, error)

    def _wait(self, seconds: float) -> None:
        self._next_post = time.monotonic() + random.uniform(0.5, 1.0) * seconds

    # Beside the jobs.

    async def _tend(self) -> None:
        while True:
            try:
                if time.monotonic() >= self._next_heartbeat:
                    self._next_heartbeat = time.monotonic() + LEASE_SECONDS / 3
                    await asyncio.to_thread(self._shared.heartbeat, self._worker, len(self._jobs) + len(self._posts))
                    await self._release_stuck()
                sweep = await asyncio.to_thread(self._shared.sweep)
                if sweep.mine:
                    await self._take_up()
                if not sweep.open:
                    self._complete = True
                    self._changed.set()
            except JournalError as error:
                log.warning("%s", error)
            except Exception as error:  # noqa: BLE001 - the jobs in flight go on; what is left is done the next time
                log.warning("The batch's queue cannot be looked after: %s", error)
            await asyncio.sleep(TEND_SECONDS)

    async def _release_stuck(self) -> None:
        if (queue_worker := self._queue.worker_id) is not None:
            await self._queue.release_stuck(await asyncio.to_thread(self._shared.stuck_rows, queue_worker))

    async def _take_up(self) -> None:
        number = await self._queue.take_up_stalled()
        if number:
            log.warning("%d items of workers that gave no sign of life are handed out again.", number)
        missing = await asyncio.to_thread(self._shared.not_queued)
        await self._queue.put(missing.paid, paid=True)
        await self._queue.put(missing.waiting)
