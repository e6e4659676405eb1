"""The journal: the intent before the POST, the id before the return, and a job_key that never pays twice."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.errors import (
    BudgetExceededError,
    ConfigurationError,
    JobFailedError,
    JournalError,
    RejectedInputError,
    SubmissionUnknownError,
    TransportError,
)
from runcomfy_client.journal import Budget, Journal

from tests.support import fault_proxy as faults
from tests.support.fault_proxy import answer
from tests.support.http_wire import json_response
from tests.support.journal import Sender, intent, sqlite_store
from tests.support.tiny_api import COMPLETED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import FaultProxy, Wire
    from tests.support.tiny_api import TinyApi

TOKEN = "secret-token-4711"
KINDS = ("sync", "async")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "jobs.sqlite"


def states(path: Path) -> list[tuple[str, str | None]]:
    with Journal(path) as journal:
        return [(entry.state, entry.request_id) for entry in journal.entries()]


def test_the_intent_is_on_disk_while_the_post_is_under_way(clients: Clients, proxy: FaultProxy, path: Path) -> None:
    seen: list[list[tuple[str, str | None]]] = []

    def look(wire: Wire) -> None:
        seen.append(states(path))
        wire.send(wire.forward().encoded())

    proxy.plan("submit", look)
    client = clients(proxy.url, journal=path)
    client.submit("any/model", {"prompt": "x"})
    assert seen == [[("sending", None)]]
    assert states(path) == [("submitted", "job-1")]


def test_what_ended_is_pending_no_more(clients: Clients, proxy: FaultProxy, api: TinyApi, path: Path) -> None:
    client = clients(proxy.url, journal=path)
    first, second = client.submit("any/model", {}), client.submit("any/model", {})
    assert [entry.request_id for entry in client.journal.pending()] == ["job-1", "job-2"]
    first.wait(10)
    assert [entry.request_id for entry in client.journal.pending()] == ["job-2"]
    entry = client.journal.find("job-1")
    assert (entry.state, entry.cost, len(entry.files)) == ("completed", 0.04, 1)
    api.result = {"status": "failed", "error": "boom"}
    with pytest.raises(JobFailedError):
        second.result()
    assert client.journal.find("job-2").note == "boom"
    assert client.journal.pending() == []


def test_a_cost_that_comes_late_is_added(clients: Clients, proxy: FaultProxy, api: TinyApi, path: Path) -> None:
    api.statuses, api.result = [COMPLETED], {"status": "succeeded"}
    client = clients(proxy.url, journal=path)
    job = client.submit("any/model", {})
    assert job.wait(10).cost is None
    api.result = {"status": "succeeded", "cost": 0.07}
    assert job.result().cost == 0.07
    assert client.journal.find("job-1").cost == 0.07


def test_a_cancelled_job_is_over(clients: Clients, proxy: FaultProxy, path: Path) -> None:
    client = clients(proxy.url, journal=path)
    assert client.submit("any/model", {}).cancel().cancelled
    assert client.journal.pending() == []


def test_refused_unsent_and_unsure_are_distinguished(clients: Clients, proxy: FaultProxy, path: Path) -> None:
    client = clients(proxy.url, journal=path)
    proxy.plan("submit", answer(json_response({}, 422)), faults.lost_reply)
    with pytest.raises(RejectedInputError):
        client.submit("any/model", {})
    with pytest.raises(SubmissionUnknownError) as caught:
        client.submit("any/model", {})
    dead = clients("http://127.0.0.1:1", journal=path, max_retries=0)
    with pytest.raises(TransportError):
        dead.submit("any/model", {})
    assert [state for state, _ in states(path)] == ["refused", "unsure", "refused"]
    (entry,) = client.journal.pending()
    assert entry.submission_id == caught.value.submission_id
    assert "settle" in "".join(caught.value.__notes__)


def test_nothing_is_sent_if_the_journal_cannot_be_written(clients: Clients, proxy: FaultProxy, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "text.sqlite").write_text("not a database, but long enough to be taken for one" * 20)
    for path in (tmp_path / "file" / "jobs.sqlite", tmp_path, tmp_path / "text.sqlite"):
        with pytest.raises(JournalError, match=r"cannot be|is damaged"):
            clients(proxy.url, journal=path).submit("any/model", {})
    assert not proxy.requests


def test_an_id_that_cannot_be_written_down_is_at_least_reported(
    clients: Clients, proxy: FaultProxy, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = clients(proxy.url, journal=path)

    def spoil(wire: Wire) -> None:
        response = wire.forward()
        with sqlite3.connect(path) as connection:
            connection.execute("DROP TABLE submissions")
        connection.close()
        wire.send(response.encoded())

    proxy.plan("submit", spoil)
    with pytest.raises(JournalError) as caught:
        client.submit("any/model", {})
    assert caught.value.request_id == "job-1"
    assert "job-1" in "".join(caught.value.__notes__)


class TestJobKey:
    def test_the_same_key_and_input_give_the_same_job(
        self, clients: Clients, proxy: FaultProxy, path: Path, api: TinyApi
    ) -> None:
        one = clients(proxy.url, journal=path).submit("any/model", {"a": 1, "b": 2}, {"job_key": "scene-12"})
        again = clients(proxy.url, journal=path).submit("any/model", {"b": 2, "a": 1}, {"job_key": "scene-12"})
        assert one.request_id == again.request_id == "job-1"
        assert again.wait(10).files
        after = clients(proxy.url, journal=path).submit("any/model", {"a": 1, "b": 2}, {"job_key": "scene-12"})
        assert after.wait(10).request_id == "job-1"
        assert proxy.arrived["submit"] == 1

    def test_another_input_under_the_key_is_an_error(self, clients: Clients, proxy: FaultProxy, path: Path) -> None:
        client = clients(proxy.url, journal=path)
        client.submit("any/model", {"a": 1}, {"job_key": "k"})
        for model_id, given in (("any/model", {"a": 2}), ("any/other", {"a": 1})):
            with pytest.raises(JournalError, match="another input") as caught:
                client.submit(model_id, given, {"job_key": "k"})
            assert caught.value.request_id == "job-1"
        assert proxy.arrived["submit"] == 1

    def test_an_unsure_submit_blocks_its_key_until_it_is_settled(
        self, clients: Clients, proxy: FaultProxy, path: Path
    ) -> None:
        client = clients(proxy.url, journal=path)
        proxy.plan("submit", faults.lost_reply)
        for _ in range(3):
            with pytest.raises(SubmissionUnknownError) as caught:
                client.submit("any/model", {}, {"job_key": "k"})
            assert caught.value.job_key == "k"
        assert proxy.arrived["submit"] == 1
        with pytest.raises(JournalError, match="either"):
            client.journal.settle("k")
        assert client.journal.settle("k", request_id="job-1").state == "submitted"
        assert client.submit("any/model", {}, {"job_key": "k"}).request_id == "job-1"
        assert proxy.arrived["submit"] == 1

    def test_settled_as_not_started_frees_the_key(self, clients: Clients, proxy: FaultProxy, path: Path) -> None:
        client = clients(proxy.url, journal=path)
        proxy.plan("submit", faults.reset_before_reply)
        with pytest.raises(SubmissionUnknownError) as caught:
            client.submit("any/model", {}, {"job_key": "k"})
        client.journal.settle(caught.value.submission_id, started=False)
        assert client.submit("any/model", {}, {"job_key": "k"}).request_id == "job-1"

    def test_a_refusal_leaves_the_key_free(self, clients: Clients, proxy: FaultProxy, path: Path) -> None:
        client = clients(proxy.url, journal=path)
        proxy.plan("submit", answer(json_response({}, 429, retry_after="0")))
        with pytest.raises(Exception, match="429"):
            client.submit("any/model", {}, {"job_key": "k"})
        assert client.submit("any/model", {}, {"job_key": "k"}).request_id == "job-1"

    def test_a_failed_job_keeps_its_key_until_released(
        self, clients: Clients, proxy: FaultProxy, api: TinyApi, path: Path
    ) -> None:
        api.statuses, api.result = [COMPLETED], {"status": "failed"}
        client = clients(proxy.url, journal=path)
        for _ in range(2):
            with pytest.raises(JobFailedError):
                client.submit("any/model", {}, {"job_key": "k"}).wait(10)
        assert proxy.arrived["submit"] == 1
        client.journal.release("k")
        assert client.submit("any/model", {}, {"job_key": "k"}).request_id == "job-2"

    def test_many_at_once_under_one_key_pay_once(self, proxy: FaultProxy, path: Path) -> None:
        from runcomfy_client.client import SyncClient

        barrier = threading.Barrier(8)

        def submit(number: int) -> str:
            with SyncClient(TOKEN, proxy.url, journal=path) as client:
                barrier.wait()
                try:
                    return client.submit("any/model", {}, {"job_key": "k"}).request_id
                except SubmissionUnknownError:
                    return "being sent by another"

        with ThreadPoolExecutor(8) as pool:
            ends = set(pool.map(submit, range(8)))
        assert proxy.arrived["submit"] == 1
        assert "job-1" in ends
        assert ends <= {"job-1", "being sent by another"}


class TestWhatIsKept:
    def test_neither_token_nor_prompt(self, clients: Clients, proxy: FaultProxy, path: Path) -> None:
        client = clients(proxy.url, journal=path)
        client.submit("any/model", {"prompt": "a private thought"}).wait(10)
        client.close()
        everything = b"".join(file.read_bytes() for file in path.parent.iterdir())
        assert b"job-1" in everything
        assert b"private" not in everything
        assert TOKEN.encode() not in everything
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_the_input_if_asked_without_media(self, clients: Clients, proxy: FaultProxy, path: Path) -> None:
        with Journal(path, keep_inputs=True) as journal:
            client = clients(proxy.url, journal=journal)
            client.submit("any/model", {"prompt": "x", "image": b"\x89PNG\r\n\x1a\n" + b"x" * 50_000})
            (entry,) = journal.pending()
        assert isinstance(entry.input, dict)
        assert entry.input["prompt"] == "x"
        assert entry.input["image"]["bytes"] == 50_008
        assert path.stat().st_size < 100_000

    def test_each_account_and_address_sees_its_own(self, clients: Clients, proxy: FaultProxy, path: Path) -> None:
        mine, other = clients(proxy.url, journal=path), clients(proxy.url, token="another-token", journal=path)
        mine.submit("any/model", {}, {"job_key": "k"})
        assert other.journal.pending() == []
        assert other.submit("any/model", {}).request_id == "job-2"
        elsewhere = clients("https://example.com", journal=path)
        assert list(elsewhere.journal.entries()) == []
        with Journal(path) as journal:
            assert len(journal.pending()) == 2

    def test_a_job_picked_up_knows_its_model(self, clients: Clients, proxy: FaultProxy, path: Path) -> None:
        clients(proxy.url, journal=path).submit("any/model", {})
        assert clients(proxy.url, journal=path).job("job-1").model_id == "any/model"


def test_a_newer_journal_is_left_alone(path: Path) -> None:
    Sender(sqlite_store(path)).intend(intent())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with Journal(path) as journal, pytest.raises(JournalError, match="newer"):
        list(journal.entries())


def test_processes_write_at_once(path: Path) -> None:
    script = """
import sys
from pathlib import Path
from tests.support.journal import Sender, intent, sqlite_store
sender = Sender(sqlite_store(Path(sys.argv[1])))
for number in range(50):
    sender.submit(intent(), f"{sys.argv[2]}-{number}")
"""
    processes = [subprocess.Popen([sys.executable, "-c", script, str(path), str(n)]) for n in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    with Journal(path) as journal:
        assert len({entry.request_id for entry in journal.pending()}) == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_opens_the_file_anew(path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from tests.support.journal import Sender, intent, sqlite_store
store = sqlite_store(Path(sys.argv[1]))
sender = Sender(store)
sender.intend(intent())
store.pending(None)
child = os.fork()
assert store._writing.connection is store._reading.connection is None, "an open file went along"
sender.intend(intent())
store.close()
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", script, str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(states(path)) == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_threads_that_fork_at_once_do_not_lock_the_file_for_ever(path: Path) -> None:
    script = """
import os, sys, threading
from pathlib import Path
from tests.support.journal import Sender, intent, sqlite_store
stores = [sqlite_store(Path(sys.argv[1])) for _ in range(3)]
def fork():
    for _ in range(40):
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
threads = [threading.Thread(target=fork, daemon=True) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(20):
    Sender(stores[0]).intend(intent())
for thread in threads:
    thread.join()
Sender(stores[0]).intend(intent())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(path)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(states(path)) == 21


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("journal", [True, False])
def test_a_hook_that_forks_does_not_pay_twice(proxy: FaultProxy, path: Path, journal: bool) -> None:
    script = """
import os, sys
from runcomfy_client.client import SyncClient
from runcomfy_client.errors import ConfigurationError
children = []
def fork(event):
    if event.method == "POST" and not children:
        children.append(os.fork())
path = sys.argv[2] or None
client = SyncClient("secret", sys.argv[1], journal=path, event_hooks={"request": [fork]})
try:
    job = client.submit("any/model", {}, {"job_key": "k"} if path else None)
except ConfigurationError as error:
    os._exit(0 if not children[0] and "parent" in str(error) else 2)
if not children[0]:
    os._exit(1)
assert os.waitpid(children[0], 0)[1] == 0
assert job.request_id == "job-1"
"""
    arguments = [proxy.url, str(path) if journal else ""]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert proxy.arrived["submit"] == 1
    assert not journal or states(path) == [("submitted", "job-1")]


def test_a_job_is_not_taken_for_the_one_whose_key_is_its_id(clients: Clients, proxy: FaultProxy, path: Path) -> None:
    client = clients(proxy.url, journal=path)
    client.submit("any/model", {})
    client.submit("other/model", {}, {"job_key": "job-1"})
    assert client.job("job-1").model_id in (None, "any/model")


def test_an_entry_is_given_up_by_any_of_its_names(path: Path) -> None:
    Sender(sqlite_store(path)).submit(intent("k"), "job-1")
    with Journal(path) as journal:
        assert journal.release("job-1").state == "released"
        assert journal.pending() == []
        with pytest.raises(JournalError, match="not in the journal"):
            journal.release("nobody")
        with pytest.raises(JournalError, match="is released, not unsure"):
            journal.settle("k", started=False)
        assert "released job-1 any/model key 'k'" in str(next(journal.entries()))


def test_a_submit_that_does_not_fit_into_its_budget_is_not_sent(
    clients: Clients, proxy: FaultProxy, path: Path
) -> None:
    client = clients(proxy.url, journal=path)
    budget = Budget(max_cost=0.1, max_jobs=2, estimate=0.05)
    for key in ("a", "b", "a"):
        client.submit("any/model", {"prompt": key}, {"job_key": key, "budget": budget})
    assert client.journal.spending() == (2, 0, 100_000)
    with pytest.raises(BudgetExceededError, match="Nothing was sent") as refusal:
        client.submit("any/model", {"prompt": "c"}, {"job_key": "c", "budget": budget})
    assert (refusal.value.jobs, refusal.value.model_id) == (2, "any/model")
    assert len(states(path)) == 2
    with pytest.raises(ConfigurationError, match="needs a journal"):
        clients(proxy.url).submit("any/model", {"prompt": "c"}, {"budget": budget})
    wrong: Any = {"budget": 5}
    with pytest.raises(ConfigurationError, match="budget is 5; it must be a Budget"):
        client.submit("any/model", {"prompt": "c"}, wrong)


@pytest.mark.parametrize("wrong", [{"max_cost": -1}, {"max_cost": float("nan")}, {"max_jobs": 1.5}, {"hours": 0}])
def test_a_budget_of_no_amount_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        Budget(**wrong)
