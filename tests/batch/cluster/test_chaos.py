"""Workers that are killed and frozen, a database that crashes and connections that are cut: nothing is paid twice."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import signal
import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from runcomfy_client.client import SyncClient
from runcomfy_simulator import Simulator

from tests.support.batches import write_rows
from tests.support.postgres import create_database
from tests.support.workers import Workers

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path
    from typing import Self

    from tests.support.postgres import PostgresServer

SUBMITS = 4


@pytest.fixture
def state(durable_postgres: PostgresServer) -> str:
    return create_database(durable_postgres.url("{database}"))


def simulator(schemas: Path, fault_rate: float = 0.0) -> Simulator:
    return Simulator(schemas, queue_seconds=0.0, run_seconds=0.1, slots=200, balance=1e6, fault_rate=fault_rate, seed=1)


def wait_for(workers: Workers, ended: int = 0, seconds: float = 120.0) -> None:
    """Until so many jobs have ended, and all workers have joined."""
    end = time.monotonic() + seconds
    view = workers.view()
    running = {process.pid for process in workers.running}
    while (status := view.status()).ended < ended or not running <= {
        int(worker.name.split()[1]) for worker in status.workers
    }:
        assert time.monotonic() < end, f"{status}\n{workers.logs()}"
        time.sleep(0.1)
    view.close()


def start_three(workers: Workers, rows: Path, **options: float) -> subprocess.Popen[str]:
    """Start three workers, and return the first."""
    first = workers.start(rows, **options)
    workers.wait_until_loaded()
    for _ in range(2):
        workers.start()
    return first


@dataclasses.dataclass(frozen=True)
class Plan:
    """What happens to a batch. ``rate`` is submits a second, of three workers together."""

    jobs: int
    rate: float
    kills: int = 0
    drains: int = 0
    crashes: int = 0
    away: float = 0.0
    cuts: int = 0
    fault_rate: float = 0.0


SAMPLE = Plan(jobs=40, rate=12, kills=1, drains=1, crashes=1, away=0.5, cuts=5)
KILLS = Plan(jobs=2000, rate=10, kills=100, fault_rate=0.2)
CRASHES = Plan(jobs=1000, rate=16, crashes=5, away=4.0, cuts=200)


@pytest.mark.parametrize(
    "plan",
    [SAMPLE, pytest.param(KILLS, marks=pytest.mark.long), pytest.param(CRASHES, marks=pytest.mark.long)],
    ids=["a sample of both", "kills", "crashes"],
)
def test_nothing_is_lost_or_paid_twice(
    schemas: Path, durable_postgres: PostgresServer, state: str, tmp_path: Path, plan: Plan
) -> None:
    """When workers are killed, and the database crashes and cuts connections."""
    moments = random.Random(plan.jobs)
    with simulator(schemas, plan.fault_rate) as sim, Cutter(durable_postgres, plan.cuts, moments) as cutter:
        workers = Workers(sim, state, tmp_path, lease=5.0)
        start_three(workers, write_rows(tmp_path / "rows.jsonl", plan.jobs), rate=plan.rate)
        wait_for(workers)
        cutter.start()
        events = ["kill"] * plan.kills + ["drain"] * plan.drains + ["crash"] * plan.crashes
        for number, event in enumerate(events, 1):
            wait_for(workers, min(number * plan.jobs // (len(events) + 2), plan.jobs // 2 + number))
            time.sleep(moments.uniform(0.0, 0.3))
            if event == "crash":
                durable_postgres.crash()
                time.sleep(plan.away)
                durable_postgres.start()
                continue
            ending = workers.drain if event == "drain" else workers.kill
            ending(moments.choice(workers.running))
            workers.start()
            if plan.crashes:  # who cannot reach its database when it begins ends at once
                wait_for(workers)
        endings = workers.finish(300)
        cutter.stop()
        counts = workers.check_books(plan.jobs)
        assert counts["waiting"] == counts["running"] == 0
        if not plan.fault_rate:
            assert counts["unsure"] <= plan.kills * SUBMITS
            assert counts["done"] == plan.jobs - counts["unsure"], workers.logs()
            assert endings == ["stopped None"] * 3, workers.logs()
        assert cutter.cut >= min(plan.cuts, 3)


class Cutter:
    """Ends connections of workers at random moments."""

    def __init__(self, server: PostgresServer, cuts: int, moments: random.Random) -> None:
        self.cut = 0
        self._server = server
        self._cuts = cuts
        self._moments = moments
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while self.cut < self._cuts and not self._over.wait(self._moments.uniform(0.05, 0.3)):
            with contextlib.suppress(psycopg.Error), psycopg.connect(self._server.url(), autocommit=True) as connection:
                self.cut += connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ="
                    " 'runcomfy-client' ORDER BY random() LIMIT 1"
                ).rowcount


@pytest.mark.long
def test_a_frozen_worker_comes_back_to_its_jobs(schemas: Path, state: str, tmp_path: Path) -> None:
    with simulator(schemas) as sim:
        workers = Workers(sim, state, tmp_path)
        frozen = start_three(workers, write_rows(tmp_path / "rows.jsonl", 400), rate=15)
        wait_for(workers, 40)
        os.kill(frozen.pid, signal.SIGSTOP)
        time.sleep(25)
        os.kill(frozen.pid, signal.SIGCONT)
        workers.finish(200)
        assert workers.check_books(400) == {"done": 400}, workers.logs()


@pytest.mark.long
def test_the_jobs_of_a_dead_worker_are_taken_up_within_the_lease(schemas: Path, state: str, tmp_path: Path) -> None:
    """Within 15 + 3 seconds, while others have slots."""
    with Simulator(schemas, queue_seconds=0.0, run_seconds=30.0, slots=200, balance=1e6) as sim:
        workers = Workers(sim, state, tmp_path)
        dead = workers.start(write_rows(tmp_path / "rows.jsonl", 10))
        end = time.monotonic() + 30
        while sim.accepted < 10:
            assert time.monotonic() < end
            time.sleep(0.1)
        workers.start()
        time.sleep(4)
        workers.kill(dead)
        died = time.monotonic()
        store = workers.view().store
        while True:
            (row,) = store._read(
                "SELECT count(*) AS number FROM procrastinate_jobs WHERE status = 'doing' AND worker_id ="
                " (SELECT max(id) FROM procrastinate_workers)",
                (),
            )
            if row["number"] == 10:
                break
            assert time.monotonic() - died < 18
            time.sleep(0.1)
        store.close()
        workers.finish(60)
        counts = workers.check_books(10)
        assert counts["done"] + counts["unsure"] == 10


@pytest.mark.long
def test_what_a_job_costs_the_database(
    schemas: Path, durable_postgres: PostgresServer, state: str, tmp_path: Path
) -> None:
    """At most 15 transactions, and at least half the speed of an embedded batch."""
    seconds = {}
    for name, database in (("cluster", state), ("embedded", None)):
        with simulator(schemas) as sim, SyncClient(sim.token, sim.url) as client:
            rows = write_rows(tmp_path / "rows.jsonl", 400)
            batch = client.batch(rows, tmp_path / name, state=database, name="cost")
            began, cpu = time.monotonic(), durable_postgres.cpu_seconds()
            assert sum(item.ok for item in batch.run()) == 400
            seconds[name] = time.monotonic() - began
            milliseconds = (durable_postgres.cpu_seconds() - cpu) / 400 * 1000
            print(f"{name}: {400 / seconds[name]:.0f} jobs a second, {milliseconds:.1f} ms of PostgreSQL each")
    query = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    with psycopg.connect(state) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    print(f"{row[0] / 400:.1f} transactions a job")
    assert row[0] / 400 <= 15
    assert seconds["cluster"] <= 2 * seconds["embedded"]
