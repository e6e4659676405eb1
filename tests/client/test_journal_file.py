"""The journal's file in trouble: deleted, full, another program's; and keys that were settled in a hurry."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.client import SyncClient
from runcomfy_client.errors import ConfigurationError, JobFailedError, JournalError, SubmissionUnknownError
from runcomfy_client.journal import Journal, base, leases

from tests.support import fault_proxy as faults
from tests.support.both import Clients
from tests.support.internals import SqliteStore, set_constant
from tests.support.journal import Sender, intent, sqlite_store
from tests.support.tiny_api import COMPLETED, PNG

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fault_proxy import FaultProxy, Wire
    from tests.support.tiny_api import TinyApi

KINDS = ("sync", "async")
TOKEN = "secret-token-4711"


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
    set_constant(monkeypatch, "BUSY_SECONDS", 0.1)
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
    set_constant(monkeypatch, "BUSY_SECONDS", 0.1)
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
    with pytest.raises(JournalError, match="not a request id"):
        client.journal.settle("one", request_id="see the web page")
    assert client.journal.find("one").state == "unsure"


def test_a_key_freed_too_early_loses_no_id(
    clients: Clients, proxy: FaultProxy, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program stood still while its POST was under way, the key was released and used again: both jobs are kept."""
    set_constant(monkeypatch, "LEASE_SECONDS", 0.3)
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
    messages: list[str] = []

    def again(wire: Wire) -> None:
        (entry,) = client.journal.entries()
        other = Clients("sync")
        try:
            other(proxy.url, journal=path).submit("any/model", {}, {"job_key": "one"})
        except SubmissionUnknownError as error:
            messages.append(f"{entry.state}: {error}")
        other.close()
        wire.send(wire.forward().encoded())

    proxy.plan("submit", again)
    client.submit("any/model", {}, {"job_key": "one"})
    (text,) = messages
    assert text.startswith(f"sending: A submit under the job_key 'one' is being sent now by process {os.getpid()} on ")
    assert proxy.arrived["submit"] == 1


def test_a_file_that_is_held_keeps_no_event_loop(
    proxy: FaultProxy, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the POST and after it: other tasks go on, and the id is kept."""
    from runcomfy_client.client import AsyncClient

    set_constant(monkeypatch, "BUSY_SECONDS", 1.0)
    Sender(sqlite_store(path)).intend(intent())
    gaps: list[float] = []

    async def ticks() -> None:
        while True:
            begun = time.monotonic()
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - begun)

    def hold(wire: Wire) -> None:
        other.execute("BEGIN IMMEDIATE")
        wire.send(wire.forward().encoded())

    async def scene() -> None:
        async with AsyncClient(TOKEN, proxy.url, journal=path) as client:
            await client.submit("any/model", {})
            ticking = asyncio.ensure_future(ticks())
            proxy.plan("submit", hold)
            with pytest.raises(JournalError) as after:
                await client.submit("any/model", {})
            assert after.value.request_id == "job-2"
            with pytest.raises(JournalError, match="Another program holds it"):
                await client.submit("any/model", {})
            assert client.job("job-1").model_id == "any/model"
            ticking.cancel()

    with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        asyncio.run(scene())
    assert len(gaps) > 50
    assert max(gaps) < 0.9, "less than one wait for the lock"
    assert proxy.arrived["submit"] == 2
    assert "job-2" in {request_id for _, request_id in found(path)}


def test_a_key_of_another_token_is_not_paid_again(clients: Clients, proxy: FaultProxy, path: Path) -> None:
    """A token that was exchanged makes another account of the same one."""
    old, key = clients(proxy.url, journal=path), {"job_key": "one"}
    old.submit("any/model", {}, key)
    new = clients(proxy.url, token="the-new-token", journal=path)
    with pytest.raises(JournalError, match="another token") as caught:
        new.submit("any/model", {}, key)
    assert caught.value.request_id == "job-1"
    assert caught.value.job_key == "one"
    (entry,) = old.journal.entries()
    assert f"client.journal.adopt({entry.account!r})" in caught.value.cure
    assert new.journal.adopt(entry.account) == 1
    assert new.submit("any/model", {}, key).request_id == "job-1"
    assert proxy.arrived["submit"] == 1
    with Journal(path) as journal, pytest.raises(JournalError, match=r"Only client\.journal"):
        journal.adopt(entry.account)


def test_a_key_of_another_spelling_of_the_address_is_not_paid_again(
    clients: Clients, proxy: FaultProxy, path: Path
) -> None:
    key = {"job_key": "one"}
    clients(proxy.url, journal=path).submit("any/model", {}, key)
    for url in (
        proxy.url.replace("127.0.0.1", "localhost"),
        proxy.url + "/v1",
        proxy.url.upper().replace("HTTP", "http"),
    ):
        assert clients(url, journal=path).submit("any/model", {}, key).request_id == "job-1"
    assert proxy.arrived["submit"] == 1


def test_a_client_without_a_journal_says_so(clients: Clients, proxy: FaultProxy) -> None:
    with pytest.raises(ConfigurationError, match="keeps no journal"):
        clients(proxy.url).journal.pending()


def test_a_reader_refuses_a_file_that_is_not_there(clients: Clients, proxy: FaultProxy, path: Path) -> None:
    """A typo would hide paid jobs. A client that has submitted nothing has nothing pending."""
    with Journal(path) as journal:
        for read in (journal.pending, journal.entries, lambda: journal.find("job-1"), lambda: journal.release("k")):
            with pytest.raises(JournalError, match="There is no journal at"):
                read()
    client = clients(proxy.url, journal=path)
    assert (client.journal.pending(), list(client.journal.entries()), client.journal.find("x")) == ([], [], None)
    assert client.job("job-1").model_id is None
    client.job("job-1").wait(10)
    assert not path.exists()


def test_the_journal_offers_no_writers() -> None:
    public = {name for name in dir(Journal) if not name.startswith("_")}
    assert public == {
        *(
            "adopt",
            "close",
            "entries",
            "find",
            "keep_inputs",
            "name",
            "path",
            "pending",
            "release",
            "settle",
            "spending",
        ),
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"job_kye": "x"}, "no option 'job_kye'.*did you mean 'job_key'"),
        ({5: "x"}, "no option 5"),
        (["job_key"], "argument options is"),
        ("job_key", "argument options is"),
        ({"timeout": "5"}, "argument timeout is '5'"),
        ({"timeout": True}, "argument timeout is True"),
        ({"timeout": -1}, "argument timeout is -1"),
        ({"timeout": float("nan")}, "argument timeout is nan"),
        ({"job_key": ""}, "argument job_key is ''"),
        ({"job_key": 7}, "argument job_key is 7"),
        ({"job_key": "k" * 1001}, "argument job_key is"),
        ({"job_key": "a\0b"}, "null characters"),
        ({"job_key": "half \ud83d"}, "surrogates"),
        ({"extra_input": [1]}, "argument extra_input is"),
        ({"extra_input": {1: 2}}, "argument extra_input is"),
    ],
    ids=str,
)
def test_wrong_options_are_named_before_anything_is_sent(
    clients: Clients, proxy: FaultProxy, path: Path, options: Any, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        clients(proxy.url, journal=path).submit("any/model", {}, options)
    assert not proxy.requests
    assert not path.exists()


def test_without_a_file_a_client_has_nothing_pending_and_a_journal_alone_has_a_wrong_path(tmp_path: Path) -> None:
    path = tmp_path / "no" / "such" / "jobs.sqlite"
    with SyncClient("secret", "http://127.0.0.1:1", journal=path) as client:
        assert client.journal.pending() == []
    with pytest.raises(JournalError, match="jobs"):
        Journal(path).pending()
    assert not path.parent.exists()
