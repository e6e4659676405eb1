"""Many jobs through bad weather: all end, none is submitted twice, and memory stays flat."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.client import AsyncClient, SyncClient

from tests.support import fault_proxy as faults
from tests.support.fault_proxy import FaultProxy, answer
from tests.support.http_wire import json_response
from tests.support.tiny_api import COMPLETED, RUNNING, TinyApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.fault_proxy import Wire

WEATHER = (
    faults.reset_before_reply,
    faults.closed_before_reply,
    faults.half_body,
    faults.reset_within_headers,
    answer(faults.html(502)),
    answer(faults.html(503)),
    answer(json_response({}, 429, retry_after="0")),
    answer(faults.html(200)),
    answer(json_response({"detail": "oops"}, 500)),
)
AT_ONCE = 50


def stormy(proxy: FaultProxy) -> None:
    """A third of the polls, all but, meets a fault."""
    chance, lock = random.Random(4711), threading.Lock()

    def fault(wire: Wire) -> None:
        with lock:
            struck = chance.random() < 0.3
            which = chance.choice(WEATHER)
        if struck:
            which(wire)
        else:
            wire.send(wire.forward().encoded())

    proxy.always("status", fault)
    proxy.always("result", fault)


def in_threads(url: str, count: int, ended: Callable[[str], None]) -> None:
    with SyncClient("secret", url) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        for request_id in pool.map(lambda _: client.submit("any/model", {}).wait(120).request_id, range(count)):
            ended(request_id)


def in_tasks(url: str, count: int, ended: Callable[[str], None]) -> None:
    async def scene() -> None:
        async with AsyncClient("secret", url) as client:
            room = asyncio.Semaphore(AT_ONCE)

            async def one() -> None:
                async with room:
                    ended((await (await client.submit("any/model", {})).wait(120)).request_id)

            await asyncio.gather(*(one() for _ in range(count)))

    asyncio.run(scene())


@pytest.mark.parametrize("count", [50, pytest.param(2000, marks=pytest.mark.long)])
@pytest.mark.parametrize("run", [in_threads, in_tasks])
def test_all_jobs_end_and_none_is_paid_twice(run: Callable[..., None], count: int) -> None:
    api = TinyApi(statuses=[RUNNING, RUNNING, COMPLETED])
    ends: Counter[str] = Counter()
    with FaultProxy(api) as proxy:
        proxy.keep_requests = False
        api.url = proxy.url
        stormy(proxy)
        run(proxy.url, count, lambda request_id: ends.update([request_id]))
        assert proxy.arrived["submit"] == len(api.submits) == count
    assert len(ends) == count
    assert set(ends.values()) == {1}


@pytest.mark.long
@pytest.mark.parametrize("run", [in_threads, in_tasks])
def test_memory_stays_flat(run: Callable[..., None]) -> None:
    """What is kept after 1,500 more jobs is no more than what 500 left behind, give or take a little."""
    api = TinyApi(statuses=[RUNNING, COMPLETED])
    with FaultProxy(api) as proxy:
        proxy.keep_requests = False
        stormy(proxy)
        sizes = []
        tracemalloc.start()
        for count in (500, 1500):
            run(proxy.url, count, lambda request_id: None)
            api.submits.clear()
            api.asked.clear()
            gc.collect()
            runtime = [
                tracemalloc.Filter(True, pattern) for pattern in ("*/runcomfy_client/*", "*/httpx/*", "*/httpcore/*")
            ]
            kept = tracemalloc.take_snapshot().filter_traces(runtime)
            sizes.append(sum(trace.size for trace in kept.traces))
        tracemalloc.stop()
    assert sizes[1] < sizes[0] + 200_000, sizes
