"""The store of a batch on many machines: a schema in a PostgreSQL database, with what the workers share.

A batch named ``winter`` is the schema ``runcomfy_batch_winter``: the tables of the embedded batch, the tables of the
queue, a row for each worker, and one with the limits of all of them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from ...errors import ConfigurationError
from ...journal.base import LEASE_SECONDS, UNSURE, MissingJournalError
from ...journal.owners import describe_owner
from ...journal.postgres import PostgresStore, Transaction, postgres_tables
from ...journal.sql import repeatable
from ..items import FETCHING, RUNNING, SUBMITTING, WAITING, BatchStatus, Held, Item, WorkerStatus
from ..limits import Limits
from ..store import TABLES, BatchStore
from .queue import QUEUED_ITEMS, STUCK_ROWS, TODO_ROWS, queue_tables

if TYPE_CHECKING:
    from pathlib import Path

    from ...journal.base import Intent, JournalEntry, Scope
    from ...journal.sql import Connection, Row
    from ..plan import Plan

# The queue holds so many items ahead, and is filled up when fewer are left.
QUEUE_AHEAD = 400
QUEUE_LOW = 300
# Of all workers together, one looks for what was left behind, once in so many seconds.
SWEEP_SECONDS = 1.0
OPEN = (WAITING, SUBMITTING, RUNNING, FETCHING)
HAS_TABLES = "SELECT 1 FROM pg_tables WHERE schemaname = ? AND tablename = 'shared'"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")

SHARED_TABLES = """
CREATE TABLE IF NOT EXISTS workers (
    name TEXT PRIMARY KEY, started_at REAL NOT NULL, seen_at REAL NOT NULL, in_flight INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS shared (
    id INTEGER PRIMARY KEY CHECK (id = 1), limits TEXT, rate REAL, next_submit REAL NOT NULL, swept_at REAL NOT NULL
) STRICT;
INSERT INTO shared VALUES (1, NULL, NULL, 0, 0) ON CONFLICT DO NOTHING
"""
TRIGGER = """
CREATE OR REPLACE FUNCTION items_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.state <> new.state THEN
        UPDATE counts SET number = number + CASE state WHEN new.state THEN 1 ELSE -1 END
            WHERE state IN (old.state, new.state);
    END IF;
    IF old.spent <> new.spent OR old.reserved <> new.reserved THEN
        UPDATE batches SET spent = spent + new.spent - old.spent, reserved = reserved + new.reserved - old.reserved;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER items_changed AFTER UPDATE OF state, spent, reserved ON items
    FOR EACH ROW EXECUTE FUNCTION items_changed()
"""


class Sweep(NamedTuple):
    """What a look at the batch found. ``mine``: this worker is the one that takes up what was left behind."""

    mine: bool
    open: int
    in_flight: int


class NotQueued(NamedTuple):
    """Items that the queue lacks."""

    paid: list[int]
    waiting: list[int]


class Look(NamedTuple):
    """shut: nothing can be sent now, the batch is paused or full. has_rate: each submit needs a place in the rate."""

    shut: bool
    has_rate: bool


class ClusterStore(BatchStore, PostgresStore):
    """The journal of the batch with this name in a database. ``folder`` is where this machine's files go."""

    def __init__(
        self, url: str, name: str, folder: Path, *, outage_seconds: float | None = None, reached: bool = False
    ) -> None:
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{name!r:.80} cannot be the name of a batch.",
                cure="A name has 1 to 40 letters, digits, dots, hyphens and underscores.",
            )
        self.batch_name = name
        self.folder = folder
        schema = f"runcomfy_batch_{name}"
        super().__init__(
            url,
            schema=schema,
            spill_start=folder / f"batch-{hashlib.sha256(schema.encode()).hexdigest()[:12]}",
            outage_seconds=outage_seconds,
            reached=reached,
        )

    @property
    def place(self) -> str:
        return f"{self.name} with the name {self.batch_name!r}"

    def check_exists(self) -> None:
        """Raises ConfigurationError if there is no such batch."""
        try:
            rows = self._read(HAS_TABLES, (self.schema,))
        except MissingJournalError:
            rows = []
        if not rows:
            raise ConfigurationError(f"There is no batch {self.batch_name!r} in {self.name}.")

    def is_active(self) -> bool:
        return any(worker.age < LEASE_SECONDS for worker in self.workers())

    def status(self) -> BatchStatus:
        return dataclasses.replace(super().status(), workers=self.workers())

    def _make_tables(self, connection: Connection) -> None:
        assert isinstance(connection, Transaction)
        if connection.execute(HAS_TABLES, (self.schema,)).fetchone() is None:
            for script in (postgres_tables(TABLES), TRIGGER, queue_tables(), postgres_tables(SHARED_TABLES)):
                connection.script(script)

    def _is_left_behind(self, entry: JournalEntry) -> bool:
        return entry.state == UNSURE  # its lease has ended

    # Rows come in.

    def load(self, plan: Plan) -> int:
        if path := next((path for path in plan.local_paths() if not path.is_relative_to(self.folder)), None):
            raise ConfigurationError(
                f"The file {path} is on this machine, and the jobs of this batch may be sent from others.",
                cure=f"Use an https:// URL, or put the files below {self.folder}, which every worker must then see"
                " under that very path (a shared mount).",
            )
        with self.transaction() as connection:
            new = super().load(plan)
            connection.execute("ANALYZE items")  # else its pages are read through and sorted until somebody does it
            return new

    def begin(self, limits: Limits) -> None:
        """Set the limits of all workers together; `submits`, `max_failures` and `max_unsure` are each worker's own."""
        with self.transaction() as connection:
            super().begin(limits)
            text = json.dumps(dataclasses.asdict(limits))
            connection.execute("UPDATE shared SET limits = ?, rate = ?", (text, limits.rate))

    def join(self, scope: Scope) -> Limits:
        self.check_exists()
        super().join(scope)
        return Limits(**json.loads(self._read("SELECT limits FROM shared", ())[0]["limits"]))

    # The gate.

    def _check_gate(self, connection: Connection, item: Row | None, intent: Intent) -> None:
        super()._check_gate(connection, item, intent)
        assert item is not None  # else the gate was shut
        query = (
            "SELECT 1 FROM batches, models WHERE budget IS NOT NULL AND model_id = ? AND tried = 0 AND EXISTS (SELECT 1"
            " FROM items WHERE items.model_id = models.model_id AND state IN ('submitting', 'running', 'fetching'))"
        )
        if connection.execute(query, (item["model_id"],)).fetchone() is not None:
            raise Held("trial", f"The first job of {item['model_id']} runs alone, to know what one costs.")

    def look(self) -> Look:
        """Look whether the gate is shut for everybody, without the lock that who goes through it needs."""
        (row,) = self._read(
            "SELECT paused, concurrency, rate, (SELECT CAST(sum(number) AS BIGINT) FROM counts WHERE state IN"
            " ('submitting', 'running', 'fetching')) AS in_flight FROM batches, shared",
            (),
        )
        return Look(bool(row["paused"]) or row["in_flight"] >= row["concurrency"], bool(row["rate"]))

    @repeatable
    def next_slot(self) -> float:
        """Take the next place in the rate that all workers share. Returns the seconds until it comes."""
        with self.transaction() as connection:
            row = connection.execute("SELECT rate, next_submit, clock() AS now FROM shared").fetchone()
            if not row["rate"]:
                return 0.0
            slot = max(row["next_submit"], row["now"])
            connection.execute("UPDATE shared SET next_submit = ?", (slot + 1 / row["rate"],))
            return float(slot - row["now"])

    # Workers.

    def heartbeat(self, worker: str, in_flight: int) -> None:
        """Say that a worker is alive. Not under the lock: a thousand workers would fill it with this alone."""
        self._read(
            "INSERT INTO workers VALUES (?, clock(), clock(), ?) ON CONFLICT (name) DO UPDATE SET seen_at ="
            " clock(), in_flight = excluded.in_flight RETURNING name",
            (worker, in_flight),
        )

    def leave(self, worker: str) -> None:
        """Say that a worker has ended."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM workers WHERE name = ?", (worker,))

    def workers(self) -> tuple[WorkerStatus, ...]:
        rows = self._read(
            "SELECT name, in_flight, clock() - seen_at AS age, clock() - started_at AS uptime FROM workers"
            " ORDER BY started_at",
            (),
        )
        return tuple(
            WorkerStatus(describe_owner(row["name"]), row["in_flight"], row["age"], row["uptime"]) for row in rows
        )

    def sweep(self) -> Sweep:
        """Look where the batch stands; as one worker of all, also find out what became of items left behind."""
        mine = self._swept()
        counts = {row["state"]: row["number"] for row in self._read("SELECT * FROM counts", ())}
        in_flight = sum(counts.get(state, 0) for state in (SUBMITTING, RUNNING, FETCHING))
        return Sweep(mine, sum(counts.get(state, 0) for state in OPEN), in_flight)

    @repeatable
    def _swept(self) -> bool:
        due = "swept_at < clock() - ?"
        if not self._read(f"SELECT 1 FROM shared WHERE {due}", (SWEEP_SECONDS,)):
            return False
        with self.transaction() as connection:  # whose lock lets one worker in after the other
            first = connection.execute(f"UPDATE shared SET swept_at = clock() WHERE {due}", (SWEEP_SECONDS,)).rowcount
            if first:
                self.recover()
                connection.execute("DELETE FROM workers WHERE seen_at < clock() - 3600")
            return bool(first)

    # What the queue lacks.

    def not_queued(self) -> NotQueued:
        """Items to be put into the queue: jobs in flight, and the next that wait, if the queue runs low."""
        queued = {row["item"] for row in self._read(QUEUED_ITEMS, ())}
        paid = [item for state in (FETCHING, RUNNING) for item in self._not_among(queued, state)]
        is_low = self._read(TODO_ROWS, ())[0]["number"] < QUEUE_LOW
        return NotQueued(paid, self._not_among(queued, WAITING) if is_low else [])

    def _not_among(self, queued: set[int], state: str) -> list[int]:
        query = "SELECT id FROM items WHERE state = ? ORDER BY number LIMIT ?"
        rows = self._read(query, (state, QUEUE_AHEAD + len(queued)))
        return [row["id"] for row in rows if row["id"] not in queued]

    def stuck_rows(self, queue_worker: int) -> set[int]:
        """Rows that the queue believes this worker works on."""
        return {row["id"] for row in self._read(STUCK_ROWS, (queue_worker,))}

    def find_item(self, item_id: int) -> Item | None:
        rows = self._read("SELECT * FROM items WHERE id = ?", (item_id,))
        return Item(*(rows[0][name] for name in Item._fields)) if rows else None
