"""Killed at any moment and started again, a batch pays nothing twice and loses nothing."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.batch.folder import BatchFolder
from runcomfy_simulator import Simulator

from tests.support.batches import check_books, write_rows
from tests.support.simulator import IMAGE

if TYPE_CHECKING:
    from pathlib import Path

SUBMITS = 4
PROGRAM = """
import signal, sys
from runcomfy_client.client import SyncClient

url, token, rows, folder, options = sys.argv[1:6]
with SyncClient(token, url) as client:
    batch = client.batch(rows, folder, max_unsure=100_000, **eval(options))
    signal.signal(signal.SIGTERM, lambda *_: batch.stop())
    print("ready", flush=True)
    for item in batch.run():
        pass
    print("stopped", batch.stopped, flush=True)
"""
ASYNC_PROGRAM = """
import asyncio, signal, sys
from runcomfy_client.client import AsyncClient

url, token, rows, folder, options = sys.argv[1:6]

async def work():
    async with AsyncClient(token, url) as client:
        batch = client.batch(rows, folder, max_unsure=100_000, **eval(options))
        signal.signal(signal.SIGTERM, lambda *_: batch.stop())
        print("ready", flush=True)
        async for item in batch.run():
            pass
        print("stopped", batch.stopped, flush=True)

asyncio.run(work())
"""


class Runner:
    """Runs the batch in processes of its own."""

    def __init__(self, sim: Simulator, rows: Path, folder: Path, *, program: str = PROGRAM, **options: Any) -> None:
        self.folder = folder
        words = (sim.url, sim.token, str(rows), str(folder), repr(options))
        self._command = [sys.executable, "-c", program, *words]

    def start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    def kill_after(self, seconds: float, number: int = signal.SIGKILL) -> bool:
        """Whether it still ran by then."""
        process = self.start()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        process.communicate()
        return process.returncode != 0 or number != signal.SIGKILL

    def finish(self) -> str:
        done = subprocess.run(self._command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def check_books(self, sim: Simulator, count: int) -> int:
        """Compare what the API accepted with what the batch and results.jsonl know; returns the unsure jobs."""
        lines = [json.loads(line) for line in (self.folder / "results.jsonl").read_text().splitlines()]
        return check_books(sim, BatchFolder(self.folder), lines, count)["unsure"]


@pytest.mark.parametrize(
    ("program", "count", "kills", "fault_rate"),
    [
        pytest.param(PROGRAM, 40, 3, 0.0, id="a sample"),
        pytest.param(ASYNC_PROGRAM, 60, 5, 0.0, id="async", marks=pytest.mark.long),
        pytest.param(PROGRAM, 2000, 100, 0.2, id="the whole", marks=pytest.mark.long),
        pytest.param(ASYNC_PROGRAM, 600, 30, 0.2, id="the whole, async", marks=pytest.mark.long),
    ],
)
def test_killed_and_started_again_nothing_is_paid_twice(
    schemas: Path, tmp_path: Path, program: str, count: int, kills: int, fault_rate: float
) -> None:
    moments = random.Random(count)
    rows = write_rows(tmp_path / "rows.jsonl", count)
    with Simulator(
        schemas, queue_seconds=0.0, run_seconds=0.05, slots=200, balance=1e6, fault_rate=fault_rate, seed=1
    ) as sim:
        runner = Runner(sim, rows, tmp_path / "out", program=program, rate=count / kills)
        killed = sum(runner.kill_after(moments.uniform(0.3, 1.5)) for _ in range(kills))
        assert killed == kills, "the batch was over before it could be killed so often"
        runner.finish()
        unsure = runner.check_books(sim, count)
        if not fault_rate:
            assert unsure <= kills * SUBMITS
        before = sim.accepted
        runner.finish()  # all is done, so nothing is sent
        lines = rows.read_text().splitlines(keepends=True)
        moments.shuffle(lines)
        rows.write_text("".join(lines))
        runner.finish()
        assert sim.accepted == before
        rows.write_text("".join([json.dumps({"model": IMAGE, "input": {"prompt": "one more"}}) + "\n", *lines]))
        if not fault_rate:
            runner.finish()
            assert sim.accepted == before + 1


@pytest.mark.long
def test_a_budget_holds_under_kills(sim: Simulator, tmp_path: Path) -> None:
    moments = random.Random(7)
    runner = Runner(sim, write_rows(tmp_path / "rows.jsonl", 40), tmp_path / "out", budget=5.0)
    for _ in range(4):
        runner.kill_after(moments.uniform(0.4, 1.2))
    assert "stopped budget" in runner.finish()
    assert sim.accepted * 0.25 <= 5.0
    status = BatchFolder(tmp_path / "out").status()
    assert status.spent + status.reserved <= 5.0
    assert status.counts["waiting"] >= 20


@pytest.mark.long
def test_sigterm_leaves_nothing_unsure(sim: Simulator, tmp_path: Path) -> None:
    runner = Runner(sim, write_rows(tmp_path / "rows.jsonl", 100), tmp_path / "out", rate=40)
    for seconds in (0.5, 0.9):
        began = time.monotonic()
        runner.kill_after(seconds, signal.SIGTERM)
        assert time.monotonic() - began < 20
    counts = BatchFolder(tmp_path / "out").status().counts
    assert counts["unsure"] == counts["submitting"] == 0
    assert 0 < sim.accepted < 100
    runner.finish()
    assert runner.check_books(sim, 100) == 0
    assert sim.accepted == 100
