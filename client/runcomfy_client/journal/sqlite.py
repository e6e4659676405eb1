"""The journal's SQLite file: short transactions that are on disk when they return, for many threads and processes."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import weakref
from typing import TYPE_CHECKING

from ..errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

VERSION = 1
BUSY_SECONDS = 30.0
# One row a submit. `state`: sending (the POST may be under way), unsure, submitted, completed, failed, cancelled,
# refused (surely not started), released (its job_key was given free).
SCHEMA = """
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
"""


class Store:
    """One file, opened on first use. SQLite forbids to carry an open file into a forked child, so it is closed then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        _STORES.add(self)

    def read(self, question: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        with self._telling("read"), self._lock:
            return self._open().execute(question, values).fetchall()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that nobody else writes in; on disk when it is left without an error."""
        with self._telling("written"), self._lock:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # after a full disk SQLite has rolled back already
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def hold(self) -> None:
        """Close the file and let nobody open it until `let_go`."""
        self._lock.acquire()
        self.close()

    def let_go(self) -> None:
        self._lock.release()

    def begin_anew(self) -> None:
        """In a forked child: the lock was taken by a thread that is not there."""
        self._lock = threading.RLock()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._identity != self._file():
            self.close()  # the file was deleted or replaced: what is written into it now nobody would find
        if self._connection is None:
            self._connection = self._connect()
            self._identity = self._file()
        return self._connection

    def _file(self) -> tuple[int, int] | None:
        """Which file is at the path, if there is one."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            self._look_whose(connection)
            _switch_to_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")  # a request id must outlive a power cut
            self._lay(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _look_whose(self, connection: sqlite3.Connection) -> None:
        tables = [row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if tables and "submissions" not in tables:
            raise JournalError(f"{self.path} is a database of another program; choose another path for the journal.")

    def _lay(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
        if version > VERSION:
            raise JournalError(f"The journal {self.path} was written by a newer runcomfy-client; update this one.")

    @contextlib.contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeError) as error:
            cure = "Choose another path, or make this one writable."
            if "locked" in str(error):
                cure = "Another program holds it; end that, or choose another path."
            raise JournalError(f"The journal {self.path} cannot be {what}: {error}. {cure}") from error


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Wait for others that make the same new file at the same moment; SQLite's own timeout does not, for this step."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= end:
                raise
            time.sleep(0.01)
        else:
            return


_STORES: weakref.WeakSet[Store] = weakref.WeakSet()
_HELD: list[Store] = []


def _before_fork() -> None:
    _HELD[:] = _STORES
    for store in _HELD:
        store.hold()


def _after_fork(move: Callable[[Store], None]) -> None:
    for store in _HELD:
        move(store)
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _after_fork(Store.let_go),
        after_in_child=lambda: _after_fork(Store.begin_anew),
    )
