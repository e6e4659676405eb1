"""The installed console script in a process of its own, and a local Model API for it to talk to."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from runcomfy_simulator import Simulator

from tests.support.cli import SCHEMAS, SCRIPT, Answer
from tests.support.scripts import run_script

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.cli import Cli


@pytest.fixture(scope="session")
def quick_sim() -> Iterator[Simulator]:
    """A simulator that makes nobody wait, shared by the tests that only need answers."""
    with Simulator(SCHEMAS, queue_seconds=0.0, run_seconds=0.05) as simulator:
        yield simulator


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """A simulator of the test's own, as quick, for tests that script faults or count."""
    with Simulator(SCHEMAS, queue_seconds=0.0, run_seconds=0.05) as simulator:
        yield simulator


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A bare environment: no token, no address, no width, and a home of the test's own."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "PYTHONPATH") if name in os.environ}
    home = tmp_path / "home"
    home.mkdir()
    return {**kept, "HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "XDG_CONFIG_HOME": str(home / "config")}


@pytest.fixture
def cli(tmp_path: Path, environment: dict[str, str]) -> Cli:
    """Runs `runcomfy-client` in the test's folder: `cli("models", sim=sim, stdin="...", env={...})`."""

    def run(
        *words: str, sim: Simulator | None = None, stdin: str | bytes = b"", env: dict[str, str] | None = None
    ) -> Answer:
        address = {"RUNCOMFY_BASE_URL": sim.url, "RUNCOMFY_API_TOKEN": sim.token} if sim else {}
        everything = {**environment, **address, **(env or {})}
        data = stdin.encode() if isinstance(stdin, str) else stdin
        if "PYTHONPATH" in (env or {}):  # read when Python starts
            done = subprocess.run(
                [SCRIPT, *words], input=data, capture_output=True, cwd=tmp_path, env=everything, timeout=60, check=False
            )
            return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
        return run_script("runcomfy-client", words, folder=tmp_path, environment=everything, stdin=data)

    return run
