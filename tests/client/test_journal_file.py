"""The journal's file in trouble: deleted, full, another program's; and keys that were settled in a hurry."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.errors import ConfigurationError, JobFailedError, JournalError, SubmissionUnknownError
from runcomfy_client.journal import Journal, base, leases
from runcomfy_client.journal import sqlite as journal_store
from runcomfy_client.journal.sqlite import SqliteStore

from tests.support import fault_proxy as faults
from tests.support.both import Clients
from tests.support.journal import Sender, intent, sqlite_store
from tests.support.tiny_api import COMPLETED, PNG

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fault_proxy import FaultProxy, Wire
    from tests.support.tiny_api import TinyApi

KINDS = ("sync", "async")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite"


def found(path: Path) -> list[tuple[str, str | None]]:
    with Journal(path) as journal:
        return [(entry.state, entry.request_id) for entry in journal.entries()]


@pytest.mark.parametrize("move", ["delete", "rename", "replace"])
def test_a_file_that_is_moved_in_use_is_not_begun_anew(
    clients: Clients, proxy: FaultProxy, path: Path, move: str
) -> None:
    """A new file would know none of the keys, and each would be paid again."""
    client, key = clients(proxy.url, journal=path), {"job_key": "one"}
    client.submit("any/model", {}, key)
    aside = path.with_name("aside.sqlite")
    if move == "replace":
        shutil.copy(path, aside)
        aside.replace(path)
    else:
        path.replace(aside)
    for _ in range(2):
        with pytest.raises(JournalError, match="moved, deleted or replaced"):
            client.submit("any/model", {}, key)
    assert proxy.arrived["submit"] == 1
    if move == "rename":
        aside.replace(path)  # put back, it is the same file
        assert client.submit("any/model", {}, key).request_id == "job-1"


def test_an_id_that_finds_no_file_is_kept_beside_it(clients: Clients, proxy: FaultProxy, path: Path) -> None:
    def delete(wire: Wire) -> None:
        path.unlink()
        wire.send(wire.forward().encoded())

    proxy.plan("submit", delete)
    client, key = clients(proxy.url, journal=path), {"job_key": "one"}
    with pytest.raises(JournalError, match="deleted") as caught:
        client.submit("any/model", {}, key)
    assert caught.value.request_id == "job-1"
    assert "its request id is job-1" in "".join(caught.value.__notes__)
    (kept,) = path.parent.glob("jobs.sqlite-unrecorded-*.json")
    assert "job-1" in kept.read_text()
    # Another client begins another journal, and takes the job and its key into it.
    assert clients(proxy.url, journal=path).submit("any/model", {}, key).request_id == "job-1"
    assert found(path) == [("submitted", "job-1")]
    assert not kept.exists()
    assert proxy.arrived["submit"] == 1


def test_a_new_file_that_another_process_is_making_is_waited_for(path: Path) -> None:
    """SQLite's own timeout does not hold for the step into WAL mode, which all who open a new file take."""
    other = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, other.close)
    timer.start()
    Sender(sqlite_store(path)).intend(intent())
    timer.join()
    assert found(path) == [("sending", None)]


def test_the_file_stays_where_it_was_when_the_folder_changes(
    clients: Clients, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    client = clients(proxy.url, journal="jobs.sqlite")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    client.submit("any/model", {})
    assert found(tmp_path / "jobs.sqlite") == [("submitted", "job-1")]
    assert not list((tmp_path / "other").iterdir())


@pytest.mark.parametrize("version", [0, 1, 7])
def test_another_programs_database_is_left_alone(clients: Clients, proxy: FaultProxy, path: Path, version: int) -> None:
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes (name)")
        other.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="another program"):
        clients(proxy.url, journal=path).submit("any/model", {})
    assert path.read_bytes() == before
    assert not proxy.requests


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"runcomfy\.Journal"):
        Journal(5)  # type: ignore[arg-type]  # the fault


def test_a_file_that_another_program_holds(
    clients: Clients, proxy: FaultProxy, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Sender(sqlite_store(path)).intend(intent())
    monkeypatch.setattr(journal_store, "BUSY_SECONDS", 0.1)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="Another program holds it"):
            clients(proxy.url, journal=path).submit("any/model", {})
    assert not proxy.requests


def test_a_commit_that_fails_leaves_no_transaction_open(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the journal would be of no use from then on."""
    store = SqliteStore(path)
    sender = Sender(store)
    sender.intend(intent())
    opened = store._open

    class Failing:
        def __init__(self, inner: sqlite3.Connection) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            if statement == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")
            return self._inner.execute(statement, *values)

    monkeypatch.setattr(store, "_open", lambda *args, **named: Failing(opened(*args, **named)))
    with pytest.raises(JournalError, match="disk"):
        sender.intend(intent())
    monkeypatch.undo()
    sender.intend(intent())
    assert len(list(store.entries(None))) == 2
    store.close()


def test_an_id_that_could_not_be_written_is_taken_in_later(
    clients: Clients, proxy: FaultProxy, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_store, "BUSY_SECONDS", 0.1)
    client = clients(proxy.url, journal=path)
    client.submit("any/model", {})
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def hold(wire: Wire) -> None:
        other.execute("BEGIN IMMEDIATE")
        wire.send(wire.forward().encoded())

    proxy.plan("submit", hold)
    with pytest.raises(JournalError) as caught:
        client.submit("any/model", {})
    (kept,) = path.parent.glob("jobs.sqlite-unrecorded-*.json")
    assert str(kept) in "".join(caught.value.__notes__)
    assert [entry.state for entry in client.journal.pending()] == ["submitted", "sending"]  # and it can be read
    other.close()
    assert [entry.request_id for entry in client.journal.pending()] == ["job-1", "job-2"]
    assert not kept.exists()


def test_a_submit_is_not_settled_with_nonsense(clients: Clients, proxy: FaultProxy, path: Path) -> None:
    client = clients(proxy.url, journal=path)
    proxy.plan("submit", faults.lost_reply)
    with pytest.raises(SubmissionUnknownError):
        client.submit("any/model", {}, {"job_key": "one"})
    with pytest.raises(JournalError, match="no request id"):
        client.journal.settle("one", request_id="see the web page")
    assert client.journal.find("one").state == "unsure"


def test_a_key_freed_too_early_loses_no_id(
    clients: Clients, proxy: FaultProxy, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program stood still while its POST was under way, the key was released and used again: both jobs are kept."""
    monkeypatch.setattr(base, "LEASE_SECONDS", 0.3)
    monkeypatch.setattr(leases.Leases, "keep", lambda *args: None)
    client, key = clients(proxy.url, journal=path), {"job_key": "one"}

    def meanwhile(wire: Wire) -> None:
        time.sleep(0.4)
        with Journal(path) as journal:
            (entry,) = journal.entries()
            journal.release("one")
            scope = base.Scope(entry.account, entry.base_url)
            Sender(sqlite_store(path)).submit(intent("one", scope=scope), "job-of-another")
        wire.send(wire.forward().encoded())

    proxy.plan("submit", meanwhile)
    assert client.submit("any/model", {}, key).request_id == "job-1"
    assert found(path) == [("submitted", "job-1"), ("submitted", "job-of-another")]
    assert client.journal.find("one").request_id == "job-of-another"


def test_the_newest_is_the_one_written_last(
    clients: Clients, proxy: FaultProxy, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the computer's clock was set back meanwhile."""
    client, key = clients(proxy.url, journal=path), {"job_key": "one"}
    client.submit("any/model", {}, key)
    client.journal.release("one")
    real = time.time
    monkeypatch.setattr("runcomfy_client.journal.sqlite.time.time", lambda: real() - 86_400)
    client.submit("any/model", {}, key)
    assert client.journal.find("one").request_id == "job-2"


def test_the_same_picture_is_the_same_input_wherever_it_lies(
    clients: Clients, proxy: FaultProxy, path: Path, tmp_path: Path
) -> None:
    client, key = clients(proxy.url, journal=path), {"job_key": "one"}
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(PNG)
    for picture in (tmp_path / "a.png", tmp_path / "b.png", PNG):
        assert client.submit("any/model", {"image": picture}, key).request_id == "job-1"
    with pytest.raises(JournalError, match=r"release\('one'\)"):
        client.submit("any/model", {"image": PNG + b"\0"}, key)


def test_a_key_of_a_failed_job_says_how_to_pay_again(
    clients: Clients, proxy: FaultProxy, api: TinyApi, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    api.statuses, api.result = [COMPLETED], {"status": "failed", "error": "boom"}
    client, key = clients(proxy.url, journal=path), {"job_key": "one"}
    with pytest.raises(JobFailedError):
        client.submit("any/model", {}, key).wait(10)
    with caplog.at_level(logging.WARNING):
        client.submit("any/model", {}, key)
    assert "client.journal.release('one')" in caplog.text


def test_a_key_that_is_being_sent_here_is_no_riddle(clients: Clients, proxy: FaultProxy, path: Path) -> None:
    client = clients(proxy.url, journal=path)
    told: list[str] = []

    def again(wire: Wire) -> None:
        (entry,) = client.journal.entries()
        other = Clients("sync")
        try:
            other(proxy.url, journal=path).submit("any/model", {}, {"job_key": "one"})
        except SubmissionUnknownError as error:
            told.append(f"{entry.state}: {error}")
        other.close()
        wire.send(wire.forward().encoded())

    proxy.plan("submit", again)
    client.submit("any/model", {}, {"job_key": "one"})
    (text,) = told
    assert text.startswith(f"sending: A submit under the job_key 'one' is being sent now by process {os.getpid()} on ")
    assert proxy.arrived["submit"] == 1
