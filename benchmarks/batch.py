"""What a batch costs over the client's own jobs, and whether it stays as fast and as small as it begins."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from functools import partial
from typing import TYPE_CHECKING, Any

from .environments import peers
from .harness import Rounds, Spread, run, take_turns
from .paths import ROOT
from .report import Row, Section, Target
from .servers import wire

if TYPE_CHECKING:
    from collections.abc import Callable

METHOD = """\
The jobs of *Running jobs*, {in_flight} in flight and four submits at once; each reply takes {latency:g} ms. A batch
reads and checks its rows, keeps a journal, results.jsonl and a report, and fetches no files. *Async client* is ours,
with a semaphore, without a journal; *script by hand* is bare httpx with a semaphore and a line in a file for each
result: after a kill it knows nothing of its jobs. The long batch runs on a server that replies at once."""
LATENCY = 0.1
IN_FLIGHT = 100
# Of the points at which a run is looked at, those at which its first and its last quarter begin and end.
FIRST, LAST = (1, 6), (15, 20)


def measure(*, quick: bool) -> Section:
    """Measure batches."""
    with tempfile.TemporaryDirectory(prefix="runcomfy-bench-") as package:
        # A copy: who runs `make generate` meanwhile does not disturb.
        shutil.copytree(ROOT / "generated", package, dirs_exist_ok=True)
        return _measured(package, *((200, 1, 1000) if quick else (1000, 3, 20_000)))


def _measured(package: str, jobs: int, rounds: int, long: int) -> Section:
    with wire(latency=LATENCY) as origin:
        subjects: dict[str, Callable[[], float]] = {
            who: partial(_cpu, package, who, origin, jobs) for who in ("batch", "client", "script")
        }
        found = take_turns(subjects, rounds, warm_up=0)
    with wire(latency=0, polls=1) as origin:
        whole = _run(package, "batch", origin, long)
    times, memory = whole["times"], whole["memory"]
    speed = (times[FIRST[1]] - times[FIRST[0]]) / (times[LAST[1]] - times[LAST[0]])
    growth = (memory[LAST[1]] - memory[FIRST[1]]) / 1024**2
    return Section(
        name="batch",
        title="Batches",
        method=METHOD.format(in_flight=IN_FLIGHT, latency=LATENCY * 1000),
        rows=(
            _row(found, jobs, "async client", "client", Target(1.3)),
            _row(found, jobs, "script by hand", "script", None),
            Row(
                what=f"{long:,} jobs: speed of the last quarter to that of the first",
                ours=Spread.of([speed]),
                unit="",
                target=Target(0.9, ">="),
            ),
            Row(
                what=f"{long:,} jobs: memory gained after the first quarter",
                ours=Spread.of([growth]),
                unit="MiB",
                target=Target(10),
            ),
        ),
        notes=(f"The long batch ran {long / (times[-1] - times[0]):.0f} jobs a second, from its rows to its report.",),
    )


def _row(found: Rounds, jobs: int, peer: str, theirs: str, target: Target | None) -> Row:
    return Row(
        what="a job of a batch",
        ours=_milliseconds(found.cost("batch"), jobs),
        unit="ms",
        peer=peer,
        theirs=_milliseconds(found.cost(theirs), jobs),
        ratio=found.ratio("batch", theirs),
        target=target,
    )


def _milliseconds(spread: Spread, jobs: int) -> Spread:
    return Spread(*(value * 1000 / jobs for value in (spread.median, spread.low, spread.high)))


def _cpu(package: str, who: str, origin: str, jobs: int) -> float:
    return float(_run(package, who, origin, jobs)["cpu"])


def _run(package: str, who: str, origin: str, jobs: int) -> dict[str, Any]:
    """Run `peers/batches.py`; what it found. Raises RuntimeError if a job was lost."""
    command = [peers(), "-m", "benchmarks.peers.batches", who, origin, str(jobs), str(IN_FLIGHT)]
    env = {"PYTHONPATH": os.pathsep.join((package, str(ROOT))), "PYTHONHASHSEED": "0"}
    found: dict[str, Any] = json.loads(run(command, env=env, limit=3600.0).stdout)
    if found["ended"] != jobs:
        raise RuntimeError(f"{who}: {found['ended']} of {jobs} jobs ended")
    return found
