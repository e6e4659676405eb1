"""What is particular to a journal in PostgreSQL: other machines, outages, and the password."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from runcomfy_client.cli.app import run_app
from runcomfy_client.cli.errors import CommandError
from runcomfy_client.client import AsyncClient, SyncClient
from runcomfy_client.errors import ConfigurationError, JournalError, SubmissionUnknownError
from runcomfy_client.journal import Journal
from runcomfy_simulator import Simulator

from tests.support.internals import PostgresStore
from tests.support.journal import SCOPE, Sender, intent
from tests.support.postgres import PASSWORD, PASSWORD_IN_URL
from tests.support.simulator import IMAGE, write_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgres import PostgresServer

SECRETS = re.findall("[a-z]+", PASSWORD)


@pytest.fixture(autouse=True)
def _state_in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    schemas = tmp_path_factory.mktemp("schemas")
    write_schemas(schemas)
    with Simulator(schemas, queue_seconds=0.0, run_seconds=0.05) as simulator:
        yield simulator


def test_a_client_keeps_its_journal_there(sim: Simulator, postgres_url: str) -> None:
    with SyncClient(sim.token, sim.url, journal=postgres_url) as client:
        assert client.journal.pending() == []
        job = client.submit(IMAGE, {"prompt": "a fox"}, {"job_key": "fox"})
        job.wait(timeout=30)
        assert client.submit(IMAGE, {"prompt": "a fox"}, {"job_key": "fox"}).request_id == job.request_id
        (entry,) = client.journal.entries()
    assert (entry.state, entry.request_id, entry.job_key) == ("completed", job.request_id, "fox")
    with Journal(postgres_url) as journal, pytest.raises(ConfigurationError, match="is not a file"):
        print(journal.path)


def test_the_command_line_finds_it_by_a_variable(
    sim: Simulator,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", sim.token)
    monkeypatch.setenv("RUNCOMFY_BASE_URL", sim.url)
    monkeypatch.setenv("RUNCOMFY_JOURNAL", postgres_url)
    with SyncClient(sim.token, sim.url, journal=postgres_url) as client:
        job = client.submit(IMAGE, {"prompt": "a fox"}, {"job_key": "by another program"})
        assert run_app(["result", job.request_id, "--wait", "-o", str(tmp_path)]) == 0
        sim.script("submit 1: lost reply")
        with pytest.raises(SubmissionUnknownError):
            client.submit(IMAGE, {"prompt": "a fox"}, {"job_key": "lost"})
    sim.clear_script()
    for words in ("jobs", "jobs --json", "pending --refresh", "result --all", "settle lost --not-started", "pending"):
        assert run_app(words.split()) == 0
    shown = capsys.readouterr()
    assert "by another program" in shown.out
    assert "Nothing is pending in postgresql://runcomfy@127.0.0.1" in shown.err
    for password in (PASSWORD, PASSWORD_IN_URL):
        assert password not in shown.out + shown.err
    assert not (tmp_path / "state" / "runcomfy-client" / "journal.sqlite3").exists()

    # An address is never an argument, and no file.
    for options, variable in ((["--journal", postgres_url], ""), ([], "mysql://me:secret@db/jobs")):
        monkeypatch.setenv("RUNCOMFY_JOURNAL", variable)
        with pytest.raises((CommandError, ConfigurationError), match="address") as error:
            run_app(["pending", *options])
        assert PASSWORD_IN_URL not in str(error.value)
        assert "secret" not in str(error.value)


def test_an_async_client_writes_it_beside_the_event_loop(sim: Simulator, postgres_url: str) -> None:
    """While another machine holds the journal's lock, the loop goes on."""

    async def work() -> tuple[int, str]:
        async with AsyncClient(sim.token, sim.url, journal=postgres_url) as client:
            await client.submit(IMAGE, {"prompt": "the first opens the connection"})
            store = PostgresStore(postgres_url)
            held, done = threading.Event(), threading.Event()

            def hold() -> None:
                with store.transaction():
                    held.set()
                    done.wait(30)
                store.close()

            holder = threading.Thread(target=hold)
            holder.start()
            await asyncio.to_thread(held.wait)
            submit = asyncio.ensure_future(client.submit(IMAGE, {"prompt": "a moon"}))
            ticks = 0
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                await asyncio.sleep(0.01)
                ticks += 1
            assert not submit.done()
            done.set()
            job = await submit
            holder.join()
            return ticks, job.request_id

    ticks, request_id = asyncio.run(work())
    assert ticks > 10
    assert Journal(postgres_url).find(request_id) is not None


def test_the_lease_is_measured_by_the_databases_clock(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = PostgresStore(postgres_url, schema="clocks", spill_start=tmp_path / "jobs")
    real = time.time
    with monkeypatch.context() as patch:
        patch.setattr("time.time", lambda: real() + 86_400)
        Sender(store).intend(intent("k"))
        assert [entry.state for entry in store.pending(None)] == ["sending"]
    assert [entry.state for entry in store.pending(None)] == ["sending"]
    store.close()


def test_the_password_is_shown_to_nobody(postgres_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bad = [
        postgres_url.replace(PASSWORD_IN_URL, PASSWORD),  # not percent-encoded
        postgres_url.replace(PASSWORD_IN_URL, PASSWORD.replace("/", "")),
        postgres_url.replace(PASSWORD_IN_URL, PASSWORD_IN_URL + "x"),  # wrong
        postgres_url.replace("127.0.0.1", "nowhere.invalid"),
        postgres_url.replace("postgresql://", "postgres://").partition("@127")[0] + "@127.0.0.1:1/none",
    ]
    told = []
    for url in bad:
        with pytest.raises((ConfigurationError, JournalError)) as caught:
            Journal(url).pending()
        told += [repr(caught.value), str(caught.value), repr(vars(caught.value))]
        told += [str(caught.value.__cause__), str(caught.value.__context__)]
    journal = Journal(postgres_url)
    told += [repr(journal), repr(journal._store), str(vars(journal)), caplog.text]
    told.append(repr(getattr(journal._store, "address", None)))
    for text in told:
        assert not [secret for secret in SECRETS if secret in text], text


def test_a_wrong_address_fails_at_once(postgres_url: str) -> None:
    began = time.monotonic()
    with pytest.raises(JournalError, match="cannot be reached"):
        Journal(postgres_url.replace("/test_", "/none_")).pending()
    assert time.monotonic() - began < 10


def test_a_connection_that_is_cut_is_opened_again(postgres_url: str, tmp_path: Path) -> None:
    store = PostgresStore(postgres_url, schema="cut", spill_start=tmp_path / "jobs")
    sender = Sender(store)
    for number in range(5):
        sender.submit(intent(), f"job-{number}")
        with psycopg.connect(postgres_url, autocommit=True) as other:
            # Those of this database: other tests use the server at the same time.
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            other.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    assert [entry.request_id for entry in store.pending(SCOPE)] == [f"job-{number}" for number in range(5)]
    assert not list(tmp_path.glob("*unrecorded*"))
    store.close()


def test_a_paid_job_outlives_a_crash_of_the_database(durable_postgres: PostgresServer, tmp_path: Path) -> None:
    """Its id is in a file while the database is away, and in the database when it is back."""
    store = PostgresStore(durable_postgres.url(), spill_start=tmp_path / "jobs")
    wanted = intent("k")
    sender = Sender(store)
    sender.intend(wanted)
    durable_postgres.crash()
    write = threading.Thread(target=store.submitted, args=(wanted.submission_id, "job-1"), daemon=True)
    write.start()
    end = time.monotonic() + 10
    while not (kept := list(tmp_path.glob("jobs-unrecorded-*.json"))):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert "job-1" in kept[0].read_text()
    durable_postgres.start()
    write.join(30)
    assert [entry.request_id for entry in store.pending(SCOPE)] == ["job-1"]
    assert not kept[0].exists()

    # A database that stays away for too long: the call fails, and the file waits for the next one.
    store.outage_seconds = 0.3
    other = intent()
    sender.intend(other)
    durable_postgres.crash()
    with pytest.raises(JournalError, match="cannot be reached"):
        store.submitted(other.submission_id, "job-2")
    durable_postgres.start()
    anew = PostgresStore(durable_postgres.url(), spill_start=tmp_path / "jobs")
    assert [entry.request_id for entry in anew.pending(SCOPE)] == ["job-1", "job-2"]
    for each in (store, anew):
        each.close()


FROZEN = """
import os, sys, time
from pathlib import Path
from runcomfy_client.journal import postgres
from runcomfy_client.journal.postgres import PostgresStore

postgres.SETTINGS = postgres.SETTINGS.replace("'10s'", "'1s'")
store = PostgresStore(sys.argv[1], schema="frozen", spill_start=Path(sys.argv[2]))
with store.transaction(create=True):
    print("holds", flush=True)
    time.sleep(60)
"""


def test_a_frozen_machine_holds_up_nobody_for_long(postgres_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FROZEN, postgres_url, str(tmp_path / "jobs")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as frozen:
        assert frozen.stdout is not None
        assert frozen.stdout.readline() == b"holds\n"
        os.kill(frozen.pid, signal.SIGSTOP)
        try:
            store = PostgresStore(postgres_url, schema="frozen", spill_start=tmp_path / "jobs")
            assert Sender(store).intend(intent("k")) is None
            store.close()
        finally:
            os.kill(frozen.pid, signal.SIGKILL)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_a_connection_of_its_own(postgres_url: str, tmp_path: Path) -> None:
    store = PostgresStore(postgres_url, schema="forked", spill_start=tmp_path / "jobs")
    Sender(store).submit(intent(), "job-0")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            Sender(store).submit(intent(), "job-1")
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    Sender(store).submit(intent(), "job-2")
    assert [entry.request_id for entry in store.pending(None)] == ["job-0", "job-1", "job-2"]
    store.close()
