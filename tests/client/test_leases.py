"""A submit under way holds a lease: nobody settles it away and pays its key a second time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from runcomfy_client.client import SyncClient
from runcomfy_client.errors import JournalError, SubmissionUnknownError
from runcomfy_client.journal import Journal, owners
from runcomfy_client.journal.leases import Lease

from tests.support.internals import set_constant
from tests.support.journal import Sender, intent, sqlite_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import FaultProxy, Wire

KINDS = ("sync", "async")
KEY = {"job_key": "one"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite"


def test_two_clients_and_a_settle_between_them_pay_once(clients: Clients, proxy: FaultProxy, path: Path) -> None:
    """The second client's user sees an entry that is not over, and says that nothing was started."""
    errors: list[Exception] = []

    def meanwhile(wire: Wire) -> None:
        with SyncClient("secret-token-4711", proxy.url, journal=path) as second:
            (entry,) = second.journal.pending()
            assert entry.state == "sending"
            for change in (lambda: second.journal.settle("one", started=False), lambda: second.journal.release("one")):
                with pytest.raises(JournalError, match="lease ends at") as refused:
                    change()  # type: ignore[no-untyped-call]
                errors.append(refused.value)
            with pytest.raises(SubmissionUnknownError, match="is being sent now by process") as taken:
                second.submit("any/model", {}, {"job_key": "one"})
            errors.append(taken.value)
        wire.send(wire.forward().encoded())

    proxy.plan("submit", meanwhile)
    assert clients(proxy.url, journal=path).submit("any/model", {}, KEY).request_id == "job-1"
    assert proxy.arrived["submit"] == 1
    assert len(errors) == 3
    assert all(str(os.getpid()) in str(error) for error in errors)


def test_a_lease_is_renewed_while_it_is_sent(
    clients: Clients, proxy: FaultProxy, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slow the upload or the reply."""
    set_constant(monkeypatch, "LEASE_SECONDS", 0.6)
    seen: list[str] = []

    def slowly(wire: Wire) -> None:
        with Journal(path) as journal:
            for _ in range(8):
                time.sleep(0.25)
                seen.extend(entry.state for entry in journal.pending())
        wire.send(wire.forward().encoded())

    proxy.plan("submit", slowly)
    assert clients(proxy.url, journal=path).submit("any/model", {}, KEY).request_id == "job-1"
    assert seen == ["sending"] * 8


class Standstill:
    """A transport that stands still before it sends: a laptop that sleeps, a stopped process."""

    def __init__(self, path: Path, url: str) -> None:
        self.path, self.url = path, url
        self.settled: list[str] = []
        self.others: list[str] = []

    def pause(self) -> None:
        time.sleep(0.5)
        with SyncClient("secret-token-4711", self.url, journal=self.path) as second:
            self.settled.append(second.journal.settle("one", started=False).state)
            self.others.append(second.submit("any/model", {}, {"job_key": "one"}).request_id)


def test_a_lease_that_was_lost_sends_nothing(
    clients: Clients, proxy: FaultProxy, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_constant(monkeypatch, "LEASE_SECONDS", 0.3)
    still = Standstill(path, proxy.url)

    class Sync(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            still.pause()
            return super().handle_request(request)

    class Async(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            still.pause()
            return await super().handle_async_request(request)

    # The whole process stands still, the thread that renews leases too.
    monkeypatch.setattr("runcomfy_client.journal.leases.Leases.keep", lambda *args: None)
    own = clients.http_client(transport=Async() if clients.is_async else Sync())
    client = clients(proxy.url, journal=path, http_client=own)
    with pytest.raises(JournalError, match="Nothing was sent"):
        client.submit("any/model", {}, KEY)
    assert (still.settled, still.others) == (["refused"], ["job-1"])
    assert proxy.arrived["submit"] == 1
    assert client.submit("any/model", {}, KEY).request_id == "job-1"


def test_what_a_killed_process_left_is_unsure_at_once(path: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from tests.support.journal import Sender, intent, sqlite_store
Sender(sqlite_store(Path(sys.argv[1])), seconds=3600 - 1).intend(intent("one"))
print("ready", flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout, Journal(path) as journal:
        assert process.stdout.readline() == b"ready\n"
        assert [entry.state for entry in journal.pending()] == ["sending"]
        process.kill()
        process.wait()
        assert [entry.state for entry in journal.pending()] == ["unsure"]
        assert journal.settle("one", started=False).state == "refused"


@pytest.mark.parametrize(
    ("owner", "ended"),
    [
        ("{pid}:{start}:x@{host}", False),
        ("{pid}:1:x@{host}", True),  # its number was given to another process
        ("999999999:1:x@{host}", True),
        ("1:?:x@{host}", False),
        ("999999999:1:x@another", False),  # nobody can tell from here
        ("999999999:1:x@{host}0", False),
        ("nonsense", False),
        ("", False),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="start times are shown there")
def test_when_an_owner_has_ended(owner: str, ended: bool) -> None:
    process, _, host = owners.new_owner().partition("@")
    pid, start, _ = process.split(":")
    assert owners.has_ended(owner.format(pid=pid, start=start, host=host)) is ended


def test_a_client_at_rest_renews_nothing(path: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    set_constant(monkeypatch, "LEASE_SECONDS", 0.3)
    with SyncClient("secret", proxy.url, journal=path) as client:
        client.submit("any/model", {})
        assert [thread for thread in threading.enumerate() if thread.name == "runcomfy-leases"]
        end = time.monotonic() + 5
        while [thread for thread in threading.enumerate() if thread.name == "runcomfy-leases"]:
            assert time.monotonic() < end
            time.sleep(0.05)
        client.submit("any/model", {})


def test_a_clock_that_is_set_back_blocks_no_key_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    sender = Sender(sqlite_store(path))
    with monkeypatch.context() as patch:
        patch.setattr("runcomfy_client.journal.sqlite.time.time", lambda: real() + 10 * 86_400)
        sender.intend(intent("one"))
    assert [entry.state for entry in sender.store.pending(None)] == ["unsure"]


def test_a_lease_that_others_take_for_ended_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    lease = Lease(15.0)
    lease.extend((time.monotonic(), real()))
    assert lease.is_held
    monkeypatch.setattr("runcomfy_client.journal.leases.time.time", lambda: real() - 86_400)
    assert not lease.is_held
