"""Ctrl-C and task cancellation: what is known of the job is kept, and one cancel is sent if asked."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.client import AsyncClient, SyncClient
from runcomfy_client.journal import Journal

from tests.support import fault_proxy as faults
from tests.support.http_wire import json_response
from tests.support.internals import SqliteStore, set_constant
from tests.support.tiny_api import QUEUED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runcomfy_client.transport.hooks import EventHooks

    from tests.support.fault_proxy import FaultProxy, Wire
    from tests.support.tiny_api import TinyApi

# A script of a user's, interrupted as users do; it tells at the end what it knew.
SCRIPT = """
import asyncio, json, sys
from runcomfy_client.client import AsyncClient, SyncClient
from runcomfy_client.api import submit
submit.GRACE = 1.5
kind, url, journal, ask = sys.argv[1:5]
print("ready", flush=True)

def sync():
    with SyncClient("secret", url, journal=journal) as client:
        client.submit("any/model", {}).wait(20, cancel_on_interrupt=ask == "ask")

async def asynchronous():
    async with AsyncClient("secret", url, journal=journal) as client:
        job = await client.submit("any/model", {})
        await job.wait(20, cancel_on_interrupt=ask == "ask")

try:
    sync() if kind == "sync" else asyncio.run(asynchronous())
except KeyboardInterrupt as stop:
    notes = list(getattr(stop, "__notes__", []))
    cause = stop.__context__
    while cause is not None:  # asyncio.run raises a new KeyboardInterrupt from the task's CancelledError
        notes += getattr(cause, "__notes__", [])
        cause = cause.__context__
    print(json.dumps({"notes": notes}), flush=True)
"""


def interrupt(proxy: FaultProxy, tmp_path: Path, kind: str, ask: str, ready: Callable[[], bool]) -> dict[str, Any]:
    journal = tmp_path / "jobs.sqlite"
    environment = {**os.environ, "RUNCOMFY_API_TOKEN": "secret"}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, kind, proxy.url, str(journal), ask],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        end = time.monotonic() + 20
        while not ready() and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    report: dict[str, Any] = json.loads(out.splitlines()[-1])
    return report


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("ask", ["ask", "do not"])
def test_ctrl_c_in_a_wait(proxy: FaultProxy, api: TinyApi, tmp_path: Path, kind: str, ask: str) -> None:
    api.statuses = [QUEUED]
    report = interrupt(proxy, tmp_path, kind, ask, lambda: proxy.arrived["status"] > 0)
    notes = " ".join(report["notes"])
    assert "job-1" in notes
    assert proxy.arrived["cancel"] == (1 if ask == "ask" else 0)
    assert ("was cancelled" if ask == "ask" else "still runs") in notes


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_ctrl_c_is_honest_about_a_cancel_that_came_too_late(
    proxy: FaultProxy, api: TinyApi, tmp_path: Path, kind: str
) -> None:
    api.statuses, api.cancel = [QUEUED], {"outcome": "not_cancellable", "status": "in_progress"}
    report = interrupt(proxy, tmp_path, kind, "ask", lambda: proxy.arrived["status"] > 0)
    assert "not_cancellable" in " ".join(report["notes"])
    assert "still runs" in " ".join(report["notes"])


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_ctrl_c_while_the_post_is_under_way_waits_for_the_id(
    proxy: FaultProxy, api: TinyApi, tmp_path: Path, kind: str
) -> None:
    def late(wire: Wire) -> None:
        response = wire.forward()
        time.sleep(1.0)
        wire.send(response.encoded())

    proxy.plan("submit", late)
    report = interrupt(proxy, tmp_path, kind, "do not", lambda: proxy.arrived["submit"] > 0)
    assert "client.job('job-1')" in " ".join(report["notes"])
    with Journal(tmp_path / "jobs.sqlite") as journal:
        (entry,) = journal.pending()
    assert (entry.state, entry.request_id) == ("submitted", "job-1")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_post_that_is_not_answered_after_ctrl_c_is_unsure(proxy: FaultProxy, tmp_path: Path, kind: str) -> None:
    proxy.plan("submit", faults.silence)
    begun = time.monotonic()
    report = interrupt(proxy, tmp_path, kind, "do not", lambda: proxy.arrived["submit"] > 0)
    assert time.monotonic() - begun < 15
    assert "unknown" in " ".join(report["notes"])
    with Journal(tmp_path / "jobs.sqlite") as journal:
        (entry,) = journal.pending()
    assert (entry.state, entry.request_id) == ("unsure", None)


def test_a_cancelled_task_keeps_its_cancellation(proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses = [QUEUED]

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url) as client:
            job = await client.submit("any/model", {})
            task = asyncio.create_task(job.wait(cancel_on_interrupt=True))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert "was cancelled" in "".join(caught.value.__notes__)
            assert task.cancelled()

    asyncio.run(scene())
    assert proxy.arrived["cancel"] == 1


def test_a_time_limit_of_asyncio_around_a_wait_works(proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses = [QUEUED]

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url) as client:
            job = await client.submit("any/model", {})
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await job.wait(cancel_on_interrupt=True)
            assert (await job.status()).state == "in_queue"

    asyncio.run(scene())
    assert proxy.arrived["cancel"] == 1


def test_a_cancel_that_is_not_answered_is_given_up(
    proxy: FaultProxy, api: TinyApi, monkeypatch: pytest.MonkeyPatch
) -> None:

    set_constant(monkeypatch, "CANCEL_TIMEOUT", 0.3)
    api.statuses = [QUEUED]
    proxy.always("cancel", faults.silence)

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url) as client:
            job = await client.submit("any/model", {})
            task = asyncio.create_task(job.wait(cancel_on_interrupt=True))
            await asyncio.sleep(0.2)
            begun = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert time.monotonic() - begun < 4
            assert "unknown whether the cancel reached it" in "".join(caught.value.__notes__)

    asyncio.run(scene())


def test_a_second_interruption_cuts_the_cancel_and_says_so(proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses = [QUEUED]
    proxy.always("cancel", faults.silence)

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url) as client:
            job = await client.submit("any/model", {})
            task = asyncio.create_task(job.wait(cancel_on_interrupt=True))
            for _ in range(2):
                await asyncio.sleep(0.2)
                task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert "the cancel was cut short" in "".join(caught.value.__notes__)

    asyncio.run(scene())


def test_an_id_known_at_the_last_moment_is_written_down(proxy: FaultProxy, tmp_path: Path) -> None:
    """An interruption that is not held any more may come between the reply and its row."""

    def stop(event: object) -> None:
        raise KeyboardInterrupt

    hooks: EventHooks = {"response": [stop]}
    with SyncClient("secret", proxy.url, journal=tmp_path / "jobs.sqlite", event_hooks=hooks) as client:
        with pytest.raises(KeyboardInterrupt) as caught:
            client.submit("any/model", {})
        assert "client.job('job-1')" in "".join(caught.value.__notes__)
        (entry,) = client.journal.pending()
        assert (entry.state, entry.request_id) == ("submitted", "job-1")


def test_a_cancelled_submit_finishes_what_it_began(proxy: FaultProxy, tmp_path: Path) -> None:
    def late(wire: Wire) -> None:
        response = wire.forward()
        time.sleep(0.4)
        wire.send(response.encoded())

    proxy.plan("submit", late)

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url, journal=tmp_path / "jobs.sqlite") as client:
            task = asyncio.create_task(client.submit("any/model", {}))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert "client.job('job-1')" in "".join(caught.value.__notes__)
            (entry,) = client.journal.pending()
            assert entry.request_id == "job-1"

    asyncio.run(scene())


def test_the_callers_own_error_in_an_update_comes_through(proxy: FaultProxy) -> None:
    def on_update(update: object) -> None:
        raise ZeroDivisionError

    with SyncClient("secret", proxy.url) as client, pytest.raises(ZeroDivisionError):
        client.submit("any/model", {}).wait(10, on_update=on_update)


def test_async_updates_are_awaited(proxy: FaultProxy) -> None:
    seen: list[str] = []

    async def on_update(update: Any) -> None:
        await asyncio.sleep(0)
        seen.append(update.state)

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url) as client:
            await (await client.submit("any/model", {})).wait(10, on_update=on_update)

    asyncio.run(scene())
    assert seen == ["in_queue", "in_progress", "completed"]


def test_the_sync_client_works_in_threads_that_python_does_not_interrupt(proxy: FaultProxy) -> None:
    ends: list[str] = []
    with SyncClient("secret", proxy.url) as client:
        thread = threading.Thread(target=lambda: ends.append(client.submit("any/model", {}).wait(10).request_id))
        thread.start()
        thread.join()
    assert ends == ["job-1"]


def answers_late(seconds: float) -> faults.Fault:
    def late(wire: Wire) -> None:
        response = wire.forward()
        time.sleep(seconds)
        with contextlib.suppress(OSError):
            wire.send(response.encoded())

    return late


def test_anyio_cancels_and_the_id_is_kept(proxy: FaultProxy, tmp_path: Path) -> None:
    """anyio cancels a task again and again until it has left the scope."""
    import anyio

    proxy.plan("submit", answers_late(0.6))
    unread: list[object] = []

    async def scene() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unread.append(context))
        async with AsyncClient("secret", proxy.url, journal=tmp_path / "jobs.sqlite") as client:
            with anyio.move_on_after(0.2) as scope:
                await client.submit("any/model", {})
            assert scope.cancelled_caught
            assert client.journal is not None
            (entry,) = client.journal.pending()
            assert (entry.state, entry.request_id) == ("submitted", "job-1")

    asyncio.run(scene())
    gc.collect()
    assert not unread
    assert proxy.arrived["submit"] == 1


def test_a_task_group_of_anyio_that_fails_keeps_the_id(proxy: FaultProxy, tmp_path: Path) -> None:
    import anyio

    proxy.plan("submit", answers_late(0.6))

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url, journal=tmp_path / "jobs.sqlite") as client:

            async def fail() -> None:
                await anyio.sleep(0.2)
                raise ZeroDivisionError

            async def both() -> None:
                async with anyio.create_task_group() as group:
                    group.start_soon(client.submit, "any/model", {})
                    group.start_soon(fail)

            with pytest.raises(ExceptionGroup):
                await both()
            assert client.journal is not None
            (entry,) = client.journal.pending()
            assert (entry.state, entry.request_id) == ("submitted", "job-1")

    anyio.run(scene)


def test_anyio_cancels_a_wait_and_the_job_is_cancelled(proxy: FaultProxy, api: TinyApi) -> None:
    import anyio

    api.statuses = [QUEUED]
    proxy.plan("cancel", answers_late(0.2))

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url) as client:
            job = await client.submit("any/model", {})
            with anyio.move_on_after(0.2):
                await job.wait(cancel_on_interrupt=True)

    anyio.run(scene)
    assert proxy.arrived["cancel"] == 1


@pytest.mark.parametrize("times", [2, 20])
def test_cancelling_again_within_the_grace_changes_nothing(proxy: FaultProxy, tmp_path: Path, times: int) -> None:
    proxy.plan("submit", answers_late(0.8))

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url, journal=tmp_path / "jobs.sqlite") as client:
            task = asyncio.create_task(client.submit("any/model", {}))
            await asyncio.sleep(0.2)
            for _ in range(times):
                task.cancel()
                await asyncio.sleep(0.01)
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert "client.job('job-1')" in "".join(caught.value.__notes__)
            assert client.journal is not None
            (entry,) = client.journal.pending()
            assert entry.request_id == "job-1"

    asyncio.run(scene())


def test_the_grace_ends_though_the_task_is_cancelled_again(
    proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    set_constant(monkeypatch, "GRACE", 0.5)
    proxy.plan("submit", faults.silence)

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url, journal=tmp_path / "jobs.sqlite") as client:
            task = asyncio.create_task(client.submit("any/model", {}))
            begun = time.monotonic()
            while not task.done() and time.monotonic() - begun < 5:
                await asyncio.sleep(0.05)
                if time.monotonic() - begun > 0.2:
                    task.cancel()
            assert 0.5 < time.monotonic() - begun < 3
            with pytest.raises(asyncio.CancelledError):
                await task
            assert client.journal is not None
            (entry,) = client.journal.pending()
            assert entry.state == "unsure"

    asyncio.run(scene())


@pytest.mark.parametrize("limit", ["asyncio.timeout", "asyncio.wait_for"])
@pytest.mark.parametrize("operation", ["submit", "wait"])
def test_the_note_is_in_what_a_time_limit_of_asyncio_raises(
    proxy: FaultProxy, api: TinyApi, limit: str, operation: str
) -> None:
    api.statuses = [QUEUED]
    if operation == "submit":
        proxy.plan("submit", answers_late(0.6))

    async def limited(call: Any) -> None:
        if limit == "asyncio.wait_for":
            await asyncio.wait_for(call, 0.2)
        else:
            async with asyncio.timeout(0.2):
                await call

    async def scene() -> BaseException:
        async with AsyncClient("secret", proxy.url) as client:
            if operation == "submit":
                call: Any = client.submit("any/model", {})
            else:
                call = (await client.submit("any/model", {})).wait()
            with pytest.raises(TimeoutError) as caught:
                await limited(call)
            return caught.value

    error = asyncio.run(scene())
    shown = "".join(traceback.format_exception(error))
    assert "client.job('job-1')" in shown


@pytest.mark.parametrize("kind", ["request", "response"])
@pytest.mark.parametrize("leave", [SystemExit, KeyboardInterrupt])
def test_a_hook_that_ends_the_program_costs_no_id(
    proxy: FaultProxy, tmp_path: Path, kind: Any, leave: type[BaseException]
) -> None:
    def stop(event: object) -> None:
        raise leave

    path = tmp_path / "jobs.sqlite"

    def sync() -> None:
        with SyncClient("secret", proxy.url, journal=path, event_hooks={kind: [stop]}) as client:
            client.submit("any/model", {})

    async def asynchronous() -> None:
        async with AsyncClient("secret", proxy.url, journal=path, event_hooks={kind: [stop]}) as client:
            await client.submit("any/model", {})

    for number, run in enumerate((sync, lambda: asyncio.run(asynchronous())), 1):
        with pytest.raises(leave):
            run()  # type: ignore[no-untyped-call]  # the second is a lambda
        with Journal(path) as journal:
            entry = list(journal.entries())[-1]
        sent = kind == "response"
        assert (entry.state, entry.request_id) == (("submitted", f"job-{number}") if sent else ("refused", None))
    assert proxy.arrived["submit"] == (2 if kind == "response" else 0)


@pytest.mark.parametrize("moment", ["intend", "submitted", "refused"])
def test_a_cancellation_in_a_write_waits_for_it(
    proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Again and again, as anyio cancels: the outcome is in the journal when the task has ended."""
    writing = threading.Event()
    original = getattr(SqliteStore, moment)

    def slowly(*args: Any) -> Any:
        writing.set()
        time.sleep(0.5)
        return original(*args)

    monkeypatch.setattr(SqliteStore, moment, slowly)
    if moment == "refused":
        proxy.plan("submit", faults.answer(json_response({}, 422)))
    path = tmp_path / "jobs.sqlite"

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url, journal=path) as client:
            task = asyncio.create_task(client.submit("any/model", {}))
            await asyncio.to_thread(writing.wait)
            while not task.done():
                task.cancel()
                await asyncio.sleep(0.02)
            assert task.cancelled()
            (entry,) = client.journal.entries()
            expected = {"intend": "refused", "submitted": "submitted", "refused": "refused"}
            assert entry.state == expected[moment]

    set_constant(monkeypatch, "GRACE", 0.05)
    asyncio.run(scene())
    assert proxy.arrived["submit"] == (0 if moment == "intend" else 1)
