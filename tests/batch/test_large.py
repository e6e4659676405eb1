"""Files of very many rows: one bad row stops all of them, and memory does not grow with them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import TEXT_TO_IMAGE
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


@pytest.mark.parametrize(("few", "many"), [(500, 10_000), pytest.param(10_000, 300_000, marks=pytest.mark.long)])
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
