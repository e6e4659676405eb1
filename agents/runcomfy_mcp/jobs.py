"""Submits and waits that go on when the call that began them is given up.

A client may give a call up after two seconds, and MCP then cancels it. A submit whose POST has left must not be cut:
its request id would be lost. So submits and waits run as tasks of their own, and a call only waits for one. A job that
was submitted or asked for is followed to its end while the server runs: its files are fetched before their addresses
expire, and its cost gets into the journal, which the budget counts by.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from runcomfy_client.errors import ConfigurationError, RunComfyError

from .answers import Refusal
from .text import LONGEST_TITLE, clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runcomfy_client.api.values import JobUpdate
    from runcomfy_client.client import AsyncClient
    from runcomfy_client.jobs import AsyncJob
    from runcomfy_client.journal import Budget
    from runcomfy_client.result_store import AsyncResultStore, StoredResult


class Follow:
    """A job that is waited for: the task, which ends when its files are stored, and what was last seen of it."""

    def __init__(self) -> None:
        self.task: asyncio.Task[StoredResult]
        self.update: JobUpdate | None = None

    def saw(self, update: JobUpdate) -> None:
        self.update = update


class Jobs:
    """The submits and waits of one server."""

    def __init__(self, client: AsyncClient, store: AsyncResultStore) -> None:
        self._client = client
        self._store = store
        self._submits: set[asyncio.Task[AsyncJob[Any]]] = set()
        self._follows: dict[str, Follow] = {}
        self._closed = False

    async def submit(self, model_id: str, input: Mapping[str, object], job_key: str, budget: Budget) -> AsyncJob[Any]:
        """Send one job, to the end even if the caller gives up."""
        options: Any = {"job_key": job_key, "budget": budget}
        task = asyncio.create_task(self._client.submit(model_id, input, options))
        self._submits.add(task)
        task.add_done_callback(self._on_submit_end)
        return await asyncio.shield(task)

    def _on_submit_end(self, task: asyncio.Task[AsyncJob[Any]]) -> None:
        self._submits.discard(task)
        if not task.cancelled() and task.exception() is None and not self._closed:
            self.follow(task.result().request_id)

    def follow(self, request_id: str) -> Follow:
        """Wait for a job and keep its files; one task, however often it is asked for."""
        follow = self._follows.get(request_id)
        if follow is None:
            follow = self._follows[request_id] = Follow()
            follow.task = asyncio.create_task(self._run(request_id, follow))
            follow.task.add_done_callback(lambda task: self._on_follow_end(request_id, task))
        return follow

    def _on_follow_end(self, request_id: str, task: asyncio.Task[StoredResult]) -> None:
        del self._follows[request_id]
        if not task.cancelled():
            task.exception()  # asyncio would complain of one that nobody has looked at

    async def _run(self, request_id: str, follow: Follow) -> StoredResult:
        job = await self.job(request_id)
        return await self._store.save(await job.wait(on_update=follow.saw))

    async def job(self, request_id: str) -> AsyncJob[Any]:
        """A job by its id. Raises Refusal for what is none."""
        try:
            return await asyncio.to_thread(self._client.job, request_id)  # it reads the journal
        except ConfigurationError:
            message = f"{clean(request_id, LONGEST_TITLE)!r} is not a request id."
            raise Refusal("arguments", message, "list_jobs shows the jobs on record.") from None

    async def stored(self, request_id: str) -> StoredResult | None:
        """A result whose files are here."""
        return await self._store.find(request_id)

    async def find(self, request_id: str) -> StoredResult | None:
        """A result whose files are here. A cost that was not known is asked for again."""
        stored = await self.stored(request_id)
        if stored is None or stored.cost is not None:
            return stored
        try:
            async with asyncio.timeout(5):
                job = await self.job(request_id)
                return await self._store.save(await job.result())
        except (RunComfyError, TimeoutError):
            return stored

    async def close(self) -> None:
        """End all. A submit under way gets a few seconds for its reply, and its outcome is written down."""
        self._closed = True
        tasks = [*self._submits, *(follow.task for follow in self._follows.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
