"""Many jobs in flight and many polls: all answered truly, with flat memory. Speeds are measured, not asserted."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.load import Load, load, simulator_process

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")


def held(schemas: Path, jobs: int, seconds: float) -> Load:
    with simulator_process(schemas, "--queue-seconds", "600") as (pid, host, port):
        return asyncio.run(load(pid, host, port, jobs=jobs, seconds=seconds))


def test_a_sample_of_the_load(schemas: Path) -> None:
    seen = held(schemas, jobs=500, seconds=1)
    assert seen.faulty == 0
    assert seen.polls > 500
    assert seen.memory_last < seen.memory_first + 10


@pytest.mark.long
def test_two_thousand_jobs_in_flight(schemas: Path) -> None:
    seen = held(schemas, jobs=2000, seconds=30)
    print(seen)
    assert seen.faulty == 0
    assert seen.polls > 2000 * 10
    # Jobs cost what they cost; polling them for half a minute costs nothing more.
    assert seen.memory_last < seen.memory_first + 5
    assert seen.memory_last < seen.memory_idle + 100
