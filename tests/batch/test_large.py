"""Files of very many rows: one bad row stops all of them, and memory does not grow with them."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.batch.folder_store import FolderStore
from runcomfy_client.batch.items import DONE, RUNNING, Ending, Item
from runcomfy_client.journal.base import Intent

from tests.support.cli import TEXT_TO_IMAGE
from tests.support.journal import SCOPE
from tests.support.scripts import run_script

if TYPE_CHECKING:
    from pathlib import Path

MEASURE = """
import resource, sys
from runcomfy import RunComfy

with RunComfy("token", "http://127.0.0.1:9") as client:
    check = client.batch(sys.argv[1]).check()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(check.jobs, peak * (1 if sys.platform == "darwin" else 1024))
"""


def write_rows(path: Path, count: int, *, bad: int | None = None) -> Path:
    with path.open("w") as file:
        for number in range(count):
            scale = 7 if number == bad else 0.3
            row = {"model": TEXT_TO_IMAGE, "price": 0.03, "input": {"prompt": f"a fox, {number}", "scale": scale}}
            file.write(json.dumps(row) + "\n")
    return path


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_one_bad_row_among_many_is_65_without_a_request(tmp_path: Path, count: int) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", count, bad=count - 3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        words = ("batch", "run", rows, "-o", tmp_path / "out", "--base-url", address)
        environment = {**os.environ, "RUNCOMFY_API_TOKEN": "token"}
        answer = run_script("runcomfy-client", words, environment=environment, timeout=300)
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
    assert answer.code == 65, answer.err
    assert answer.out.startswith(f"line {count - 2}: /scale: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("few", "many"), [(500, 6_000), pytest.param(10_000, 300_000, marks=pytest.mark.long)])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, few: int, many: int) -> None:
    peaks = []
    for count in (few, many):
        rows = write_rows(tmp_path / "rows.jsonl", count)
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, rows], capture_output=True, text=True, check=True, timeout=300
        )
        jobs, peak = map(int, done.stdout.split())
        assert jobs == count
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 20 * 1024 * 1024


@pytest.mark.parametrize(("few", "many"), [(300, 6_000), pytest.param(3_000, 300_000, marks=pytest.mark.long)])
def test_what_a_job_costs_the_store_does_not_grow_with_the_batch(tmp_path: Path, few: int, many: int) -> None:
    small, large = (store_cost(tmp_path / str(count), count) for count in (few, many))
    assert large <= 2 * small, f"{small * 1000:.2f} ms, {large * 1000:.2f} ms"


def store_cost(folder: Path, count: int) -> float:
    """Processor seconds of one job's intent, id and end, beside so many jobs, half of them done."""
    folder.mkdir()
    store = FolderStore(folder)
    store.create("large", SCOPE)
    with store.transaction() as connection:
        columns = "id, number, key, job_key, model_id, digest, input, outputs, seconds, estimate, state, seq, ended_at"
        rows: list[tuple[object, ...]] = [
            (n, n, f"key-{n}", f"key-{n}", "done", n, 1.0) for n in range(2, count + 1, 2)
        ]
        rows += [(n, n, f"key-{n}", f"key-{n}", "waiting", None, None) for n in range(1, count + 1, 2)]
        connection.executemany(
            f"INSERT INTO items ({columns}) VALUES (?, ?, ?, ?, 'a/b', 'digest', '{{}}', 1, 1, 1000, ?, ?, ?)",
            rows,
        )
        connection.execute("UPDATE batches SET last_seq = ?", (count,))
        connection.execute("UPDATE counts SET number = ? WHERE state IN ('waiting', 'done')", (count // 2,))
    costs = []
    for number in range(1, 60, 2):
        began = time.thread_time()
        assert store.intend(Intent(f"s-{number}", SCOPE, "a/b", f"key-{number}", "digest"), "owner", 15.0) is None
        store.submitted(f"s-{number}", f"r-{number}")
        item = Item(number, number, f"key-{number}", "a/b", "{}", None, RUNNING, f"key-{number}", f"r-{number}", None)
        store.end(Ending(item, DONE, "completed", 0.01))
        costs.append(time.thread_time() - began)
    status = store.status()
    assert status.counts[DONE] == count // 2 + 30
    assert status.spent == pytest.approx(0.3)
    store.close()
    return statistics.median(costs)
