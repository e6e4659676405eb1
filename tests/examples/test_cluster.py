"""`make demo-cluster` kills a worker, finishes, and pays nothing twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_the_demo_finishes(postgres_server: str) -> None:  # without a PostgreSQL it is skipped
    done = subprocess.run(
        [sys.executable, "-m", "examples.cluster.demo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "60 jobs, 0 of them twice" in done.stdout
    assert "kill -9" in done.stdout
