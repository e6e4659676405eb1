"""A batch over many machines: what its workers share, who may join, and what it is looked at and changed by."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.batch.batch import view_of
from runcomfy_client.batch.cluster import engine, queue
from runcomfy_client.batch.cluster.engine import FETCH_AHEAD
from runcomfy_client.batch.cluster.store import ClusterStore
from runcomfy_client.batch.items import Ending
from runcomfy_client.client import AsyncClient, SyncClient
from runcomfy_client.errors import ConfigurationError, JournalError
from runcomfy_client.journal.owners import new_owner
from runcomfy_simulator import Simulator

from tests.support.cli import SCHEMAS, SCRIPT, TEXT_TO_IMAGE
from tests.support.internals import Intent, Scope
from tests.support.postgres import PASSWORD, PASSWORD_IN_URL
from tests.support.simulator import IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runcomfy_client.batch.folder import BatchView

AHEAD = FETCH_AHEAD + 4  # with those that are being sent
MANY = AHEAD + 8  # more than a worker has slots for, with 3 jobs in flight
COST = 0.25  # of a job, in the simulator


@pytest.fixture(scope="module")
def sim(schemas: Path) -> Iterator[Simulator]:
    with Simulator(schemas, queue_seconds=0.0, run_seconds=0.2, slots=200, balance=1e6) as simulator:
        yield simulator


def rows(count: int) -> list[dict[str, Any]]:
    return [{"model": IMAGE, "key": f"key-{n}", "input": {"prompt": f"picture {n}"}} for n in range(count)]


def work(sim: Simulator, state: str, folder: Path, name: str, workers: int, count: int, **options: Any) -> list[str]:
    """Several workers at once, in threads; returns the keys of the jobs that ended, by whomever."""
    keys: list[str] = []
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            with SyncClient(sim.token, sim.url) as client:
                batch = client.batch(rows(count), folder / str(number), state=state, name=name, **options)
                keys.extend(item.key for item in batch.run())
        except BaseException as error:  # noqa: BLE001 - it belongs to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors
    assert not any(thread.is_alive() for thread in threads)
    return keys


def test_workers_share_jobs_rate_and_results(sim: Simulator, postgres_url: str, tmp_path: Path) -> None:
    before, began = sim.accepted, time.monotonic()
    in_flight = []
    over = threading.Event()

    def count() -> None:
        while not over.wait(0.02):
            with contextlib.suppress(ConfigurationError):  # it is not there yet
                view = view_of("shared", postgres_url)
                while not over.wait(0.02):
                    in_flight.append(view.status().in_flight)
                view.close()

    counter = threading.Thread(target=count)
    counter.start()
    keys = work(sim, postgres_url, tmp_path, "shared", 3, 24, rate=12, concurrency=3)
    over.set()
    counter.join()
    assert max(in_flight) == 3
    assert sorted(keys) == sorted(row["key"] for row in rows(24))
    assert sim.accepted - before == 24
    assert time.monotonic() - began >= 23 / 12
    view = view_of("shared", postgres_url)
    assert {facts["key"] for facts in view.facts()} == set(keys)
    tables = view.store._read("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'runcomfy_batch_shared'", ())
    assert len(tables) >= 10
    for table in tables:
        texts = view.store._read(f'SELECT CAST(t AS TEXT) AS text FROM "{table["name"]}" AS t', ())
        assert not [row for row in texts if sim.token in row["text"]], table
    files = [path for path in tmp_path.glob("*/files/*") if path.suffix != ".json"]
    assert len(files) >= 24
    assert (tmp_path / "0" / "report.json").is_file()
    view.close()


def test_the_budget_holds_over_workers(sim: Simulator, postgres_url: str, tmp_path: Path) -> None:
    """Also where a job costs more than was estimated: the first one runs alone, on whichever worker."""
    before = sim.accepted
    work(sim, postgres_url, tmp_path, "budget", 3, 30, budget=2.0, prices={IMAGE: COST / 5})
    assert 0 < (sim.accepted - before) * COST <= 2.0
    view = view_of("budget", postgres_url)
    status = view.status()
    assert status.spent + status.reserved <= 2.0
    assert status.counts["waiting"] >= 22
    view.close()


def begin_paused(sim: Simulator, state: str, folder: Path, name: str) -> tuple[BatchView, threading.Thread]:
    """A batch that is paused, and a worker that holds as many of its items as it may."""
    with SyncClient(sim.token, sim.url) as client:
        batch = client.batch(rows(MANY), folder, state=state, name=name, concurrency=3)
        batch._driver.run(batch._open()).close()
    view = view_of(name, state)
    view.pause()
    arguments = (sim, state, folder, name, 1, MANY)
    worker = threading.Thread(target=work, args=arguments, kwargs={"concurrency": 3}, daemon=True)
    worker.start()
    end = time.monotonic() + 20
    while True:
        states = view.store._read("SELECT CAST(status AS TEXT) AS status FROM procrastinate_jobs", ())
        if sum(row["status"] == "doing" for row in states) >= AHEAD:
            return view, worker
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_row_that_nobody_works_on_is_handed_out_again(
    sim: Simulator, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the reply was lost that would have told a worker of its job."""
    for module in (engine, queue):
        monkeypatch.setattr(module, "LEASE_SECONDS", 1.5)
    view, worker = begin_paused(sim, postgres_url, tmp_path, "stuck")
    stuck = view.store._read(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)"
        " WHERE status = 'todo' RETURNING id",
        (),
    )
    assert 1 <= len(stuck) <= MANY - AHEAD
    view.resume()
    worker.join(30)
    assert not worker.is_alive()
    assert view.status().counts["done"] == MANY
    view.close()


def test_a_paid_job_does_not_wait_for_slots_that_unsent_items_hold(
    sim: Simulator, postgres_url: str, tmp_path: Path
) -> None:
    """As when its worker dies while nothing can be sent: only its end may free the budget for the others."""
    view, worker = begin_paused(sim, postgres_url, tmp_path, "paid")
    with SyncClient(sim.token, sim.url) as client:
        job = client.submit(IMAGE, {"prompt": "of a worker that died"})
    with view.store.transaction() as connection:
        connection.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo'")
        connection.execute(
            "UPDATE items SET state = 'running', request_id = ?, submitted_at = clock() WHERE number = ?",
            (job.request_id, MANY),
        )
    end = time.monotonic() + 20
    while view.status().counts["done"] < 1:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert view.status().counts["waiting"] == MANY - 1
    view.resume()
    worker.join(30)
    assert not worker.is_alive()
    view.close()


def test_what_failed_is_retried_within_the_limits_of_before(sim: Simulator, postgres_url: str, tmp_path: Path) -> None:
    work(sim, postgres_url, tmp_path, "retried", 1, 3, rate=50, budget=4.0)
    view = view_of("retried", postgres_url)
    with view.store.transaction() as connection:
        connection.execute("UPDATE items SET state = 'failed', error = 'boom' WHERE key = 'key-1'")
    before = sim.accepted
    with SyncClient(sim.token, sim.url) as client:
        batch = client.batch(None, tmp_path / "0", state=postgres_url, name="retried")
        assert [(item.key, item.ok) for item in batch.retry(failed=True)] == [("key-1", True)]
        assert (batch._limits.rate, batch._limits.budget) == (50, 4.0)
    assert sim.accepted == before + 1
    assert view.status().counts["done"] == 3
    view.close()


def test_an_async_client_joins(sim: Simulator, postgres_url: str, tmp_path: Path) -> None:
    async def run() -> list[str]:
        async with AsyncClient(sim.token, sim.url) as client:
            batch = client.batch(rows(4), tmp_path, state=postgres_url, name="async")
            return [item.key async for item in batch.run()]

    assert len(asyncio.run(run())) == 4


def test_a_batch_is_of_one_account(sim: Simulator, postgres_url: str, tmp_path: Path) -> None:
    work(sim, postgres_url, tmp_path, "account", 1, 1)
    with SyncClient("another-token", sim.url) as client:
        for jobs in (None, rows(2)):
            batch = client.batch(jobs, tmp_path / "other", state=postgres_url, name="account")
            with pytest.raises(ConfigurationError, match="another token"):
                next(batch.run())
    with SyncClient(sim.token, sim.url) as client:
        with pytest.raises(ConfigurationError, match="no batch 'none'"):
            next(client.batch(None, tmp_path, state=postgres_url, name="none").run())
        with pytest.raises(ConfigurationError, match="cannot be the name"):
            next(client.batch(rows(1), tmp_path, state=postgres_url, name='x"; DROP').run())
        with pytest.raises(ConfigurationError, match="address of a PostgreSQL database"):
            client.batch(rows(1), tmp_path, state="mysql://x")


def test_what_one_machine_began_is_not_paid_again(sim: Simulator, postgres_url: str, tmp_path: Path) -> None:
    with SyncClient(sim.token, sim.url) as client:
        assert [item.ok for item in client.batch(rows(1), tmp_path).run()] == [True]
        before = sim.accepted
        with pytest.raises(ConfigurationError, match="a batch of this machine alone"):
            next(client.batch(rows(1), tmp_path, state=postgres_url, name="again").run())
    assert sim.accepted == before


def test_files_of_one_machine_are_refused_before_anything_is_sent(
    sim: Simulator, postgres_url: str, tmp_path: Path
) -> None:
    picture = tmp_path / "fox.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    before = sim.accepted
    with SyncClient(sim.token, sim.url, validate=False) as client:
        jobs = [{"model": IMAGE, "input": {"prompt": "x", "picture": picture}}]
        batch = client.batch(jobs, tmp_path / "out", state=postgres_url, name="files")
        with pytest.raises(ConfigurationError, match=r"on this machine.*shared mount"):
            next(batch.run())
    assert sim.accepted == before


# What a lease guards. The worker is played by hand, so that it can stand still at the very moment.


class Sender:
    """A worker that has one item to send."""

    def __init__(self, sim: Simulator, state: str, folder: Path, name: str, lease: float) -> None:
        self.store = ClusterStore(state, name, folder / "sender")
        with SyncClient(sim.token, sim.url) as client:
            batch = client.batch(rows(1), folder, state=state, name=name)
            started = client._driver.run(batch._open())
            started.close()
        item = self.store.items("waiting")[0]
        row = self.store.item(item.id)
        (batch_row,) = self.store._read("SELECT * FROM batches", ())
        scope = Scope(batch_row["account"], batch_row["base_url"])
        self.item_id = item.id
        # As if on another machine: its process cannot be looked up here.
        self.owner = new_owner().partition("@")[0] + "@elsewhere"
        self.intent = Intent("submission", scope, row["model_id"], item.job_key, row["digest"])
        assert self.store.intend(self.intent, self.owner, lease) is None

    def state(self) -> str:
        return str(self.store.item(self.item_id)["state"])


def test_nothing_is_settled_under_a_lease(sim: Simulator, postgres_url: str, tmp_path: Path) -> None:
    sender = Sender(sim, postgres_url, tmp_path, "lease", 0.8)
    view = view_of("lease", postgres_url)
    with pytest.raises(ConfigurationError, match="submitting, not unsure"):
        view.settle("key-0", started=False)
    assert sender.state() == "submitting"
    time.sleep(0.9)
    view.settle("key-0", started=False)
    assert sender.state() == "waiting"
    # The sender comes back: it no longer holds the lease, so it sends nothing, and changes nothing.
    assert sender.store.renew(sender.owner, ["submission"], 15) == frozenset()
    sender.store.refused("submission", sender.owner, "lost its place")
    assert sender.state() == "waiting"
    for each in (view, sender.store):
        each.close()


def test_a_sender_that_only_stood_still_ends_what_it_began(sim: Simulator, postgres_url: str, tmp_path: Path) -> None:
    sender = Sender(sim, postgres_url, tmp_path, "still", 0.2)
    time.sleep(0.3)
    sender.store.recover()
    assert sender.state() == "unsure"
    sender.store.refused("submission", sender.owner, "nothing was sent")
    assert sender.state() == "waiting"

    again = sender.intent._replace(submission_id="again")
    assert sender.store.intend(again, sender.owner, 0.2) is None
    time.sleep(0.3)
    sender.store.recover()
    assert sender.state() == "unsure"
    sender.store.submitted("again", "job-1")
    assert sender.state() == "running"
    # Two workers that followed the job both say how it ended; it is counted once.
    item = sender.store.find_item(sender.item_id)
    assert item is not None
    sender.store.end(Ending(item, "failed", "failed", 0.25))
    sender.store.end(Ending(item, "done", "completed", 0.5))
    assert (sender.state(), sender.store.status().spent) == ("failed", 0.25)

    # It is retried; who stood still all the time comes back with the first job's end, which is not the second job's.
    sender.store.retry(["key-0"])
    row = sender.store.item(sender.item_id)
    assert sender.store.intend(again._replace(submission_id="second", job_key=row["job_key"]), sender.owner, 15) is None
    sender.store.submitted("second", "job-2")
    sender.store.end(Ending(item, "failed", "failed", 0.25))
    assert (sender.state(), sender.store.status().spent) == ("running", 0.25)
    sender.store.close()


def test_the_same_intent_twice_is_one(sim: Simulator, postgres_url: str, tmp_path: Path) -> None:
    """The answer to the first commit was lost."""
    sender = Sender(sim, postgres_url, tmp_path, "twice", 0.2)
    assert sender.store.intend(sender.intent, sender.owner, 0.2) is None
    time.sleep(0.3)
    sender.store.recover()
    assert sender.state() == "unsure"
    assert sender.store.intend(sender.intent, sender.owner, 15) is None
    assert sender.state() == "submitting"
    with pytest.raises(JournalError, match="settled meanwhile"):
        sender.store.intend(sender.intent, "another owner", 15)
    (count,) = sender.store._read("SELECT count(*) AS number FROM submissions", ())
    assert count["number"] == 1
    sender.store.close()


def test_the_command_line(postgres_url: str, tmp_path: Path) -> None:
    with Simulator(SCHEMAS, queue_seconds=0.0, run_seconds=0.05, slots=200) as sim:
        environment = {**os.environ, "RUNCOMFY_BASE_URL": sim.url, "RUNCOMFY_API_TOKEN": sim.token}
        environment["RUNCOMFY_BATCH_STATE"] = postgres_url
        (tmp_path / "rows.csv").write_text("key,prompt\n" + "".join(f"fox-{n},fox {n}\n" for n in range(4)))
        said = []

        def call(*words: str) -> subprocess.CompletedProcess[str]:
            done = subprocess.run(
                [str(SCRIPT), "batch", *words],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=60,
                check=False,
            )
            said.append(done.stdout + done.stderr)
            return done

        assert call("work", "nobody").returncode == 2
        ran = call("run", "rows.csv", "--model", TEXT_TO_IMAGE, "--name", "cli", "-o", "out")
        assert ran.returncode == 0, ran.stderr
        assert sim.accepted == 4
        assert len((tmp_path / "out" / "results.jsonl").read_text().splitlines()) == 4
        status = json.loads(call("status", "cli", "--json").stdout)
        assert status["counts"]["done"] == 4
        assert call("export", "cli", "-o", "all.jsonl").returncode == 0
        assert {json.loads(line)["state"] for line in (tmp_path / "all.jsonl").read_text().splitlines()} == {"done"}
        assert call("settle", "cli", "fox-1", "--not-started").returncode != 0
        assert not [text for text in said if PASSWORD in text or PASSWORD_IN_URL in text]
        assert sim.accepted == 4
