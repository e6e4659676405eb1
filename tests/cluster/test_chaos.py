"""Workers that are killed and frozen, a database that crashes and connections that are cut: nothing is paid twice."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from runcomfy_simulator import Simulator

from tests.support.postgres import PostgresServer, create_database, find_binaries
from tests.support.workers import Workers, check_books, write_rows

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

SUBMITS = 4
LONG = pytest.mark.long


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One that a test may crash, and that keeps what it has committed."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL is here")
    server = PostgresServer(binaries, durable=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def state(server: PostgresServer) -> str:
    return create_database(server.url("{database}"))


def simulator(schemas: Path, fault_rate: float = 0.0) -> Simulator:
    return Simulator(schemas, queue_seconds=0.0, run_seconds=0.1, slots=200, balance=1e6, fault_rate=fault_rate, seed=1)


def wait_for(workers: Workers, ended: int, *, seen: int = 0, seconds: float = 120.0) -> None:
    """Until so many jobs have ended, and so many workers were seen."""
    end = time.monotonic() + seconds
    view = workers.view()
    while (status := view.status()).ended < ended or len(status.workers) < seen:
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


@pytest.mark.parametrize(
    ("count", "kills", "fault_rate"),
    [(60, 2, 0.0), pytest.param(2000, 100, 0.2, marks=LONG)],
    ids=["a sample", "the whole"],
)
def test_killed_workers_lose_and_repeat_nothing(
    schemas: Path, state: str, tmp_path: Path, count: int, kills: int, fault_rate: float
) -> None:
    moments = random.Random(count)
    with simulator(schemas, fault_rate) as sim:
        workers = Workers(sim, state, tmp_path, lease=3.0)
        start_three(workers, write_rows(tmp_path / "rows.jsonl", count), rate=max(count / kills / 2, 10))
        for killed in range(kills):
            wait_for(workers, min((killed + 1) * count // (kills + 2), count // 2 + killed))
            time.sleep(moments.uniform(0.0, 0.3))
            workers.kill(moments.choice(workers.running))
            workers.start()
        workers.finish(300)
        counts = check_books(workers, count)
        assert counts["waiting"] == counts["running"] == 0
        if not fault_rate:
            assert counts["unsure"] <= kills * SUBMITS
            assert counts["done"] == count - counts["unsure"]


@pytest.mark.parametrize(
    ("count", "crashes", "seconds", "cuts"),
    [(60, 1, 1.0, 5), pytest.param(1000, 5, 4.0, 200, marks=LONG)],
    ids=["a sample", "the whole"],
)
def test_a_database_that_crashes_and_cuts_connections_costs_nothing(
    schemas: Path,
    server: PostgresServer,
    state: str,
    tmp_path: Path,
    count: int,
    crashes: int,
    seconds: float,
    cuts: int,
) -> None:
    moments = random.Random(crashes)
    over = threading.Event()
    cut = 0

    def cut_connections() -> None:
        nonlocal cut
        while cut < cuts and not over.wait(moments.uniform(0.05, 0.3)):
            try:
                with psycopg.connect(server.url(), autocommit=True) as connection:
                    cut += connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ="
                        " 'runcomfy-client' ORDER BY random() LIMIT 1"
                    ).rowcount
            except psycopg.Error:
                pass

    with simulator(schemas) as sim:
        workers = Workers(sim, state, tmp_path, lease=5.0)
        start_three(workers, write_rows(tmp_path / "rows.jsonl", count), rate=max(count / 60, 10))
        wait_for(workers, 0, seen=3)
        cutter = threading.Thread(target=cut_connections)
        cutter.start()
        for crash in range(crashes):
            wait_for(workers, (crash + 1) * count // (crashes + 4))
            server.crash()
            time.sleep(seconds)
            server.start()
        endings = workers.finish(300)
        over.set()
        cutter.join()
        counts = check_books(workers, count)
        assert counts == {"done": count}, workers.logs()
        assert endings == ["stopped None"] * 3, workers.logs()
        assert cut >= min(cuts, 3)


@pytest.mark.long
def test_a_frozen_worker_comes_back_to_its_jobs(schemas: Path, state: str, tmp_path: Path) -> None:
    with simulator(schemas) as sim:
        workers = Workers(sim, state, tmp_path)
        frozen = start_three(workers, write_rows(tmp_path / "rows.jsonl", 400), rate=15)
        wait_for(workers, 40, seen=3)
        os.kill(frozen.pid, signal.SIGSTOP)
        time.sleep(25)
        os.kill(frozen.pid, signal.SIGCONT)
        workers.finish(200)
        assert check_books(workers, 400) == {"done": 400}, workers.logs()


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
        counts = check_books(workers, 10)
        assert counts["done"] + counts["unsure"] == 10
