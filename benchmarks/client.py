"""What the client costs over the bare requests: job after job, a thousand at once, five thousand, and while waiting."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from functools import partial
from typing import TYPE_CHECKING

from .environments import peers, plain
from .harness import Rounds, Spread, run, take_turns
from .paths import ROOT
from .report import Row, Section, Target
from .servers import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

METHOD = """\
A job is a submit, three polls a quarter of a second apart, and the result: five requests, against a server in a
process of its own that does nothing but answer (`benchmarks/wire.py`; it speaks RunComfy's shape and fal.ai's). Ours
is a call of an endpoint method and `wait()`, with validation and parsed output. *Base install* has httpx only, *fast*
has the extra of that name. Concurrent jobs all start at once on one client; each reply takes {near:g} ms, or {far:g}
ms in the rows that say *far* (one run, since it is long). fal-client gets another queue address, nothing else is
changed; bare httpx has its default limits and no time limit. What its pool costs depends on how long replies take,
since it looks through all waiting requests at every event."""
NEAR, FAR = 0.02, 0.1
NEVER = 1_000_000_000
PEERS = (
    ("fal-client", "fal", Target(1 / 3)),
    ("bare httpx", "httpx", Target(1 / 10)),
    ("bare aiohttp", "aiohttp", None),
)


def measure(*, quick: bool) -> Section:
    """Measure the client."""
    with tempfile.TemporaryDirectory(prefix="runcomfy-bench-") as folder:
        # A copy: who runs `make generate` meanwhile does not disturb.
        shutil.copytree(ROOT / "generated", folder, dirs_exist_ok=True)
        return _measured(folder, *((100, 2, 500) if quick else (1000, 3, 5000)))


def _measured(package: str, jobs: int, rounds: int, crowd: int) -> Section:
    with wire(latency=0) as origin:
        single = take_turns(
            {
                "ours": partial(_load, package, "runcomfy", "sequential", origin, 20, plain()),
                "httpx": partial(_load, package, "httpx", "sequential", origin, 20, plain()),
            },
            rounds,
        )
    with wire(latency=FAR) as origin:
        far = take_turns(_concurrent(package, origin, jobs), 1, warm_up=0)
    with wire(latency=NEAR) as origin:
        many = take_turns(_concurrent(package, origin, jobs), rounds, warm_up=0)
        most = take_turns(
            {"fast": partial(_load, package, "runcomfy", "concurrent", origin, crowd, peers(), pinned=True)},
            rounds,
            warm_up=0,
        )
    with wire(latency=0, polls=NEVER) as origin:
        waiting = take_turns(_waiting(package, origin, jobs), rounds, warm_up=0)
    return Section(
        name="client",
        title="Running jobs",
        method=METHOD.format(near=NEAR * 1000, far=FAR * 1000),
        rows=(
            _row(single, "one job after the other, a job", ("ours", "bare httpx", "httpx"), "ms", Target(1.25), 1000),
            *(
                _row(found, f"{jobs:,} jobs at once, {label}{distance}", (ours, peer, theirs), "s", target)
                for found, distance in ((many, ""), (far, ", far"))
                for label, ours in (("fast", "fast"), ("base install", "base"))
                for peer, theirs, target in PEERS
            ),
            Row(what=f"{crowd:,} jobs at once on one core, fast", ours=most.cost("fast"), unit="s"),
            _row(waiting, "memory of a waiting job", ("fast", "fal-client", "fal"), "KiB", None, 1 / 1024),
        ),
        notes=("All jobs of every run ended.",),
    )


def _concurrent(package: str, origin: str, jobs: int) -> dict[str, Callable[[], float]]:
    found: dict[str, Callable[[], float]] = {
        who: partial(_load, package, who, "concurrent", origin, jobs, peers()) for who in ("fal", "httpx", "aiohttp")
    }
    found["base"] = partial(_load, package, "runcomfy", "concurrent", origin, jobs, plain())
    found["fast"] = partial(_load, package, "runcomfy", "concurrent", origin, jobs, peers())
    return found


def _waiting(package: str, origin: str, jobs: int) -> dict[str, Callable[[], float]]:
    return {
        "fast": partial(_load, package, "runcomfy", "waiting", origin, jobs, peers(), figure="bytes"),
        "fal": partial(_load, package, "fal", "waiting", origin, jobs, peers(), figure="bytes"),
    }


def _row(found: Rounds, what: str, names: Sequence[str], unit: str, target: Target | None, scale: float = 1.0) -> Row:
    ours, peer, theirs = names
    return Row(
        what=what,
        ours=_scaled(found.cost(ours), scale),
        unit=unit,
        peer=peer,
        theirs=_scaled(found.cost(theirs), scale),
        ratio=found.ratio(ours, theirs),
        target=target,
    )


def _scaled(spread: Spread, scale: float) -> Spread:
    return Spread(spread.median * scale, spread.low * scale, spread.high * scale)


def _load(
    package: str, who: str, mode: str, origin: str, jobs: int, python: str, *, figure: str = "cpu", pinned: bool = False
) -> float:
    """Run `peers/load.py`; what it says of `figure`. Raises RuntimeError if a job was lost."""
    command = [python, "-m", "benchmarks.peers.load", who, mode, origin, str(jobs)]
    env = {"PYTHONPATH": os.pathsep.join((package, str(ROOT))), "PYTHONHASHSEED": "0"}
    found = json.loads(run(["taskset", "--cpu-list", "0", *command] if pinned else command, env=env).stdout)
    if found["ended"] != jobs:
        raise RuntimeError(f"{who}: {found['ended']} of {jobs} jobs ended")
    return float(found[figure])
