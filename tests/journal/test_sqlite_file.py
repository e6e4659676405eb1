"""The SQLite journal as a file: copied at any moment, made by an earlier version, large."""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.errors import ConfigurationError, JournalError
from runcomfy_client.journal import Budget, Journal
from runcomfy_client.journal.base import normal_address

from tests.support.internals import SqliteStore
from tests.support.journal import SCOPE, Sender, intent

if TYPE_CHECKING:
    from pathlib import Path

# As the first version made it.
VERSION_1 = """
CREATE TABLE submissions (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    base_url TEXT NOT NULL,
    model_id TEXT NOT NULL,
    job_key TEXT,
    input_digest TEXT NOT NULL,
    input TEXT,
    state TEXT NOT NULL,
    request_id TEXT,
    note TEXT,
    cost REAL,
    files TEXT,
    created_at REAL NOT NULL,
    submitted_at REAL,
    ended_at REAL
) STRICT;
CREATE UNIQUE INDEX one_job_a_key ON submissions (account, base_url, job_key)
    WHERE job_key IS NOT NULL AND state NOT IN ('refused', 'cancelled', 'released');
CREATE INDEX by_request_id ON submissions (request_id);
CREATE INDEX by_state ON submissions (state);
PRAGMA user_version = 1;
"""

WRITER = """
import sys
from pathlib import Path
from tests.support.journal import Sender, intent, sqlite_store
sender = Sender(sqlite_store(Path(sys.argv[1])))
number = 0
while True:
    sender.submit(intent(f"key-{number}"), f"job-{number}")
    print(number, flush=True)
    number += 1
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite"


@pytest.mark.parametrize("copies", [40, pytest.param(1_000, marks=pytest.mark.long)])
def test_a_copy_has_every_row_or_is_refused(path: Path, tmp_path: Path, copies: int) -> None:
    """At any moment, also while another process writes, and after it was killed."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    whole = 0
    with process.stdout:
        for number_of_copy in range(copies):
            known = int(process.stdout.readline())
            copy = tmp_path / f"copy-{number_of_copy}.sqlite"
            time.sleep(random.random() / 100)
            if number_of_copy == copies - 1:
                process.kill()
                process.wait()
            shutil.copyfile(path, copy)
            try:
                with Journal(copy) as journal:
                    jobs = {entry.job_key: entry.request_id for entry in journal.entries()}
            except JournalError:
                continue
            whole += 1
            assert all(jobs.get(f"key-{number}") == f"job-{number}" for number in range(known + 1))
    assert whole >= copies // 2


def test_a_copy_that_lacks_half_of_a_commit_is_refused(path: Path, tmp_path: Path) -> None:
    """Made page by page, as a copy that runs beside a commit may come out."""
    store = SqliteStore(path)
    sender = Sender(store)
    for number in range(50):
        sender.submit(intent(f"key-{number}"), f"job-{number}")
    store.close()
    before = path.read_bytes()
    sender.submit(intent("last"), "job-last")
    store.close()
    after = path.read_bytes()
    pages = [
        start for start in range(0, len(after), 4096) if before[start : start + 4096] != after[start : start + 4096]
    ]
    assert len(pages) > 2
    refused = 0
    for number, page in enumerate(pages[1:]):  # all have the new header
        torn = bytearray(after)
        torn[page : page + 4096] = before[page : page + 4096].ljust(4096, b"\0")
        copy = tmp_path / f"torn-{number}.sqlite"
        copy.write_bytes(torn)
        with Journal(copy) as journal:
            try:
                assert journal.find("job-last") is not None
            except JournalError as error:
                refused += "middle of a write" in str(error) or "malformed" in str(error)
    assert refused == len(pages) - 1


def test_nothing_else_holds_rows(path: Path) -> None:
    sender = Sender(SqliteStore(path))
    for number in range(20):
        sender.submit(intent(), f"job-{number}")
        assert f"job-{number}".encode() in path.read_bytes()
    assert {file.name for file in path.parent.iterdir()} <= {"jobs.sqlite", "jobs.sqlite-journal"}


class TestVersion1:
    @pytest.fixture
    def old(self, path: Path) -> Path:
        """A file of the first version, in its WAL mode."""
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(VERSION_1)
            rows = [
                ("s-1", "https://api.example", "a", "completed", "job-1", 0.5, json.dumps(["https://x"])),
                ("s-2", "https://api.example:443", "b", "submitted", "job-2", None, None),
                ("s-3", "https://api.example", "c", "sending", None, None, None),
                ("s-4", "https://api.example", "d", "submitted", "job-4", None, None),
                ("s-5", "https://api.example.:443/", "d", "submitted", "job-5", None, None),
            ]
            columns = (
                "id, base_url, job_key, state, request_id, cost, files, account, model_id, input_digest, created_at"
            )
            connection.executemany(
                f"INSERT INTO submissions ({columns})"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 'account', 'any/model', 'digest', 1.8e9)",
                rows,
            )
        return path

    def test_its_rows_are_kept(self, old: Path) -> None:
        with Journal(old) as journal:
            entries = {entry.submission_id: entry for entry in journal.entries()}
            assert len(entries) == 5
            assert (entries["s-1"].cost, entries["s-1"].files) == (0.5, ("https://x",))
            assert entries["s-3"].state == "unsure"
            assert journal.settle("c", started=False).state == "refused"
        assert not old.with_name(old.name + "-wal").exists()
        with contextlib.closing(sqlite3.connect(old)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() != ("wal",)
            assert connection.execute("PRAGMA user_version").fetchone() == (3,)
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    def test_its_keys_count_under_each_spelling_of_the_address(self, old: Path) -> None:
        sender = Sender(SqliteStore(old))
        for key, request_id in (("a", "job-1"), ("b", "job-2"), ("d", "job-5")):
            taken = sender.intend(intent(key))
            assert taken is not None
            assert taken.request_id == request_id
        assert sender.store.find(SCOPE, "job-4") is not None

    def test_many_processes_update_it_at_once(self, old: Path) -> None:
        script = "import sys; from runcomfy_client.journal import Journal; print(len(Journal(sys.argv[1]).pending()))"
        command = [sys.executable, "-c", script, str(old)]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
        assert {process.communicate(timeout=60)[0] for process in processes} == {b"4\n"}

    def test_two_that_wait_for_a_third_do_not_wait_for_each_other(self, old: Path) -> None:
        def pending() -> int:
            with Journal(old) as journal:
                return len(journal.pending())

        with contextlib.closing(sqlite3.connect(old)) as third, ThreadPoolExecutor(2) as threads:
            third.execute("SELECT * FROM submissions").fetchall()
            waiting = [threads.submit(pending) for _ in range(2)]
            time.sleep(0.3)
            third.close()
            assert [future.result(10) for future in waiting] == [4, 4]

    def test_a_copy_without_its_wal_is_refused(self, path: Path, tmp_path: Path) -> None:
        """It would open without an error, and have none of the rows."""
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(VERSION_1)
            copy = tmp_path / "copy.sqlite"
            shutil.copyfile(path, copy)
        for _ in range(2):
            with Journal(copy) as journal, pytest.raises(JournalError, match="without its rows"):
                journal.pending()


def test_a_file_of_the_second_version_gets_budgets(path: Path) -> None:
    sender = Sender(SqliteStore(path))
    sender.submit(intent("k"), "job-1")
    sender.store.close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            "DROP INDEX by_time; ALTER TABLE submissions DROP COLUMN reserved; PRAGMA user_version = 2"
        )
    store = SqliteStore(path)
    assert Sender(store).intend(intent("k2", budget=Budget(max_cost=1, estimate=0.25))) is None
    assert store.spending(SCOPE.base_url, 3600) == (2, 0, 250_000)
    assert store.find(SCOPE, "job-1") is not None


def test_an_empty_file_has_no_rows_to_read(path: Path) -> None:
    path.touch()
    with Journal(path) as journal:
        with pytest.raises(JournalError, match="the file is empty"):
            journal.pending()
        Sender(SqliteStore(path)).intend(intent())
        assert len(journal.pending()) == 1


@pytest.mark.parametrize(
    ("address", "normal"),
    [
        ("https://model-api.runcomfy.net", "https://model-api.runcomfy.net"),
        ("https://model-api.runcomfy.net:443", "https://model-api.runcomfy.net"),
        ("https://Model-API.runcomfy.net./", "https://model-api.runcomfy.net"),
        ("https://model-api.runcomfy.net:8443/base/", "https://model-api.runcomfy.net:8443/base"),
        ("http://127.0.0.1:80", "http://localhost"),
        ("http://[::1]:8787", "http://localhost:8787"),
        ("https://[2001:db8::1]:443", "https://[2001:db8::1]"),
    ],
)
def test_one_spelling_for_one_address(address: str, normal: str) -> None:
    assert normal_address(address) == normal


@pytest.mark.parametrize("name", ["a\0b", "~nobody-of-that-name/jobs", "half \ud83d", 5, None, b"bytes"])
def test_what_can_be_no_path_is_refused(name: object) -> None:
    with pytest.raises(ConfigurationError):
        Journal(name)  # type: ignore[arg-type]  # the fault


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_no_journal(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(JournalError, match="not a regular file"):
        Sender(SqliteStore(path)).intend(intent())


@pytest.mark.parametrize("name", ["a b.sqlite", "50%.sqlite", "what?.sqlite", "a#b.sqlite", "ä;ö.sqlite", "[x].sqlite"])
def test_any_name_of_a_file_will_do(tmp_path: Path, name: str) -> None:
    store = SqliteStore(tmp_path / name)
    wanted = intent()
    Sender(store).intend(wanted)
    store.spill(wanted, "job-1")
    assert [entry.request_id for entry in SqliteStore(tmp_path / name).pending(None)] == ["job-1"]
    assert {file.name for file in tmp_path.iterdir()} <= {name, f"{name}-journal"}


def test_a_damaged_spill_stops_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.with_name("jobs.sqlite-unrecorded-x.json").write_text('{"submission_id": ')
    sender = Sender(SqliteStore(path))
    sender.submit(intent(), "job-1")
    assert [entry.request_id for entry in sender.store.pending(None)] == ["job-1"]
    assert "jobs.sqlite-unrecorded-" in caplog.text


def test_a_damaged_spill_keeps_no_other_from_being_taken_in(path: Path) -> None:
    store = SqliteStore(path)
    wanted = intent("k")
    Sender(store).intend(wanted)
    for number, text in enumerate(('{"submission_id": ', "[" * 100_000, "[]", '{"request_id": "job-2"}')):
        path.with_name(f"jobs.sqlite-unrecorded-{number}.json").write_text(text)
    store.spill(wanted, "job-1")
    assert [entry.request_id for entry in store.pending(None)] == ["job-1"]
    assert len(list(path.parent.glob("*-unrecorded-*"))) == 4


def test_a_job_that_another_process_could_not_write_is_not_settled_away(path: Path) -> None:
    here, there = SqliteStore(path), SqliteStore(path)
    wanted = intent("k")
    Sender(there, seconds=0.01).intend(wanted)
    Sender(here).submit(intent(), "job-2")
    assert len(here.pending(None)) == 2
    there.spill(wanted, "job-1")
    time.sleep(0.02)
    with pytest.raises(JournalError, match="is submitted, not unsure"):
        here.settle(wanted.submission_id, None, "not started")
    assert [entry.request_id for entry in here.pending(None)] == ["job-1", "job-2"]


def test_a_job_that_no_file_can_keep_is_kept_in_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(path)
    wanted = intent("k")
    Sender(store).intend(wanted)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("runcomfy_client.journal.sqlite.os.fsync", full)
        with pytest.raises(JournalError, match="No space left"):
            store.spill(wanted, "job-1")
    assert not list(path.parent.glob("*-unrecorded-*"))
    assert [entry.request_id for entry in store.pending(None)] == ["job-1"]


def fill(path: Path, rows: int) -> None:
    """Jobs that have ended, one in ten pending."""
    SqliteStore(path).close()
    Sender(SqliteStore(path)).intend(intent())
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany(
            "INSERT INTO submissions (id, account, base_url, model_id, job_key, input_digest, state, request_id,"
            " created_at) VALUES (?, ?, ?, 'any/model', ?, 'digest', ?, ?, 1.8e9)",
            (
                (
                    f"{random.getrandbits(128):032x}",
                    *SCOPE,
                    f"key-{number}",
                    "completed" if number % 10 else "submitted",
                    f"job-{number}",
                )
                for number in range(rows)
            ),
        )
        connection.commit()


def test_no_query_reads_the_whole_table(path: Path) -> None:
    """By SQLite's own plan, which no busy machine can change."""
    sender = Sender(SqliteStore(path))
    sender.intend(intent())
    asked: list[str] = []
    store = sender.store
    assert isinstance(store, SqliteStore)
    for handle in (store._writing, store._reading):
        with handle.lock:
            store._open(handle, create=False).set_trace_callback(asked.append)
    wanted = intent("k", budget=Budget(max_jobs=9))
    sender.intend(wanted)
    store.spending(SCOPE.base_url, 3600)
    store.renew(sender.owner, [wanted.submission_id], 15)
    store.submitted(wanted.submission_id, "job-1")
    store.ended(SCOPE, "job-1", "completed", cost=1.0, files=[], note=None)
    store.find(SCOPE, "k")
    store.pending(SCOPE)
    store.release(wanted.submission_id)
    other = intent()
    sender.intend(other)
    store.unsure(other.submission_id, sender.owner, "")
    plain = [statement for statement in asked if statement.startswith(("SELECT", "UPDATE", "INSERT"))]
    assert len(plain) >= 12
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.create_function("clock", 0, time.time)
        connection.create_function("whole", 1, math.floor)
        for statement in plain:
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
                assert not row[3].startswith("SCAN submissions"), (statement, row[3])


@pytest.mark.long
def test_what_a_submit_costs_does_not_grow_with_the_journal(tmp_path: Path) -> None:
    small, large = cost(tmp_path / "small.sqlite", 3_000), cost(tmp_path / "large.sqlite", 300_000)
    assert large <= 2 * small, f"{small * 1000:.2f} ms, {large * 1000:.2f} ms"


def cost(path: Path, rows: int) -> float:
    """Seconds of an intent and its id, without the disk's share."""
    fill(path, rows)
    sender = Sender(SqliteStore(path))
    store = sender.store
    assert isinstance(store, SqliteStore)
    with store._writing.lock:
        store._open(store._writing, create=False).execute("PRAGMA synchronous = OFF")
    times = []
    for number in range(200):
        begun = time.perf_counter()
        sender.submit(intent(f"new-{number}"), f"new-{number}")
        times.append(time.perf_counter() - begun)
    return statistics.median(times)
