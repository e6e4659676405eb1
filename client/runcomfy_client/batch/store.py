"""The journal of one batch: its submits and its items, always changed together.

An item is a job that the batch wants to be done, a submission one POST for it. `BatchStore` is a journal like any
other, so the submit rule writes into it as it does everywhere; what it adds is that each write moves the item, too,
in the same transaction. `items` has the states.

``intend`` is the gate: in one transaction it looks whether the item still waits, whether the file it names is what was
checked, whether the batch is paused, whether a place in flight and enough of the budget are left, and writes the
intent. Killed before the commit, nothing has happened; killed after it, the item is `submitting`, and the next run
finds out that nobody knows what became of it: `unsure`. Nothing is ever sent for an item that is not `waiting`.

Money is in whole microdollars. While a job runs its estimate is reserved; when it is over its cost is spent. An unsure
item keeps its reservation. Triggers keep the sums, so that they are right after every transaction.

`BatchStore` has the rules, in SQL that SQLite and PostgreSQL share; `folder_store` has the file of a batch on one
machine.
"""

from __future__ import annotations

import abc
import json
import re
import sqlite3
from typing import TYPE_CHECKING, cast

from ..describe.prices import dollars, micro, micro_limit
from ..errors import ConfigurationError, InvalidBatchError
from ..journal.journal import Journal
from ..journal.sql import ENTRY, SqlStore, entry_of, repeatable
from .items import (
    DONE,
    ENDED,
    FETCHING,
    REFUSED,
    RUNNING,
    STATES,
    SUBMITTING,
    UNSURE,
    WAITING,
    BatchStatus,
    Ending,
    Held,
    Item,
)
from .limits import Limits
from .plan import ITEM_COLUMNS, RowProblem, content_names, with_media

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ..describe.prices import Price
    from ..journal.base import Intent, JournalEntry, Scope
    from ..journal.sql import Connection, Row
    from .plan import Plan

PAGE = 500
# Below the number of every row; those of rows that are gone are negative.
BEFORE_ALL = -(2**62)
# A rate is of so many jobs at least, over so many seconds.
RATE_JOBS = 4
RATE_SECONDS = 5.0
_NAMED_ID = re.compile(r"The reply names the request id (\S+):")
# A key has no such character, so the job_key of a retry cannot be the key of another item.
NOT_IN_KEYS = "\N{NO-BREAK SPACE}"

# An item is tried again, under a job_key of its own; its earlier submits stay in the journal.
WAITS_ANEW = (
    "state = 'waiting', attempt = attempt + 1, job_key = key || ? || (attempt + 1), submission_id = NULL,"
    " request_id = NULL, submitted_at = NULL, cost = NULL, files = NULL, spent_before = spent, error = NULL,"
    " seq = NULL, ended_at = NULL, reserved = 0"
)

TABLES = """
CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    account TEXT NOT NULL,
    base_url TEXT NOT NULL,
    created_at REAL NOT NULL,
    budget INTEGER,
    concurrency INTEGER NOT NULL DEFAULT 100,
    paused INTEGER NOT NULL DEFAULT 0,
    spent INTEGER NOT NULL DEFAULT 0,
    reserved INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,
    balance_before REAL,
    balance_after REAL
) STRICT;
CREATE TABLE IF NOT EXISTS items (
    id INTEGER PRIMARY KEY,
    number INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,
    model_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    input TEXT NOT NULL,
    media TEXT,
    price INTEGER,
    outputs REAL NOT NULL,
    seconds REAL NOT NULL,
    estimate INTEGER,
    state TEXT NOT NULL DEFAULT 'waiting',
    attempt INTEGER NOT NULL DEFAULT 1,
    job_key TEXT UNIQUE,
    submission_id TEXT,
    request_id TEXT,
    submitted_at REAL,
    cost REAL,
    spent INTEGER NOT NULL DEFAULT 0,
    spent_before INTEGER NOT NULL DEFAULT 0,
    reserved INTEGER NOT NULL DEFAULT 0,
    files TEXT,
    error TEXT,
    seq INTEGER,
    ended_at REAL
) STRICT;
CREATE INDEX IF NOT EXISTS items_by_state ON items (state, number);
CREATE INDEX IF NOT EXISTS items_by_number ON items (number);
CREATE INDEX IF NOT EXISTS items_by_submission ON items (submission_id) WHERE submission_id IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS items_by_seq ON items (seq) WHERE seq IS NOT NULL;
CREATE TABLE IF NOT EXISTS counts (state TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS models (
    model_id TEXT PRIMARY KEY, usd REAL NOT NULL, unit TEXT NOT NULL, factor REAL NOT NULL DEFAULT 1.0,
    tried INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS contents (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT
"""


class BatchStore(SqlStore):
    """The journal of a batch. ``place`` names it in messages, ``folder`` is where its files go."""

    folder: Path

    @property
    @abc.abstractmethod
    def place(self) -> str:
        """The batch, as messages name it."""

    @abc.abstractmethod
    def is_active(self) -> bool:
        """Whether a process works on the batch now."""

    @abc.abstractmethod
    def _make_tables(self, connection: Connection) -> None:
        """Make the tables that are not there yet."""

    @abc.abstractmethod
    def _is_left_behind(self, entry: JournalEntry) -> bool:
        """Whether nobody sends this submission any more, which was not seen to end."""

    def create(self, name: str, scope: Scope) -> None:
        """Make the tables. Raises ConfigurationError if the batch is of another account or address."""
        with self.transaction(create=True) as connection:
            self._make_tables(connection)
            row = connection.execute("SELECT * FROM batches").fetchone()
            if row is None:
                connection.execute(
                    "INSERT INTO batches (id, name, account, base_url, created_at) VALUES (1, ?, ?, ?, clock())",
                    (name, *scope),
                )
                connection.executemany("INSERT INTO counts VALUES (?, 0)", [(state,) for state in STATES])
            else:
                self.check_scope(row, scope)

    def check_scope(self, batch: Row, scope: Scope) -> None:
        """Raises ConfigurationError if the batch is of another account or address."""
        if (batch["account"], batch["base_url"]) != scope:
            other = "address" if batch["base_url"] != scope.base_url else "token"
            raise ConfigurationError(
                f"{self.place} holds the batch {batch['name']!r}, begun with another {other}. Nothing was sent.",
                cure="Use another one, or the token and address it was begun with.",
            )

    # Rows come in.

    def load(self, plan: Plan) -> int:
        """Take over the rows of a plan; those that are here already stay as they are. Returns how many are new.

        Waiting items that no row names any more are dropped. Raises InvalidBatchError if a key has another input by
        now, ConfigurationError if the folder holds a batch of other rows.
        """
        source = sqlite3.connect(plan.path)
        try:
            with self.transaction() as connection:
                return self._load(connection, source, plan)
        finally:
            source.close()

    def _load(self, connection: Connection, source: sqlite3.Connection, plan: Plan) -> int:
        before = connection.execute("SELECT count(*) AS number FROM items").fetchone()["number"]
        known = new = 0
        connection.execute("UPDATE items SET number = -id")
        rows = source.execute(f"SELECT {ITEM_COLUMNS} FROM planned ORDER BY number")
        while page := rows.fetchmany(PAGE):
            here = self._with_keys(connection, [row[1] for row in page]) if before else {}
            added, kept, mended = [], [], []
            for row in page:
                number, key, model_id, digest = row[:4]
                item = here.get(key)
                if item is not None and (item["model_id"], item["digest"]) != (model_id, digest):
                    if item["state"] == REFUSED:  # no job was started, and the row was mended
                        mended.append((*row[:1], *row[2:], f"{NOT_IN_KEYS}#", item["id"]))
                        continue
                    if item["state"] != WAITING or item["submission_id"] is not None:
                        text = (
                            f"has the key {key!r}, under which this batch has a job with another input;"
                            " give the row a key of its own"
                        )
                        plan.check.add(RowProblem(place=f"row {number}", message=text, key=key))
                        continue
                    connection.execute("DELETE FROM items WHERE id = ?", (item["id"],))
                    item = None
                if item is None:
                    added.append((*row, key))
                    continue
                kept.append((number, row[6], item["id"]))
            marks = ", ".join("?" * 10)
            connection.executemany(f"INSERT INTO items ({ITEM_COLUMNS}, job_key) VALUES ({marks})", added)
            connection.executemany("UPDATE items SET number = ?, price = ? WHERE id = ?", kept)
            connection.executemany(
                "UPDATE items SET number = ?, model_id = ?, digest = ?, input = ?, media = ?, price = ?, outputs = ?,"
                f" seconds = ?, {WAITS_ANEW} WHERE id = ?",
                mended,
            )
            new += len(added)
            known += len(kept) + len(mended)
        if not plan.check.ok:
            raise InvalidBatchError(plan.check)
        if before and not known:
            name = connection.execute("SELECT name FROM batches").fetchone()["name"]
            raise ConfigurationError(
                f"{self.place} holds the batch {name!r}, and none of its jobs is among these rows. Nothing was sent.",
                cure="A batch of other rows needs a place of its own.",
            )
        connection.executemany(
            "INSERT INTO contents VALUES (?, ?) ON CONFLICT DO NOTHING", source.execute("SELECT * FROM contents")
        )
        connection.execute("DELETE FROM items WHERE number < 0 AND state = 'waiting' AND spent_before = 0")
        self._price(connection, plan.prices)
        connection.execute("UPDATE counts SET number = 0")
        connection.execute(
            "INSERT INTO counts SELECT state, count(*) FROM items GROUP BY state"
            " ON CONFLICT (state) DO UPDATE SET number = excluded.number"
        )
        return new

    def _with_keys(self, connection: Connection, keys: Sequence[str]) -> dict[str, Row]:
        marks = ", ".join("?" * len(keys))
        rows = connection.execute(f"SELECT * FROM items WHERE key IN ({marks})", tuple(keys)).fetchall()
        return {row["key"]: row for row in rows}

    def _price(self, connection: Connection, prices: Mapping[str, Price]) -> None:
        connection.executemany(
            "INSERT INTO models (model_id, usd, unit) VALUES (?, ?, ?)"
            " ON CONFLICT (model_id) DO UPDATE SET usd = excluded.usd, unit = excluded.unit",
            [(model_id, *price) for model_id, price in prices.items()],
        )
        connection.execute(
            "UPDATE items SET estimate = coalesce(price, (SELECT whole(usd * 1000000 * factor * CASE unit"
            " WHEN 'second' THEN seconds WHEN 'job' THEN 1.0 ELSE outputs END + 0.999)"
            " FROM models WHERE models.model_id = items.model_id)) WHERE state = 'waiting'"
        )

    def begin(self, limits: Limits) -> None:
        """Set the limits of this run."""
        with self.transaction() as connection:
            amount = None if limits.budget is None else micro_limit(limits.budget)
            connection.execute("UPDATE batches SET budget = ?, concurrency = ?", (amount, limits.concurrency))

    def join(self, scope: Scope) -> Limits:
        """The limits of the batch that is there. Raises ConfigurationError if it is of another account or address."""
        batch = self.sums()
        self.check_scope(batch, scope)
        return Limits(budget=dollars(batch["budget"]), concurrency=batch["concurrency"])

    @repeatable
    def recover(self) -> None:
        """Find out what became of items whose sender has ended, and of ids taken in from a file."""
        with self.transaction() as connection:
            rows = connection.execute(
                f"SELECT items.id AS item, items.state AS item_state, {ENTRY} FROM items JOIN submissions"
                " ON submissions.id = submission_id WHERE items.state IN ('submitting', 'unsure')"
            ).fetchall()
            for row in rows:
                if row["request_id"] is not None and row["state"] != "released":
                    _set_running(connection, row["item"], row["request_id"], row["submitted_at"] or row["created_at"])
                elif row["state"] == "refused":
                    _set_waiting(connection, row["item"])
                elif row["item_state"] == SUBMITTING and self._is_left_behind(entry_of(row)):
                    # The submission stays as it is, so that a sender that only stood still can still end it.
                    _set_unsure(connection, row["item"], "the program ended while it was being sent")

    # What the submit rule writes.

    @repeatable
    def intend(self, intent: Intent, owner: str, lease_seconds: float) -> JournalEntry | None:
        with self.transaction() as connection:
            item = connection.execute("SELECT * FROM items WHERE job_key = ?", (intent.job_key,)).fetchone()
            if item is not None and item["submission_id"] == intent.submission_id:
                self._intend_again(connection, item, owner, lease_seconds)
                return None
            self._check_gate(connection, item, intent)
            # Of an earlier try that was refused, as after a 429: one row for a job.
            if item["submission_id"] is not None:
                connection.execute(
                    "DELETE FROM submissions WHERE id = ? AND state = 'refused' AND request_id IS NULL",
                    (item["submission_id"],),
                )
            taken = self.write_intent(connection, intent, owner, lease_seconds)
            if taken is not None:
                return taken
            connection.execute(
                "UPDATE items SET state = 'submitting', submission_id = ?, reserved = coalesce(estimate, 0),"
                " error = NULL WHERE id = ?",
                (intent.submission_id, item["id"]),
            )
            return None

    def _intend_again(self, connection: Connection, item: Row, owner: str, lease_seconds: float) -> None:
        """An earlier try was committed, and nothing was sent: the lease begins anew, unless somebody settled it."""
        still_sending = connection.execute(
            "UPDATE submissions SET lease_until = clock() + ? WHERE id = ? AND state = 'sending' AND owner = ?",
            (lease_seconds, item["submission_id"], owner),
        ).rowcount
        if not still_sending:
            raise Held("taken", f"The job {item['job_key']!r} of the batch was settled meanwhile.")
        connection.execute(
            "UPDATE items SET state = 'submitting', error = NULL, seq = NULL, ended_at = NULL WHERE id = ?",
            (item["id"],),
        )

    def _check_gate(self, connection: Connection, item: Row | None, intent: Intent) -> None:
        if item is None or item["state"] != WAITING:
            raise Held("taken", f"The job {intent.job_key!r} of the batch does not wait to be sent.")
        if (item["model_id"], item["digest"]) != (intent.model_id, intent.input_digest):
            raise Held("changed", "a file of its input has changed since it was checked")
        batch = connection.execute(
            "SELECT batches.*, (SELECT CAST(sum(number) AS BIGINT) FROM counts"
            " WHERE state IN ('submitting', 'running', 'fetching')) AS in_flight FROM batches"
        ).fetchone()
        if batch["paused"]:
            raise Held("paused", "The batch is paused.")
        if batch["in_flight"] >= batch["concurrency"]:
            raise Held("full", f"{batch['in_flight']} jobs of the batch are in flight.")
        if batch["budget"] is None:
            return
        if item["estimate"] is None:
            raise Held("unpriced", f"No price of {item['model_id']} is known, so no budget can hold it.")
        if batch["spent"] + batch["reserved"] + item["estimate"] > batch["budget"]:
            raise Held("budget", "The next job does not fit into the budget.")

    @repeatable
    def submitted(self, submission_id: str, request_id: str) -> None:
        with self.transaction() as connection:
            super().submitted(submission_id, request_id)
            item = _item_of(connection, submission_id)
            if item is not None and item["request_id"] != request_id:
                _set_running(connection, item["id"], request_id)

    @repeatable
    def refused(self, submission_id: str, owner: str, note: str) -> None:
        with self.transaction() as connection:
            super().refused(submission_id, owner, note)
            item = _item_of(connection, submission_id)
            if item is not None and item["state"] in (SUBMITTING, UNSURE) and item["submit_state"] == "refused":
                _set_waiting(connection, item["id"])

    @repeatable
    def unsure(self, submission_id: str, owner: str, note: str) -> None:
        with self.transaction() as connection:
            super().unsure(submission_id, owner, note)
            item = _item_of(connection, submission_id)
            if item is not None and item["state"] == SUBMITTING:
                _set_unsure(connection, item["id"], _reason(note))

    # What the engine writes.

    @repeatable
    def end(self, ending: Ending) -> Row:
        """Write down what became of an item, and return it."""
        with self.transaction() as connection:
            return self._end(connection, ending)

    def _end(self, connection: Connection, ending: Ending) -> Row:
        item: Row = connection.execute("SELECT * FROM items WHERE id = ?", (ending.item.id,)).fetchone()
        expected = (WAITING,) if ending.state == REFUSED else (RUNNING, FETCHING)
        if item["state"] not in expected or item["request_id"] != ending.item.request_id:
            return item  # it was written down already, or the item has another job by now
        over = ending.state in ENDED
        spent = item["spent"]
        if ending.job_state is not None:
            amount = micro(ending.cost) if ending.cost is not None else item["estimate"] or 0
            spent = item["spent_before"] + amount
            connection.execute(
                "UPDATE submissions SET state = ?, cost = coalesce(?, cost), files = ?, note = ?, ended_at = clock()"
                " WHERE id = ? AND state <> 'released'",
                (
                    *(ending.job_state, ending.cost, json.dumps(list(ending.urls)), ending.error),
                    item["submission_id"],
                ),
            )
            _learn_price(connection, item, ending, amount)
        (row,) = connection.execute(
            "UPDATE items SET state = ?, cost = coalesce(?, cost), files = coalesce(?, files), error = ?, spent = ?,"
            " reserved = CASE WHEN ? OR state = 'waiting' THEN 0 ELSE reserved END, seq = ?,"
            f" ended_at = {'clock()' if over else 'NULL'} WHERE id = ? RETURNING *",
            (
                *(ending.state, ending.cost, json.dumps(list(ending.files)) if ending.files else None, ending.error),
                *(spent, ending.job_state is not None or over, _next_seq(connection) if over else None),
                item["id"],
            ),
        ).fetchall()
        return cast("Row", row)

    @repeatable
    def note_costs(self, costs: Mapping[int, float]) -> None:
        """Write down costs, in US dollars by item, that became known after their jobs had ended."""
        with self.transaction() as connection:
            for item_id, cost in costs.items():
                connection.execute(
                    "UPDATE items SET cost = ?, spent = spent_before + ? WHERE id = ? AND cost IS NULL",
                    (cost, micro(cost), item_id),
                )
                connection.execute(
                    "UPDATE submissions SET cost = ? WHERE id = (SELECT submission_id FROM items WHERE id = ?)",
                    (cost, item_id),
                )

    @repeatable
    def note_balance(self, *, before: float | None = None, after: float | None = None) -> None:
        """Keep what the account had left: before the first run, after the latest one."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE batches SET balance_before = coalesce(balance_before, ?), balance_after = coalesce(?,"
                " balance_after)",
                (before, after),
            )

    # What users change.

    def pause(self, *, paused: bool) -> None:
        with self.transaction() as connection:
            connection.execute("UPDATE batches SET paused = ?", (int(paused),))

    def settle_item(self, key: str, request_id: str | None) -> None:
        """Say what became of an unsure item: its job, or None for "not started", and it waits again."""
        with self.transaction() as connection:
            item = connection.execute("SELECT * FROM items WHERE key = ?", (key,)).fetchone()
            if item is None:
                raise ConfigurationError(f"{key!r} is not a key of this batch.", cure="results.jsonl has the keys.")
            if item["state"] != UNSURE:
                raise ConfigurationError(f"{key!r} is {item['state']}, not unsure. Nothing was changed.")
            self.settle(item["submission_id"], request_id, "settled by hand: not started")
            if request_id is not None:
                _set_running(connection, item["id"], request_id)
            else:
                connection.execute("UPDATE items SET submission_id = NULL WHERE id = ?", (item["id"],))
                _set_waiting(connection, item["id"])

    def retry(self, keys: Iterable[str]) -> None:
        """Let the items with these keys wait again.

        A job that failed is paid again under a job_key of its own; its submit stays in the journal.
        """
        with self.transaction() as connection:
            for key in keys:
                connection.execute(
                    f"UPDATE items SET {WAITS_ANEW} WHERE key = ? AND state IN ('failed', 'refused', 'expired')",
                    (f"{NOT_IN_KEYS}#", key),
                )
            self._price(connection, {})

    # Reading.

    def all_items(self, state: str) -> Iterator[Item]:
        """Every item of a state, in the order of the rows, read as needed."""
        after = BEFORE_ALL
        while page := self.items(state, after):
            yield from page
            after = page[-1].number

    def items(self, state: str, after: int = BEFORE_ALL, limit: int = PAGE) -> list[Item]:
        """Items of a state, in the order of the rows, after that number."""
        return self._items("state = ?", state, after, limit)

    def without_cost(self, after: int, limit: int) -> list[Item]:
        """Items that are done and whose cost nobody has stated, in the order of the rows, after that number."""
        return self._items("state = ? AND cost IS NULL AND request_id IS NOT NULL", DONE, after, limit)

    def _items(self, condition: str, state: str, after: int, limit: int) -> list[Item]:
        columns = ", ".join(Item._fields)
        query = f"SELECT {columns} FROM items WHERE {condition} AND number > ? ORDER BY number LIMIT ?"
        return [Item(*(row[name] for name in Item._fields)) for row in self._read(query, (state, after, limit))]

    def item(self, item_id: int) -> Row:
        row: Row = self._read("SELECT * FROM items WHERE id = ?", (item_id,))[0]
        return row

    def item_with_key(self, key: str) -> Row | None:
        rows = self._read("SELECT * FROM items WHERE key = ?", (key,))
        return rows[0] if rows else None

    def input_of(self, item: Item) -> dict[str, object]:
        """The input to be sent; local files are paths, to be read by the submit."""
        contents = {}
        for name in content_names(item.media):
            contents[name] = self._read("SELECT data FROM contents WHERE sha256 = ?", (name,))[0]["data"]
        return with_media(item.input, item.media, contents)

    def ended_items(self, *, ordered: bool, after: int = 0, limit: int = PAGE) -> list[Row]:
        """Items that have a line in results.jsonl: in the order in which they ended, or of the rows."""
        if not ordered:
            return self._read("SELECT * FROM items WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
        return self._read("SELECT * FROM items WHERE number > ? ORDER BY number LIMIT ?", (after, limit))

    def tried_models(self) -> set[str]:
        """Models of which a job has ended, so that their estimates were corrected."""
        return {row["model_id"] for row in self._read("SELECT model_id FROM models WHERE tried > 0", ())}

    def sums(self) -> Row:
        row: Row = self._read("SELECT * FROM batches", ())[0]
        return row

    def status(self) -> BatchStatus:
        batch = self.sums()
        counts = {row["state"]: row["number"] for row in self._read("SELECT * FROM counts", ())}
        (left,) = self._read(
            "SELECT CAST(coalesce(sum(estimate), 0) AS BIGINT) AS amount, count(*) - count(estimate) AS unpriced"
            " FROM items WHERE state = ?",
            (WAITING,),
        )
        return BatchStatus(
            name=batch["name"],
            counts={state: counts.get(state, 0) for state in STATES},
            spent=batch["spent"] / 1_000_000,
            reserved=batch["reserved"] / 1_000_000,
            budget=dollars(batch["budget"]),
            estimate_left=None if left["unpriced"] else left["amount"] / 1_000_000,
            paused=bool(batch["paused"]),
            active=self.is_active(),
            rate=self._rate(),
        )

    def _rate(self) -> float | None:
        """Jobs that ended in a minute: of the last 200, in the last ten minutes. None while that says little."""
        rows = self._read(
            "SELECT clock() - ended_at AS age FROM items WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 200", ()
        )
        ages: list[float] = [row["age"] for row in rows if row["age"] < 600]
        return len(ages) * 60 / max(ages) if len(ages) >= RATE_JOBS and max(ages) >= RATE_SECONDS else None

    def failures(self) -> list[tuple[str, str, str, int, str]]:
        """What did not end well: state, cause, model, how many, and one key."""
        rows = self._read(
            "SELECT state, coalesce(error, '') AS cause, model_id, count(*) AS number, min(key) AS example FROM items"
            " WHERE state IN ('failed', 'refused', 'unsure', 'expired') OR error IS NOT NULL"
            " GROUP BY state, cause, model_id ORDER BY number DESC, state",
            (),
        )
        return [(row["state"], row["cause"], row["model_id"], row["number"], row["example"]) for row in rows]

    def models(self) -> list[Row]:
        """Jobs, costs and estimates of each model."""
        return self._read(
            "SELECT model_id, count(*) AS jobs, count(*) FILTER (WHERE state = 'done') AS done,"
            " CAST(sum(spent) AS BIGINT) AS spent, sum(cost) AS cost,"
            " count(*) FILTER (WHERE state = 'done' AND cost IS NULL) AS without_cost FROM items"
            " GROUP BY model_id ORDER BY model_id",
            (),
        )

    def keys_of(self, states: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Keys and states, in the order of the rows."""
        for state in states:
            yield from ((item.key, item.state) for item in self.all_items(state))


class BatchJournal(Journal):
    """The store as the journal that a client's session takes."""

    def __init__(self, store: BatchStore) -> None:
        self._store = store
        self._keep_inputs = False
        self._scope = None


def _item_of(connection: Connection, submission_id: str) -> Row | None:
    row: Row | None = connection.execute(
        "SELECT items.*, submissions.state AS submit_state FROM items JOIN submissions"
        " ON submissions.id = submission_id WHERE submission_id = ?",
        (submission_id,),
    ).fetchone()
    return row


def _reason(note: str) -> str:
    """What happened, out of the submit rule's message, so that the same causes read the same."""
    reason = note.partition("was started is unknown: ")[2].partition(". The request was sent")[0] or note
    named = _NAMED_ID.search(note)
    return f"{reason}; the reply names the request id {named[1]}" if named else reason


def _set_running(connection: Connection, item_id: int, request_id: str, submitted_at: float | None = None) -> None:
    connection.execute(
        "UPDATE items SET state = 'running', request_id = ?, submitted_at = coalesce(?, clock()), error = NULL,"
        " seq = NULL, ended_at = NULL, reserved = coalesce(estimate, 0) WHERE id = ?",
        (request_id, submitted_at, item_id),
    )


def _set_waiting(connection: Connection, item_id: int) -> None:
    connection.execute(
        "UPDATE items SET state = 'waiting', reserved = 0, error = NULL, seq = NULL, ended_at = NULL WHERE id = ?",
        (item_id,),
    )


def _set_unsure(connection: Connection, item_id: int, note: str) -> None:
    connection.execute(
        "UPDATE items SET state = 'unsure', error = ?, seq = ?, ended_at = clock() WHERE id = ?",
        (note, _next_seq(connection), item_id),
    )


def _next_seq(connection: Connection) -> int:
    return int(
        connection.execute("UPDATE batches SET last_seq = last_seq + 1 RETURNING last_seq").fetchall()[0]["last_seq"]
    )


def _learn_price(connection: Connection, item: Row, ending: Ending, amount: int) -> None:
    """The first job of a model whose cost is known corrects the estimates of the others upwards."""
    model = connection.execute("SELECT * FROM models WHERE model_id = ?", (item["model_id"],)).fetchone()
    if model is None or model["tried"]:
        return
    if ending.cost is None and ending.job_state != "completed":
        return
    connection.execute("UPDATE models SET tried = 1 WHERE model_id = ?", (item["model_id"],))
    if item["price"] is None and item["estimate"] and amount > item["estimate"]:
        factor = amount / item["estimate"]
        connection.execute("UPDATE models SET factor = factor * ? WHERE model_id = ?", (factor, item["model_id"]))
        connection.execute(
            "UPDATE items SET estimate = whole(estimate * ? + 0.999)"
            " WHERE state = 'waiting' AND model_id = ? AND price IS NULL",
            (factor, item["model_id"]),
        )
