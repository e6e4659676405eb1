"""The journal in one SQLite file, for any number of threads and processes on one computer.

Why it is set up as it is:

- **Rollback journal, not WAL.** In WAL mode the last transactions lie in a second file until a checkpoint; a copy of
  the first file alone opens without an error and lacks them, and a key in it would be paid again. With
  ``journal_mode = PERSIST`` a committed row is in the file itself. It costs two more syncs a commit; that the rollback
  journal stays in place and is written over makes each of them cheap, for no file changes its size.
- **A copy is checked.** A copy that was taken in the middle of a commit may hold half of it. So the file knows its own
  device and inode; where they differ it is a copy (or was restored), and SQLite's integrity check decides whether it
  is whole.
- **A file that changes its identity in use raises.** After ``mv`` or ``rm`` a new file at the path would know none of
  the keys, and what is written to the old one nobody would find.
- **Readers have a connection of their own** and read in pages, each a transaction of its own: a slow reader would
  otherwise keep a writer from recording the id of a paid job.
- **An id that cannot be written** (disk full, file locked or moved) goes to a small file beside the journal, and is
  taken in when the journal is opened or written again.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import sqlite3
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..errors import JournalError
from .base import MissingJournalError, normal_address
from .spill import Spill
from .sql import INDEX_BY_TIME, INDEXES, TABLES, TAKES_KEY, SqlStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

VERSION = 3
BUSY_SECONDS = 30.0
NONE_THERE = "Check the path; the first submit with a journal makes it."

# Version 1 had neither leases nor a table of its own facts, and its indexes were not used by its queries.
FROM_VERSION_1 = """
ALTER TABLE submissions ADD COLUMN owner TEXT;
ALTER TABLE submissions ADD COLUMN lease_until REAL;
ALTER TABLE submissions ADD COLUMN reserved INTEGER;
CREATE TABLE journal (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
DROP INDEX one_job_a_key;
DROP INDEX by_request_id;
DROP INDEX by_state
"""
# Version 2 reserved nothing.
FROM_VERSION_2 = f"""
ALTER TABLE submissions ADD COLUMN reserved INTEGER;
{INDEX_BY_TIME}
"""


class SqliteStore(SqlStore):
    """A journal in the file at ``path``, which the first ``intend`` makes, with its folder."""

    damaged_cure = (
        "Keep it, for it has the ids of paid jobs, and begin another journal. SQLite's own program, sqlite3, may still"
        " read the table submissions of it."
    )

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self._identity: tuple[int, int] | None = None
        self._reading = _Handle()
        self._writing = _Handle()
        self._in_group = False
        self.spilled = Spill(path, self.name)
        with _FORKING:
            _STORES.add(self)

    def _take_in(self, connection: sqlite3.Connection) -> None:
        """Write down what was spilled."""
        jobs = self.spilled.jobs()
        if not jobs:
            return
        connection.execute("PRAGMA busy_timeout = 100")  # it can wait, and a reader may be an event loop
        try:
            connection.execute("BEGIN IMMEDIATE")
            done = self.spilled.write(jobs, lambda facts: self.write_spilled(connection, facts))
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self.spilled.failed(error)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
        self.spilled.forget(done)

    # The file.

    def close(self) -> None:
        for handle in (self._reading, self._writing):
            with handle.lock:
                handle.close()

    @contextlib.contextmanager
    def transaction(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction that nobody else writes in; on disk when it is left without an error.

        One that begins within another is a part of that.
        """
        with self._errors("written"), self._writing.lock:
            open_one = self._writing.connection
            if open_one is not None and open_one.in_transaction:  # of this thread, which has the lock
                yield open_one
                return
            if self._in_group:
                raise sqlite3.OperationalError("the transaction that it belongs to was rolled back")
            connection = self._open(self._writing, create=create)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # after a full disk SQLite has rolled back already
                    connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def group(self) -> Iterator[None]:
        with self.transaction():
            self._in_group = True
            try:
                yield
            finally:
                self._in_group = False

    def _read(self, query: str, values: Sequence[object]) -> list[sqlite3.Row]:
        with self._errors("read"), self._reading.lock:
            return self._open(self._reading, create=False).execute(query, values).fetchall()

    def _open(self, handle: _Handle, *, create: bool) -> sqlite3.Connection:
        identity = self._file()
        if self._identity is not None and identity != self._identity:
            raise JournalError(
                f"The journal {self.path} was moved, deleted or replaced while it was in use: what is at that path now"
                " knows nothing of the jobs in it.",
                cure="Put the file back; or, to begin another journal, make a new client.",
            )
        if identity is None and not create:
            raise MissingJournalError(f"There is no journal at {self.path}.", cure=NONE_THERE)
        if handle.connection is None:
            handle.connection = self._connect(create=create)
            self._identity = self._file()
            self.spilled.expected = True
        if self.spilled.expected and not handle.connection.in_transaction:
            self._take_in(handle.connection)
        return handle.connection

    def _file(self) -> tuple[int, int] | None:
        """Which file is at the path, if there is one."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def _connect(self, *, create: bool) -> sqlite3.Connection:
        if create:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                self.path.touch(mode=0o600, exist_ok=False)
        if not self.path.is_file():
            raise OSError("it is not a regular file")
        end = time.monotonic() + BUSY_SECONDS
        while (connection := self._try_to_connect(create=create, again=time.monotonic() < end)) is None:
            # Not open meanwhile, and not in step with the others: the mode is changed by a process that is alone.
            time.sleep(random.uniform(0.0, 0.1))
        return connection

    def _try_to_connect(self, *, create: bool, again: bool) -> sqlite3.Connection | None:
        """None if others have the file open, and keep SQLite from changing its mode."""
        in_two = Path(f"{self.path}-wal").exists()  # before SQLite makes one
        # As an address, because only so SQLite can be asked not to make a file that is not there.
        name = quote(os.fsencode(self.path.as_posix()))
        connection = sqlite3.connect(
            f"file://{'' if name.startswith('/') else '/'}{name}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.create_function("clock", 0, lambda: time.time())  # looked up at each call
            connection.create_function("whole", 1, math.floor, deterministic=True)
            is_ready = self._prepare(connection, create=create, in_two=in_two, again=again)
        except BaseException:
            connection.close()
            raise
        if is_ready:
            return connection
        connection.close()
        return None

    def _prepare(self, connection: sqlite3.Connection, *, create: bool, in_two: bool, again: bool) -> bool:
        """Returns False if another process was just changing the file's mode: SQLite does not wait for that itself."""
        try:
            self._check_whose(connection, create=create, in_two=in_two)
            connection.execute("PRAGMA journal_mode = PERSIST")
            connection.execute("PRAGMA journal_size_limit = 4194304")  # the load of a large batch makes it grow
            connection.execute("PRAGMA synchronous = FULL")  # a request id must outlive a power cut
            self._lay(connection)
            self._check_copy(connection)
        except sqlite3.OperationalError as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if "locked" not in str(error) or not again:
                raise
            return False
        return True

    def _check_whose(self, connection: sqlite3.Connection, *, create: bool, in_two: bool) -> None:
        tables = [row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if tables and "submissions" not in tables:
            raise JournalError(f"{self.path} is a database of another program; choose another path for the journal.")
        size = self.path.stat().st_size
        if not tables and not size and not create:
            raise MissingJournalError(f"There is no journal at {self.path}: the file is empty.", cure=NONE_THERE)
        if not tables and size and not in_two:
            raise JournalError(
                f"{self.path} is a copy of a journal without its rows: an earlier version kept them in {self.path.name}"
                "-wal beside it.",
                cure="Copy both files, with no program using them.",
            )
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise JournalError(f"The journal {self.path} was written by a newer runcomfy-client; update this one.")

    def _lay(self, connection: sqlite3.Connection) -> None:
        """Make or update the tables."""
        if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION:
            return
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version < VERSION:
            if version == 2:
                _execute_all(connection, FROM_VERSION_2)
            else:
                _execute_all(connection, TABLES if version == 0 else FROM_VERSION_1)
                if version == 1:
                    _normalize_addresses(connection)
                _execute_all(connection, INDEXES)
                connection.execute("INSERT INTO journal VALUES ('file', ?)", (self._mark(),))
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")

    def _mark(self) -> str:
        return "{}:{}".format(*self._file() or (0, 0))

    def _check_copy(self, connection: sqlite3.Connection) -> None:
        """A copy may have been taken in the middle of a commit."""
        if connection.execute("SELECT value FROM journal WHERE name = 'file'").fetchone()[0] == self._mark():
            return
        (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if answer != "ok":
            raise JournalError(
                f"{self.path} is a copy of a journal that was taken in the middle of a write, and is not whole"
                f" ({answer}).",
                cure="Copy it again, with the file that ends in -journal if there is one.",
            )
        with contextlib.suppress(sqlite3.OperationalError):  # it may be read only
            connection.execute("UPDATE journal SET value = ? WHERE name = 'file'", (self._mark(),))

    @contextlib.contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeError) as error:
            if type(error) is sqlite3.DatabaseError:  # its subclasses are about what was asked of it
                raise JournalError(f"{self.path} is damaged: {error}.", cure=self.damaged_cure) from error
            cure = "Choose another path, or make this one writable."
            if "locked" in str(error):
                cure = "Another program holds it; end that, or choose another path."
            raise JournalError(f"The journal {self.path} cannot be {done}: {error}.", cure=cure) from error

    # SQLite forbids to carry an open file into a forked child.

    def hold(self) -> None:
        """Before a fork: close the file and let nobody open it until ``let_go``."""
        for handle in (self._reading, self._writing):
            handle.lock.acquire()
            handle.close()

    def let_go(self) -> None:
        for handle in (self._reading, self._writing):
            handle.lock.release()

    def begin_anew(self) -> None:
        """In a forked child: the locks were taken by a thread that is not there."""
        for handle in (self._reading, self._writing):
            handle.lock = threading.RLock()


class _Handle:
    """A connection, opened when needed, and the lock of those who share it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.connection: sqlite3.Connection | None = None

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def __del__(self) -> None:
        self.close()


def _execute_all(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";"):
        connection.execute(statement)


def _normalize_addresses(connection: sqlite3.Connection) -> None:
    """Version 1 took another spelling of an address for another API. Runs while there is no index of keys."""
    changed = False
    for (address,) in connection.execute("SELECT DISTINCT base_url FROM submissions").fetchall():
        if (normal := normal_address(address)) != address:
            connection.execute("UPDATE submissions SET base_url = ? WHERE base_url = ?", (normal, address))
            changed = True
    if changed:  # a key may have been paid under two spellings: the newest entry keeps it, as `find` has it
        connection.execute(
            f"UPDATE submissions SET job_key = NULL WHERE job_key IS NOT NULL AND {TAKES_KEY} AND rowid NOT IN"
            f" (SELECT max(rowid) FROM submissions WHERE {TAKES_KEY} GROUP BY account, base_url, job_key)"
        )


_STORES: weakref.WeakSet[SqliteStore] = weakref.WeakSet()
# Of the one thread that forks: a second one waits until the first has let go of all stores.
_FORKING = threading.Lock()
_HELD: list[SqliteStore] = []


def _before_fork() -> None:
    _FORKING.acquire()
    for store in _STORES:
        store.hold()
        _HELD.append(store)


def _after_fork(move: Callable[[SqliteStore], None]) -> None:
    for store in _HELD:
        move(store)
    _HELD.clear()
    _FORKING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _after_fork(SqliteStore.let_go),
        after_in_child=lambda: _after_fork(SqliteStore.begin_anew),
    )
