"""`load WHO MODE ORIGIN JOBS`: run jobs through one client, one after the other or all at once, and print the cost.

A job is a submit, as many polls as the server wants (`benchmarks.wire`: three) with pauses between them, the result.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

PAUSE = 0.25
# While memory is counted: a client that can't keep up with its polls would hold replies as well.
CALM = 10.0
PROMPT = "a lantern over a quiet harbour at night"
MODEL = "bytedance/dreamina-4-0/text-to-image"
WARM_UP = 5
# Before memory is counted: enough that every connection is open.
FEW = 200
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


def sequential(who: ModuleType, origin: str, jobs: int) -> dict[str, float]:
    """One job after the other on one client; the first few are not counted."""
    with who.opened(origin) as client:
        for _ in range(WARM_UP):
            who.job(client, PAUSE)
        cpu, wall = time.process_time(), time.monotonic()
        for _ in range(jobs):
            who.job(client, PAUSE)
        return {"cpu": (time.process_time() - cpu) / jobs, "wall": (time.monotonic() - wall) / jobs, "ended": jobs}


async def concurrent(who: ModuleType, origin: str, jobs: int) -> dict[str, float]:
    """All jobs at once on one client; the first few are not counted."""
    async with who.aopened(origin) as client:
        await asyncio.gather(*(who.ajob(client, PAUSE) for _ in range(WARM_UP)))
        cpu, wall = time.process_time(), time.monotonic()
        outcomes = await asyncio.gather(*(who.ajob(client, PAUSE) for _ in range(jobs)), return_exceptions=True)
        spent = {"cpu": time.process_time() - cpu, "wall": time.monotonic() - wall}
    for lost in [outcome for outcome in outcomes if isinstance(outcome, BaseException)][:1]:
        print(f"{type(lost).__name__}: {lost}", file=sys.stderr)
    return {**spent, "ended": sum(not isinstance(outcome, BaseException) for outcome in outcomes)}


async def waiting(who: ModuleType, origin: str, jobs: int) -> dict[str, float]:
    """Memory that `jobs` waiting jobs hold, on a server whose jobs never end; the client itself is not counted."""
    async with who.aopened(origin) as client:
        polled = await _polled(origin)
        few = [asyncio.create_task(who.ajob(client, CALM)) for _ in range(FEW)]
        await _all_polled(origin, polled + FEW)
        gc.collect()
        before = _resident()
        many = [asyncio.create_task(who.ajob(client, CALM)) for _ in range(jobs)]
        await _all_polled(origin, polled + FEW + jobs)
        gc.collect()
        held = _resident() - before
        for task in few + many:
            task.cancel()
        await asyncio.gather(*few, *many, return_exceptions=True)
    return {"bytes": held / jobs, "ended": jobs}


async def _all_polled(origin: str, jobs: int) -> None:
    """Until each job was polled at least once: a later one would still be waiting for its submit."""
    for _ in range(600):
        if await _polled(origin) >= jobs:
            return
        await asyncio.sleep(0.25)
    raise TimeoutError(f"after 150 s not all of {jobs} jobs were polled")


async def _polled(origin: str) -> int:
    """How many jobs the server has been polled for."""
    import httpx

    async with httpx.AsyncClient(verify=False, timeout=None) as asker:
        return int((await asker.get(f"{origin}/counts")).json().get("polled jobs", 0))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_SIZE


def main(arguments: list[str]) -> int:
    """See the module."""
    name, mode, origin, jobs = arguments
    who = importlib.import_module(f"{__package__}.load_{name}")
    match mode:
        case "sequential":
            found = sequential(who, origin, int(jobs))
        case "concurrent":
            found = asyncio.run(concurrent(who, origin, int(jobs)))
        case _:
            found = asyncio.run(waiting(who, origin, int(jobs)))
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
