"""The rules of a journal in SQL, for SQLite and PostgreSQL alike.

`SqlStore` has every statement; `sqlite` and `postgres` have what differs: how a transaction is kept apart from others,
and what is done when the database cannot be reached. The statements use the part of SQL that both databases understand,
with ``?`` for a parameter. Two functions that both databases are given fill the gaps: ``clock()``, seconds since 1970
by the clock that measures leases, and ``whole(x)``, the greatest whole number that is not above x.
"""

from __future__ import annotations

import abc
import contextlib
import datetime
import functools
import json
import os
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from ..errors import JournalError
from .base import (
    LONGEST_LEASE,
    REFUSED,
    SENDING,
    SUBMITTED,
    UNSURE,
    Intent,
    JournalEntry,
    JournalStore,
    Scope,
    not_unsure,
    under_lease,
)
from .budget import Spending
from .owners import has_ended

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from .spill import Spill

P = ParamSpec("P")
T = TypeVar("T")

PAGE = 500

# In queries these stand as they do in the indexes: SQLite uses a partial index only for the very same condition, and
# never for one with parameters.
TAKES_KEY = "state NOT IN ('refused', 'cancelled', 'released')"
IS_PENDING = "state IN ('sending', 'unsure', 'submitted')"
# In an update of `mine`: its job_key belongs to another entry by now.
KEY_HAS_ANOTHER = (
    "EXISTS (SELECT 1 FROM submissions AS other WHERE other.job_key = mine.job_key AND other.account = mine.account"
    f" AND other.base_url = mine.base_url AND other.id <> mine.id AND other.{TAKES_KEY})"
)
# What an entry is made of.
ENTRY = "submissions.*, clock() AS now"

SPENDING = (
    "SELECT count(*) AS jobs, coalesce(sum(whole(coalesce(cost, 0) * 1000000 + 0.5)), 0) AS spent,"
    " coalesce(sum(CASE WHEN cost IS NULL THEN reserved END), 0) AS reserved"
    " FROM submissions WHERE base_url = ? AND created_at > clock() - ? AND state <> 'refused'"
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
    lease_until REAL,
    reserved INTEGER
) STRICT;
CREATE TABLE journal (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT
"""
# By the time alone: with the address in front, SQLite would take it for queries by address and key.
INDEX_BY_TIME = "CREATE INDEX by_time ON submissions (created_at)"
INDEXES = f"""
CREATE UNIQUE INDEX one_job_a_key ON submissions (account, base_url, job_key)
    WHERE job_key IS NOT NULL AND {TAKES_KEY};
CREATE INDEX by_job_key ON submissions (job_key) WHERE job_key IS NOT NULL;
CREATE INDEX by_request_id ON submissions (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX pending ON submissions (account, base_url) WHERE {IS_PENDING};
{INDEX_BY_TIME}
"""


class Row(Protocol):
    """A row of a result; its columns are read by name."""

    def __getitem__(self, name: str, /) -> Any: ...

    def keys(self) -> Iterable[str]: ...


class Cursor(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """A connection within a transaction."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Cursor: ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> object: ...


class _HasRepeat(Protocol):
    def repeat(self, write: Callable[[], T]) -> T: ...


S = TypeVar("S", bound=_HasRepeat)


def repeatable(write: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """A write that a store may do again when it does not know whether the first try was committed."""

    @functools.wraps(write)
    def repeated(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.repeat(lambda: write(self, *args, **kwargs))

    return repeated


class SqlStore(JournalStore):
    """A journal in the tables ``submissions`` and ``journal``."""

    spilled: Spill

    @abc.abstractmethod
    def transaction(self, *, create: bool = False) -> contextlib.AbstractContextManager[Connection]:
        """A transaction that nobody else writes in; on disk when it is left without an error.

        One that begins within another is a part of that. create: make the journal if there is none.
        """

    @abc.abstractmethod
    def _read(self, query: str, values: Sequence[object]) -> list[Any]:
        """The rows of a query, in a transaction of its own."""

    def repeat(self, write: Callable[[], T]) -> T:
        """Do a ``repeatable`` write, again if the database was lost meanwhile."""
        return write()

    # What the submit rule writes.

    @repeatable
    def intend(self, intent: Intent, owner: str, lease_seconds: float) -> JournalEntry | None:
        with self.transaction(create=True) as connection:
            return self.write_intent(connection, intent, owner, lease_seconds)

    def write_intent(
        self, connection: Connection, intent: Intent, owner: str, lease_seconds: float
    ) -> JournalEntry | None:
        """``intend`` within a transaction that does more."""
        account, base_url = intent.scope
        if intent.job_key is not None:
            row = connection.execute(
                f"SELECT {ENTRY} FROM submissions WHERE job_key = ? AND base_url = ? AND id <> ? AND {TAKES_KEY}"
                " ORDER BY account = ? DESC, rowid DESC LIMIT 1",
                (intent.job_key, base_url, intent.submission_id, account),
            ).fetchone()
            if row is not None:
                return entry_of(row)
        reserve: int | None = None
        if intent.budget is not None:
            values = (base_url, intent.budget.hours * 3600, intent.submission_id)
            others = connection.execute(f"{SPENDING} AND id <> ?", values).fetchone()
            intent.budget.check(intent.model_id, _spending(others))
            reserve = intent.budget.reserve
        connection.execute(
            "INSERT INTO submissions (id, account, base_url, model_id, job_key, input_digest, input, state, created_at,"
            " owner, lease_until, reserved) VALUES (?, ?, ?, ?, ?, ?, ?, 'sending', clock(), ?, clock() + ?, ?)"
            " ON CONFLICT (id) DO NOTHING",
            (
                *(intent.submission_id, account, base_url, intent.model_id, intent.job_key, intent.input_digest),
                *(intent.input, owner, lease_seconds, reserve),
            ),
        )
        return None

    @repeatable
    def renew(self, owner: str, submission_ids: Collection[str], lease_seconds: float) -> frozenset[str]:
        with self.transaction() as connection:
            return frozenset(
                submission_id
                for submission_id in submission_ids
                if connection.execute(
                    "UPDATE submissions SET lease_until = clock() + ? WHERE id = ? AND state = 'sending' AND owner = ?",
                    (lease_seconds, submission_id, owner),
                ).rowcount
            )

    @repeatable
    def submitted(self, submission_id: str, request_id: str) -> None:
        with self.transaction() as connection:
            row = connection.execute("SELECT * FROM submissions WHERE id = ?", (submission_id,)).fetchone()
            if row is None:
                raise JournalError(f"The journal {self.name} has no submit {submission_id}.", request_id=request_id)
            _write_submitted(connection, row, request_id)

    @repeatable
    def refused(self, submission_id: str, owner: str, note: str) -> None:
        self._close_submit(submission_id, owner, REFUSED, note)

    @repeatable
    def unsure(self, submission_id: str, owner: str, note: str) -> None:
        self._close_submit(submission_id, owner, UNSURE, note)

    def _close_submit(self, submission_id: str, owner: str, state: str, note: str) -> None:
        with self.transaction() as connection:
            ended = "clock()" if state == REFUSED else "NULL"
            connection.execute(
                f"UPDATE submissions SET state = ?, note = ?, ended_at = {ended}, owner = NULL, lease_until = NULL"
                " WHERE id = ? AND state = 'sending' AND owner = ?",
                (state, note, submission_id, owner),
            )

    @repeatable
    def ended(
        self, scope: Scope, request_id: str, state: str, *, cost: float | None, files: Sequence[str], note: str | None
    ) -> None:
        with self.transaction() as connection:
            connection.execute(
                "UPDATE submissions AS mine SET state = CASE state WHEN 'released' THEN state ELSE ? END,"
                # It was taken for cancelled, which freed the key.
                f" job_key = CASE WHEN state = 'cancelled' AND ? <> 'cancelled' AND {KEY_HAS_ANOTHER} THEN NULL"
                " ELSE job_key END, cost = coalesce(?, cost), files = ?, note = ?, ended_at = coalesce(ended_at,"
                " clock()) WHERE request_id = ? AND account = ? AND base_url = ?",
                (state, state, cost, json.dumps(list(files)), note, request_id, *scope),
            )

    # What users change.

    def settle(self, submission_id: str, request_id: str | None, note: str) -> JournalEntry:
        with self._changing(submission_id) as (connection, row):
            entry = entry_of(row)
            if entry.state != UNSURE:
                raise not_unsure(entry, entry.job_key or submission_id)
            if request_id is not None:
                _check_is_free(connection, row, request_id)
                _write_submitted(connection, row, request_id)
            else:
                connection.execute(
                    "UPDATE submissions SET state = 'refused', note = ?, ended_at = clock(), owner = NULL,"
                    " lease_until = NULL WHERE id = ?",
                    (note, submission_id),
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
    def _changing(self, submission_id: str) -> Iterator[tuple[Connection, Row]]:
        """A transaction on an entry that nobody is sending."""
        self.spilled.expected = True  # another process may have left its job in a file
        with self.transaction() as connection:
            row = connection.execute(f"SELECT {ENTRY} FROM submissions WHERE id = ?", (submission_id,)).fetchone()
            if row is None:
                raise JournalError(f"{submission_id!r} is not in the journal {self.name}.")
            if (entry := entry_of(row)).state == SENDING:
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
                    f"The job_key {taken['job_key']!r} has a job of this account and one of {account}.",
                    cure="Release one of them first.",
                    job_key=taken["job_key"],
                )
            return connection.execute(
                "UPDATE submissions SET account = ? WHERE account = ? AND base_url = ?",
                (scope.account, account, scope.base_url),
            ).rowcount

    # Reading.

    def find(self, scope: Scope | None, name: str) -> JournalEntry | None:
        condition, values = _within(scope)
        rows = self._read(
            f"SELECT {ENTRY} FROM submissions WHERE rowid IN (SELECT rowid FROM submissions WHERE id = ? UNION SELECT"
            " rowid FROM submissions WHERE request_id = ? UNION SELECT rowid FROM submissions WHERE job_key = ?)"
            f" AND {condition} ORDER BY rowid DESC LIMIT 1",
            (name, name, name, *values),
        )
        return entry_of(rows[0]) if rows else None

    def pending(self, scope: Scope | None) -> list[JournalEntry]:
        condition, values = _within(scope)
        rows = self._read(f"SELECT {ENTRY} FROM submissions WHERE {IS_PENDING} AND {condition} ORDER BY rowid", values)
        return [entry_of(row) for row in rows]

    def entries(self, scope: Scope | None) -> Iterator[JournalEntry]:
        return self._follow(
            scope, self._page(scope, 0)
        )  # the first page at once, so that a missing journal is an error here

    def _page(self, scope: Scope | None, after: int) -> list[Row]:
        condition, values = _within(scope)
        return self._read(
            f"SELECT rowid AS place, {ENTRY} FROM submissions WHERE rowid > ? AND {condition} ORDER BY rowid"
            f" LIMIT {PAGE}",
            (after, *values),
        )

    def _follow(self, scope: Scope | None, page: list[Row]) -> Iterator[JournalEntry]:
        while page:
            yield from map(entry_of, page)
            page = self._page(scope, page[-1]["place"])

    def spending(self, base_url: str, seconds: float) -> Spending:
        return _spending(self._read(SPENDING, (base_url, seconds))[0])

    # An id that could not be written.

    def spill(self, intent: Intent, request_id: str) -> Path:
        return self.spilled.keep(intent, request_id)

    def write_spilled(self, connection: Connection, facts: dict[str, Any]) -> None:
        """As ``submitted``; a journal that has lost the entry gets it again."""
        identity, request_id = str(facts["submission_id"]), str(facts["request_id"])
        row = connection.execute("SELECT * FROM submissions WHERE id = ?", (identity,)).fetchone()
        if row is None:
            account, base_url = facts["scope"]
            columns = ("model_id", "input_digest", "input", "created_at")
            values = {"id": identity, "account": account, "base_url": base_url, "state": REFUSED, "job_key": None}
            _insert(
                connection, {**values, **{name: facts[name] for name in columns}, "reserved": facts.get("reserved")}
            )
            connection.execute(
                "UPDATE submissions SET job_key = ? WHERE id = ? AND NOT EXISTS (SELECT 1 FROM submissions AS other"
                f" WHERE other.job_key = ? AND other.account = ? AND other.base_url = ? AND other.{TAKES_KEY})",
                (facts["job_key"], identity, facts["job_key"], account, base_url),
            )
            row = connection.execute("SELECT * FROM submissions WHERE id = ?", (identity,)).fetchone()
        _write_submitted(connection, row, request_id)


def entry_of(row: Row) -> JournalEntry:
    """The entry in a row of ENTRY."""
    state, until, owner = row["state"], row["lease_until"], row["owner"]
    if state == SENDING and not _is_live(owner, until, row["now"]):
        state, until = UNSURE, None  # left behind by a process that ended, or lost the journal
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


def _is_live(owner: str | None, until: float | None, now: float) -> bool:
    return owner is not None and until is not None and 0 < until - now < LONGEST_LEASE and not has_ended(owner)


def _spending(row: Row) -> Spending:
    return Spending(int(row["jobs"]), int(row["spent"]), int(row["reserved"]))


def _moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _within(scope: Scope | None) -> tuple[str, tuple[str, ...]]:
    return ("account = ? AND base_url = ?", tuple(scope)) if scope else ("1 = 1", ())


def _by_id(connection: Connection, submission_id: str) -> JournalEntry:
    return entry_of(connection.execute(f"SELECT {ENTRY} FROM submissions WHERE id = ?", (submission_id,)).fetchone())


def _check_is_free(connection: Connection, row: Row, request_id: str) -> None:
    """Raises JournalError if another entry has this job: settled with it, this one's own job would be lost."""
    other = connection.execute(
        "SELECT id, job_key FROM submissions WHERE request_id = ? AND account = ? AND base_url = ? AND id <> ?"
        " AND state <> 'released'",
        (request_id, row["account"], row["base_url"], row["id"]),
    ).fetchone()
    if other is not None:
        name, taken_by = row["job_key"] or row["id"], other["job_key"] or other["id"]
        raise JournalError(f"{request_id} is the job of {taken_by!r}; {name!r} stays unsure.", job_key=row["job_key"])


def _write_submitted(connection: Connection, row: Row, request_id: str) -> None:
    if row["request_id"] == request_id:
        return
    if row["request_id"] is not None:
        # It was settled by hand as another job meanwhile: both may be paid, so both are kept.
        values = {name: row[name] for name in row.keys() if name != "rowid"}  # noqa: SIM118 - a row is no dict
        values |= {"id": os.urandom(16).hex(), "job_key": None, "state": SUBMITTED, "cost": None}
        _insert(connection, {**values, "request_id": request_id, "files": None, "ended_at": None})
        return
    connection.execute(
        "UPDATE submissions AS mine SET state = 'submitted', request_id = ?, submitted_at = clock(), owner = NULL,"
        f" lease_until = NULL, ended_at = NULL, job_key = CASE WHEN {KEY_HAS_ANOTHER} THEN NULL ELSE job_key END"
        " WHERE id = ?",
        (request_id, row["id"]),
    )


def _insert(connection: Connection, values: dict[str, object]) -> None:
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO submissions ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
