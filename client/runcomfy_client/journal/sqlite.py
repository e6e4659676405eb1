"""The journal in one SQLite file, for any number of threads and processes on one computer.

Why it is set up as it is:

- **Rollback journal, not WAL.** In WAL mode the last transactions lie in a second file until a checkpoint; a copy of
  the first file alone opens without an error and lacks them, and a key in it would be paid again. With
  ``journal_mode = TRUNCATE`` a committed row is in the file itself. It costs two more syncs a commit.
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
import datetime
import glob
import json
import os
import sqlite3
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..errors import JournalError
from ..transport.hooks import log
from .base import (
    LONGEST_LEASE,
    REFUSED,
    SENDING,
    SUBMITTED,
    UNSURE,
    Intent,
    JournalEntry,
    JournalStore,
    MissingJournalError,
    Scope,
    normal_address,
    not_unsure,
    under_lease,
)
from .owners import has_ended

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

VERSION = 2
BUSY_SECONDS = 30.0
PAGE = 500
NONE_THERE = "Check the path; the first submit with a journal makes it."

# In queries these stand as they do in the indexes: SQLite uses a partial index only for the very same condition, and
# never for one with parameters.
TAKES_KEY = "state NOT IN ('refused', 'cancelled', 'released')"
IS_PENDING = "state IN ('sending', 'unsure', 'submitted')"
# In an update of `mine`: its job_key belongs to another entry by now.
KEY_HAS_ANOTHER = (
    "EXISTS (SELECT 1 FROM submissions AS other WHERE other.job_key = mine.job_key AND other.account = mine.account"
    f" AND other.base_url = mine.base_url AND other.id <> mine.id AND other.{TAKES_KEY})"
)

TABLES = """
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
    ended_at REAL,
    owner TEXT,
    lease_until REAL
) STRICT;
CREATE TABLE journal (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT
"""
INDEXES = f"""
CREATE UNIQUE INDEX one_job_a_key ON submissions (account, base_url, job_key)
    WHERE job_key IS NOT NULL AND {TAKES_KEY};
CREATE INDEX by_job_key ON submissions (job_key) WHERE job_key IS NOT NULL;
CREATE INDEX by_request_id ON submissions (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX pending ON submissions (account, base_url) WHERE {IS_PENDING}
"""
# Version 1 had neither leases nor a table of its own facts, and its indexes were not used by its queries.
FROM_VERSION_1 = """
ALTER TABLE submissions ADD COLUMN owner TEXT;
ALTER TABLE submissions ADD COLUMN lease_until REAL;
CREATE TABLE journal (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
DROP INDEX one_job_a_key;
DROP INDEX by_request_id;
DROP INDEX by_state
"""


class SqliteStore(JournalStore):
    """A journal in the file at ``path``, which the first ``intend`` makes, with its folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self._identity: tuple[int, int] | None = None
        self._reading = _Handle()
        self._writing = _Handle()
        self._spilled = False
        self._in_memory: dict[str, dict[str, Any]] = {}
        with _FORKING:
            _STORES.add(self)

    # What the submit rule writes.

    def intend(self, intent: Intent, owner: str, lease_seconds: float) -> JournalEntry | None:
        with self.transaction(create=True) as connection:
            return self.write_intent(connection, intent, owner, lease_seconds)

    def write_intent(
        self, connection: sqlite3.Connection, intent: Intent, owner: str, lease_seconds: float
    ) -> JournalEntry | None:
        """``intend`` within a transaction that does more."""
        (account, base_url), now = intent.scope, time.time()
        if intent.job_key is not None:
            row = connection.execute(
                f"SELECT * FROM submissions WHERE job_key = ? AND base_url = ? AND id <> ? AND {TAKES_KEY}"
                " ORDER BY account = ? DESC, rowid DESC LIMIT 1",
                (intent.job_key, base_url, intent.submission_id, account),
            ).fetchone()
            if row is not None:
                return _entry(row)
        connection.execute(
            "INSERT INTO submissions (id, account, base_url, model_id, job_key, input_digest, input, state, created_at,"
            " owner, lease_until) VALUES (?, ?, ?, ?, ?, ?, ?, 'sending', ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            (
                *(intent.submission_id, account, base_url, intent.model_id, intent.job_key, intent.input_digest),
                *(intent.input, now, owner, now + lease_seconds),
            ),
        )
        return None

    def renew(self, owner: str, submission_ids: Collection[str], lease_seconds: float) -> frozenset[str]:
        with self.transaction() as connection:
            until = time.time() + lease_seconds
            return frozenset(
                submission_id
                for submission_id in submission_ids
                if connection.execute(
                    "UPDATE submissions SET lease_until = ? WHERE id = ? AND state = 'sending' AND owner = ?",
                    (until, submission_id, owner),
                ).rowcount
            )

    def submitted(self, submission_id: str, request_id: str) -> None:
        with self.transaction() as connection:
            row = connection.execute("SELECT * FROM submissions WHERE id = ?", (submission_id,)).fetchone()
            if row is None:
                raise JournalError(f"The journal {self.path} has no submit {submission_id}.", request_id=request_id)
            _write_submitted(connection, row, request_id)

    def refused(self, submission_id: str, owner: str, note: str) -> None:
        self._close_submit(submission_id, owner, REFUSED, note)

    def unsure(self, submission_id: str, owner: str, note: str) -> None:
        self._close_submit(submission_id, owner, UNSURE, note)

    def _close_submit(self, submission_id: str, owner: str, state: str, note: str) -> None:
        with self.transaction() as connection:
            connection.execute(
                "UPDATE submissions SET state = ?, note = ?, ended_at = ?, owner = NULL, lease_until = NULL"
                " WHERE id = ? AND state = 'sending' AND owner = ?",
                (state, note, time.time() if state == REFUSED else None, submission_id, owner),
            )

    def ended(
        self, scope: Scope, request_id: str, state: str, *, cost: float | None, files: Sequence[str], note: str | None
    ) -> None:
        with self.transaction() as connection:
            connection.execute(
                "UPDATE submissions AS mine SET state = CASE state WHEN 'released' THEN state ELSE ? END,"
                # It was taken for cancelled, which freed the key.
                f" job_key = CASE WHEN state = 'cancelled' AND ? <> 'cancelled' AND {KEY_HAS_ANOTHER} THEN NULL"
                " ELSE job_key END, cost = coalesce(?, cost), files = ?, note = ?, ended_at = coalesce(ended_at, ?)"
                " WHERE request_id = ? AND account = ? AND base_url = ?",
                (state, state, cost, json.dumps(list(files)), note, time.time(), request_id, *scope),
            )

    # What users change.

    def settle(self, submission_id: str, request_id: str | None, note: str) -> JournalEntry:
        with self._changing(submission_id) as (connection, row):
            entry = _entry(row)
            if entry.state != UNSURE:
                raise not_unsure(entry, entry.job_key or submission_id)
            if request_id is not None:
                _write_submitted(connection, row, request_id)
            else:
                connection.execute(
                    "UPDATE submissions SET state = 'refused', note = ?, ended_at = ?, owner = NULL, lease_until = NULL"
                    " WHERE id = ?",
                    (note, time.time(), submission_id),
                )
            return _by_id(connection, submission_id)

    def release(self, submission_id: str) -> JournalEntry:
        with self._changing(submission_id) as (connection, _):
            connection.execute(
                "UPDATE submissions SET state = 'released', owner = NULL, lease_until = NULL WHERE id = ?",
                (submission_id,),
            )
            return _by_id(connection, submission_id)

    @contextlib.contextmanager
    def _changing(self, submission_id: str) -> Iterator[tuple[sqlite3.Connection, sqlite3.Row]]:
        """A transaction on an entry that nobody is sending."""
        self._spilled = True  # another process may have left its job beside the file
        with self.transaction() as connection:
            row = connection.execute("SELECT * FROM submissions WHERE id = ?", (submission_id,)).fetchone()
            if row is None:
                raise JournalError(f"{submission_id!r} is not in the journal {self.path}.")
            if (entry := _entry(row)).state == SENDING:
                raise under_lease(entry)
            yield connection, row

    def adopt(self, scope: Scope, account: str) -> int:
        with self.transaction() as connection:
            taken = connection.execute(
                f"SELECT mine.job_key FROM submissions AS mine JOIN submissions AS other USING (base_url, job_key)"
                f" WHERE mine.account = ? AND other.account = ? AND mine.base_url = ? AND mine.{TAKES_KEY}"
                f" AND other.{TAKES_KEY} LIMIT 1",
                (scope.account, account, scope.base_url),
            ).fetchone()
            if taken is not None:
                raise JournalError(
                    f"The job_key {taken[0]!r} has a job of this account and one of {account}.",
                    cure="Release one of them first.",
                    job_key=taken[0],
                )
            return connection.execute(
                "UPDATE submissions SET account = ? WHERE account = ? AND base_url = ?",
                (scope.account, account, scope.base_url),
            ).rowcount

    # Reading.

    def find(self, scope: Scope | None, name: str) -> JournalEntry | None:
        condition, values = _within(scope)
        rows = self._read(
            "SELECT * FROM submissions WHERE rowid IN (SELECT rowid FROM submissions WHERE id = ? UNION SELECT rowid"
            " FROM submissions WHERE request_id = ? UNION SELECT rowid FROM submissions WHERE job_key = ?)"
            f" AND {condition} ORDER BY rowid DESC LIMIT 1",
            (name, name, name, *values),
        )
        return _entry(rows[0]) if rows else None

    def pending(self, scope: Scope | None) -> list[JournalEntry]:
        condition, values = _within(scope)
        rows = self._read(f"SELECT * FROM submissions WHERE {IS_PENDING} AND {condition} ORDER BY rowid", values)
        return [_entry(row) for row in rows]

    def entries(self, scope: Scope | None) -> Iterator[JournalEntry]:
        return self._follow(
            scope, self._page(scope, 0)
        )  # the first page at once, so that a missing file is an error here

    def _page(self, scope: Scope | None, after: int) -> list[sqlite3.Row]:
        condition, values = _within(scope)
        return self._read(
            f"SELECT rowid AS place, * FROM submissions WHERE rowid > ? AND {condition} ORDER BY rowid LIMIT {PAGE}",
            (after, *values),
        )

    def _follow(self, scope: Scope | None, page: list[sqlite3.Row]) -> Iterator[JournalEntry]:
        while page:
            yield from map(_entry, page)
            page = self._page(scope, page[-1]["place"])

    # An id that cannot be written.

    def spill(self, intent: Intent, request_id: str) -> Path:
        path = Path(f"{self.path}-unrecorded-{intent.submission_id}.json")
        facts = {**intent._asdict(), "scope": list(intent.scope), "request_id": request_id, "created_at": time.time()}
        beside = path.with_name(path.name + ".part")
        try:
            beside.touch(mode=0o600)
            with beside.open("w", encoding="utf-8") as file:
                json.dump(facts, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except (OSError, UnicodeError) as error:
            self._in_memory[intent.submission_id] = facts  # better than nothing, and not for long
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise JournalError(f"{path} cannot be written: {error}.", request_id=request_id) from error
        finally:
            self._spilled = True
        return path

    def _take_in(self, connection: sqlite3.Connection) -> None:
        """Write down what was spilled. What cannot be read or written stays where it is, and is logged."""
        self._spilled = False
        in_memory = dict(self._in_memory)
        in_files: dict[Path, dict[str, Any]] = {}
        for path in sorted(self.path.parent.glob(glob.escape(self.path.name) + "-unrecorded-*.json")):
            try:
                in_files[path] = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError) as error:
                self._not_taken_in(error)
        if not in_memory and not in_files:
            return
        connection.execute("PRAGMA busy_timeout = 100")  # it can wait, and a reader may be an event loop
        done: list[Path] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for facts in in_memory.values():
                _write_spilled(connection, facts)
            for path, facts in in_files.items():
                try:
                    _write_spilled(connection, facts)
                    done.append(path)
                except (ValueError, KeyError, TypeError) as error:  # it is damaged
                    self._not_taken_in(error)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._not_taken_in(error)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
        for submission_id in in_memory:
            self._in_memory.pop(submission_id, None)
        for path in done:
            path.unlink(missing_ok=True)

    def _not_taken_in(self, error: Exception) -> None:
        self._spilled = True
        log.error(
            "Jobs that the journal %s lacks, kept in memory or in %s-unrecorded-*.json, cannot be written to it: %s",
            *(self.path, self.path.name, error),
        )

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
            connection = self._open(self._writing, create=create)
            within_another = connection.in_transaction  # of this thread, which has the lock
            if within_another:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # after a full disk SQLite has rolled back already
                    connection.execute("ROLLBACK")
                raise

    def _read(self, query: str, values: Sequence[object]) -> list[sqlite3.Row]:
        with self._errors("read"), self._reading.lock:
            return self._open(self._reading, create=False).execute(query, values).fetchall()

    def _open(self, handle: _Handle, *, create: bool) -> sqlite3.Connection:
        found = self._file()
        if self._identity is not None and found != self._identity:
            raise JournalError(
                f"The journal {self.path} was moved, deleted or replaced while it was in use: what is at that path now"
                " knows nothing of the jobs in it.",
                cure="Put the file back; or, to begin another journal, make a new client.",
            )
        if found is None and not create:
            raise MissingJournalError(f"There is no journal at {self.path}.", cure=NONE_THERE)
        if handle.connection is None:
            handle.connection = self._connect(create=create)
            self._identity = self._file()
            self._spilled = True
        if self._spilled and not handle.connection.in_transaction:
            self._take_in(handle.connection)
        return handle.connection

    def _file(self) -> tuple[int, int] | None:
        """Which file is at the path, if there is one."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _connect(self, *, create: bool) -> sqlite3.Connection:
        if create:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                self.path.touch(mode=0o600, exist_ok=False)
        if not self.path.is_file():
            raise OSError("it is not a regular file")
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
            end = time.monotonic() + BUSY_SECONDS
            while not self._prepare(connection, create=create, in_two=in_two, again=time.monotonic() < end):
                time.sleep(0.01)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection, *, create: bool, in_two: bool, again: bool) -> bool:
        """Returns False if another process was just changing the file's mode: SQLite does not wait for that itself."""
        try:
            self._check_whose(connection, create=create, in_two=in_two)
            connection.execute("PRAGMA journal_mode = TRUNCATE")
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


def _within(scope: Scope | None) -> tuple[str, tuple[str, ...]]:
    return ("account = ? AND base_url = ?", tuple(scope)) if scope else ("1", ())


def _entry(row: sqlite3.Row) -> JournalEntry:
    state, until, owner = row["state"], row["lease_until"], row["owner"]
    if state == SENDING and not _is_live(owner, until):
        state, until = UNSURE, None  # left behind by a process that ended, or lost the file
    return JournalEntry(
        submission_id=row["id"],
        state=state,
        model_id=row["model_id"],
        request_id=row["request_id"],
        job_key=row["job_key"],
        created_at=_moment(row["created_at"]),
        ended_at=_moment(row["ended_at"]) if row["ended_at"] else None,
        cost=row["cost"],
        files=tuple(json.loads(row["files"])) if row["files"] else (),
        note=row["note"],
        input=json.loads(row["input"]) if row["input"] else None,
        account=row["account"],
        base_url=row["base_url"],
        input_digest=row["input_digest"],
        owner=owner if state == SENDING else None,
        lease_until=_moment(until) if state == SENDING else None,
    )


def _is_live(owner: str | None, until: float | None) -> bool:
    return owner is not None and until is not None and 0 < until - time.time() < LONGEST_LEASE and not has_ended(owner)


def _moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _by_id(connection: sqlite3.Connection, submission_id: str) -> JournalEntry:
    return _entry(connection.execute("SELECT * FROM submissions WHERE id = ?", (submission_id,)).fetchone())


def _write_submitted(connection: sqlite3.Connection, row: sqlite3.Row, request_id: str) -> None:
    if row["request_id"] == request_id:
        return
    if row["request_id"] is not None:
        # It was settled by hand as another job meanwhile: both may be paid, so both are kept.
        values = {**dict(row), "id": os.urandom(16).hex(), "job_key": None, "state": SUBMITTED, "cost": None}
        _insert(connection, {**values, "request_id": request_id, "files": None, "ended_at": None})
        return
    connection.execute(
        "UPDATE submissions AS mine SET state = 'submitted', request_id = ?, submitted_at = ?, owner = NULL,"
        f" lease_until = NULL, ended_at = NULL, job_key = CASE WHEN {KEY_HAS_ANOTHER} THEN NULL ELSE job_key END"
        " WHERE id = ?",
        (request_id, time.time(), row["id"]),
    )


def _write_spilled(connection: sqlite3.Connection, facts: dict[str, Any]) -> None:
    """As ``submitted``; a journal that has lost the entry gets it anew."""
    identity, request_id = str(facts["submission_id"]), str(facts["request_id"])
    row = connection.execute("SELECT * FROM submissions WHERE id = ?", (identity,)).fetchone()
    if row is None:
        account, base_url = facts["scope"]
        columns = ("model_id", "input_digest", "input", "created_at")
        values = {"id": identity, "account": account, "base_url": base_url, "state": REFUSED, "job_key": None}
        _insert(connection, {**values, **{name: facts[name] for name in columns}})
        with contextlib.suppress(sqlite3.IntegrityError):
            connection.execute("UPDATE submissions SET job_key = ? WHERE id = ?", (facts["job_key"], identity))
        row = connection.execute("SELECT * FROM submissions WHERE id = ?", (identity,)).fetchone()
    _write_submitted(connection, row, request_id)


def _insert(connection: sqlite3.Connection, values: dict[str, object]) -> None:
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO submissions ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


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
