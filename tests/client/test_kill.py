"""After kill -9 at any moment no id that was known is lost, and every submit that is unsure is listed as unsure."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.client import SyncClient
from runcomfy_client.errors import SubmissionUnknownError
from runcomfy_simulator import Simulator

from tests.support.simulator import IMAGE, write_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A batch of a user's: each job has its key, and each id that the client gave is told at once.
BATCH = """
import asyncio, os, sys
from runcomfy_client.client import AsyncClient, SyncClient

kind, url, token, journal, model_id, first = sys.argv[1:7]
prompts = [(f"{first}-{number}", {"prompt": f"picture {number}"}) for number in range(40)]

def tell(word):
    os.write(1, (word + "\\n").encode())

def sync():
    with SyncClient(token, url, journal=journal) as client:
        tell("ready")
        for key, given in prompts:
            tell("id " + client.submit(model_id, given, {"job_key": key}).request_id)

async def asynchronous():
    async with AsyncClient(token, url, journal=journal) as client:
        tell("ready")
        async def one(key, given):
            tell("id " + (await client.submit(model_id, given, {"job_key": key})).request_id)
        for start in range(0, len(prompts), 4):
            await asyncio.gather(*(one(key, given) for key, given in prompts[start : start + 4]))

sync() if kind == "sync" else asyncio.run(asynchronous())
"""


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    schemas = tmp_path_factory.mktemp("schemas")
    write_schemas(schemas)
    with Simulator(schemas, queue_seconds=0.0, run_seconds=0.05, balance=1e9) as simulator:
        yield simulator


@pytest.mark.parametrize(
    ("first", "count"), [(0, 20), pytest.param(20, 280, marks=pytest.mark.long)], ids=["a sample", "the whole"]
)
def test_nothing_known_is_lost_to_kill_9(sim: Simulator, tmp_path: Path, first: int, count: int) -> None:
    unsure = 0
    for seed in range(first, first + count):
        unsure += killed(sim, tmp_path / f"{seed}.sqlite", seed)
    # The moments are random; if none of them hits a POST under way, this test tests nothing.
    assert unsure > 0


def killed(sim: Simulator, journal: Path, seed: int) -> int:
    """Run a batch, kill it, compare what it told, what the journal says and what the API has; give the unsure ones."""
    moment = random.Random(seed)
    before = {job.request_id for job in sim.jobs}
    kind = ("sync", "async")[seed % 2]
    process = subprocess.Popen(
        [sys.executable, "-c", BATCH, kind, sim.url, sim.token, str(journal), IMAGE, str(seed)],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    time.sleep(moment.uniform(0.0, 0.25))
    process.kill()
    printed_ids = {line.split()[1].decode() for line in process.stdout.read().splitlines() if line.startswith(b"id ")}
    process.stdout.close()
    process.wait()
    time.sleep(0.05)  # what was on the wire may still arrive
    started = {job.request_id for job in sim.jobs} - before
    with SyncClient(sim.token, sim.url, journal=journal) as client:
        assert client.journal is not None
        pending = client.journal.pending()
        known = {entry.request_id for entry in pending if entry.request_id is not None}
        unsure = [entry for entry in pending if entry.state == "unsure"]
        assert {entry.state for entry in pending} <= {"submitted", "unsure"}
        assert printed_ids <= known, "an id that the program had seen is not in the journal"
        assert known <= started, "the journal names a job that never was"
        assert len(started - known) <= len(unsure), "a paid job is neither known nor listed as unsure"
        for entry in unsure:
            key = str(entry.job_key)
            given = {"prompt": f"picture {key.partition('-')[2]}"}
            with pytest.raises(SubmissionUnknownError):
                client.submit(entry.model_id, given, {"job_key": key})
        assert {job.request_id for job in sim.jobs} - before == started, "an unsure submit was sent again"
        if known:
            assert client.job(sorted(known)[0]).wait(20).files
    return len(unsure)
