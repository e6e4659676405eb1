"""`batches WHO ORIGIN JOBS IN_FLIGHT`: many jobs, so many of them in flight, and what they cost.

WHO is `batch` (a batch in a folder of its own: journal, results file), `client` (the async client and a semaphore) or
`script` (bare httpx and a semaphore, with a line in a file for each result, as one would write it by hand).
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from runcomfy import AsyncRunComfy
from runcomfy_client.batch import flight

from .load import MODEL, PAUSE, PROMPT
from .load_httpx import ajob, aopened
from .load_runcomfy import TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

# The wire is not RunComfy: nothing is gained by sparing it.
flight.POLLS_A_SECOND = 10_000.0
POINTS = 20
SUBMITS = 4


async def _semaphore(job: Callable[[int], Awaitable[object]], jobs: int, in_flight: int) -> AsyncIterator[object]:
    free = asyncio.Semaphore(in_flight)

    async def one(number: int) -> object:
        async with free:
            return await job(number)

    for end in asyncio.as_completed([one(number) for number in range(jobs)]):
        yield await end


async def batch(origin: str, jobs: int, in_flight: int, folder: Path) -> AsyncIterator[object]:
    """The batch, from its rows to its report."""
    rows = folder / "rows.jsonl"
    with rows.open("w", encoding="utf-8") as file:
        for number in range(jobs):
            row = {"model": MODEL, "input": {"prompt": f"{PROMPT} {number}"}, "price": 0.01}
            file.write(json.dumps(row) + "\n")
    async with AsyncRunComfy(TOKEN, origin) as client:
        made = client.batch(rows, folder / "out", concurrency=in_flight, submits=SUBMITS, download=False)
        async for item in made.run():
            if not item.ok:
                raise RuntimeError(f"{item.key} is {item.state}: {item.error}")
            yield item


async def client(origin: str, jobs: int, in_flight: int, folder: Path) -> AsyncIterator[object]:
    """Submit and wait, without a journal; no more submits at once than the batch has."""
    async with AsyncRunComfy(TOKEN, origin) as made:

        submits = asyncio.Semaphore(SUBMITS)

        async def job(number: int) -> object:
            async with submits:
                sent = await made.submit(MODEL, {"prompt": f"{PROMPT} {number}"})
            return await sent.wait()

        async for result in _semaphore(job, jobs, in_flight):
            yield result


async def script(origin: str, jobs: int, in_flight: int, folder: Path) -> AsyncIterator[object]:
    """By hand."""
    with (folder / "results.jsonl").open("w", encoding="utf-8") as file:
        async with aopened(origin) as made:

            async def job(number: int) -> object:
                return await ajob(made, PAUSE)

            async for output in _semaphore(job, jobs, in_flight):
                file.write(json.dumps(output) + "\n")
                yield output


def _resident() -> int:
    """Bytes of this process that are private to it."""
    rollup = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    return 1024 * next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_Dirty:"))


async def _measure(who: str, origin: str, jobs: int, in_flight: int) -> dict[str, object]:
    subject = {"batch": batch, "client": client, "script": script}[who]
    times, memory, ended = [time.monotonic()], [_resident()], 0
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="runcomfy-bench-") as folder:
        async for _ in subject(origin, jobs, in_flight, Path(folder)):
            ended += 1
            if ended % max(jobs // POINTS, 1) == 0:
                times.append(time.monotonic())
                memory.append(_resident())
    return {"cpu": time.process_time() - began, "ended": ended, "times": times, "memory": memory}


def main(arguments: list[str]) -> int:
    """See the module."""
    who, origin, jobs, in_flight = arguments
    print(json.dumps(asyncio.run(_measure(who, origin, int(jobs), int(in_flight)))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
