"""Writes that are asked for at once share a commit, and each keeps the outcome that it has alone."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.errors import JournalError
from runcomfy_client.journal.writer import WriteQueue

from tests.support.internals import SqliteStore
from tests.support.journal import Sender, intent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from runcomfy_client.journal import JournalEntry


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "jobs.sqlite")
    Sender(made).intend(intent())
    yield made
    made.close()


def commits(store: SqliteStore) -> int:
    """SQLite's own count of changes, from the header of the file."""
    return int.from_bytes(store.path.read_bytes()[24:28], "big")


@contextlib.contextmanager
def standing_still(queue: WriteQueue) -> Iterator[None]:
    """What is begun within it waits until it is left."""
    begun, go_on = threading.Event(), threading.Event()

    def stand_still() -> bool:
        begun.set()
        return go_on.wait(30)

    first = queue.begin(stand_still)
    assert begun.wait(30)
    yield
    go_on.set()
    assert first.result(30)


def test_writes_at_once_share_a_commit(store: SqliteStore) -> None:
    queue, sender = WriteQueue(store.group), Sender(store)
    followed: list[int] = []

    def follow(taken: list[JournalEntry | None]) -> None:
        assert taken == [None] * 20
        followed.append(len(SqliteStore(store.path).pending(None)))

    before = commits(store)
    with standing_still(queue):
        wanted = [intent(f"key-{number}") for number in range(20)]
        ends = [queue.begin(lambda each=each: sender.intend(each), then=follow) for each in wanted]  # type: ignore[misc]
        assert not any(end.done() for end in ends)
    assert [end.result(30) for end in ends] == [None] * 20
    assert commits(store) == before + 1
    # It is on disk for others before anybody hears of it.
    assert followed == [21]
    queue.close()


def test_one_that_fails_undoes_nothing_else(store: SqliteStore) -> None:
    queue, sender = WriteQueue(store.group), Sender(store)

    def half() -> None:
        with store.transaction():
            sender.intend(intent("half"))
            raise JournalError("the gate is shut")

    with standing_still(queue):
        good = [queue.begin(lambda key=key: sender.intend(intent(key))) for key in ("a", "b")]  # type: ignore[misc]
        bad = queue.begin(half)
        taken: Future[JournalEntry | None] = queue.begin(lambda: sender.intend(intent("a")))
    assert [end.result(30) for end in good] == [None, None]
    with pytest.raises(JournalError, match="the gate is shut"):
        bad.result(30)
    entry = taken.result(30)
    assert entry is not None
    assert entry.job_key == "a"
    assert {entry.job_key for entry in store.pending(None)} == {None, "a", "b"}
    queue.close()


def test_where_a_commit_fails_each_is_written_by_itself(store: SqliteStore) -> None:
    queue, sender = WriteQueue(store.group), Sender(store)
    rolled_back: list[int] = []

    def roll_back() -> None:
        """As SQLite does it by itself when the disk is full."""
        rolled_back.append(1)
        if len(rolled_back) == 1:
            with store.transaction() as connection:
                connection.execute("ROLLBACK")

    with standing_still(queue):
        ends: list[Future[Any]] = [
            queue.begin(lambda: sender.intend(intent("before"))),
            queue.begin(roll_back),
            queue.begin(lambda: sender.intend(intent("after"))),
        ]
    assert [end.result(30) for end in ends] == [None] * 3
    assert [entry.job_key for entry in store.pending(None)] == [None, "before", "after"]
    queue.close()


def test_nothing_is_over_before_the_commit(store: SqliteStore) -> None:
    queue, sender = WriteQueue(store.group), Sender(store)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with standing_still(queue):
        one, two = (queue.begin(lambda key=key: sender.intend(intent(key))) for key in "ab")  # type: ignore[misc]
    with pytest.raises(TimeoutError):
        one.result(0.3)
    other.execute("ROLLBACK")
    assert (one.result(30), two.result(30)) == (None, None)
    other.close()
    queue.close()


def test_a_write_that_may_wait_goes_with_the_next_one(store: SqliteStore) -> None:
    queue, sender = WriteQueue(store.group), Sender(store)
    before = commits(store)
    patient = queue.begin(lambda: sender.intend(intent("patient")), within=60.0)
    with pytest.raises(TimeoutError):
        patient.result(0.1)
    assert queue.begin(lambda: sender.intend(intent("next"))).result(30) is None
    assert patient.result(30) is None
    assert commits(store) == before + 1
    last = queue.begin(lambda: sender.intend(intent("last")), within=60.0)
    queue.close()
    assert last.result(0) is None


def test_a_write_that_an_interruption_left_behind_is_done_with_the_next(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, sender = WriteQueue(store.group), Sender(store)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ThreadPoolExecutor, "submit", interrupt)
        with pytest.raises(KeyboardInterrupt):
            queue.begin(lambda: sender.intend(intent("first")))
    assert queue.begin(lambda: sender.intend(intent("second"))).result(30) is None
    assert [entry.job_key for entry in store.pending(None)] == [None, "first", "second"]
    queue.close()
