"""The journal: what was submitted, so that no paid job is lost and none is submitted twice.

A row is on disk before the POST leaves, and the request id is in it before the submit returns. RunComfy keeps no list
of past requests that could be asked, so this file is the only one there is.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, JournalError, SubmissionUnknownError
from ..identifiers import request_id_in

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from typing import Self

PENDING = ("sending", "unsure", "submitted")
FREE = ("refused", "cancelled", "released")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One submit.

    ``state``: sending (by this process, now), unsure (it may or may not have been started), submitted, completed,
    failed, cancelled, refused (surely not started), released. ``cost`` is in US dollars. ``input`` is kept only if the
    journal was told to. ``account`` is a digest of the token.
    """

    submission_id: str
    state: str
    model_id: str
    request_id: str | None
    job_key: str | None
    created_at: datetime.datetime
    ended_at: datetime.datetime | None
    cost: float | None
    files: tuple[str, ...]
    note: str | None
    input: object
    account: str
    base_url: str

    def __str__(self) -> str:
        key = f" key {self.job_key!r}" if self.job_key else ""
        name = self.request_id or self.submission_id
        return f"{self.created_at:%Y-%m-%d %H:%M:%S} {self.state} {name} {self.model_id}{key}"


class Journal:
    """A record of submits in a SQLite file, for any number of threads and processes at once.

    path: made with its folder when first needed. keep_inputs: also keep the inputs (prompts, URLs; not media), which
    are left out otherwise. A journal taken from ``client.journal`` shows only that client's account and address.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, keep_inputs: bool = False, _scope: tuple[str, str] | None = None
    ) -> None:
        try:
            # Absolute, so that the file stays the same one when the working directory changes.
            self.path = Path(path).expanduser().absolute()
        except TypeError:
            raise ConfigurationError(f"A journal is a path or a runcomfy.Journal, and not {path!r}.") from None
        self.keep_inputs = keep_inputs
        self._scope = _scope
        from .sqlite import Store  # loads SQLite, which a client without a journal has no use for

        self._store = Store(self.path)
        self._sending: set[str] = set()

    def pending(self) -> list[JournalEntry]:
        """What was not seen to end, oldest first.

        A job that was submitted goes on with ``client.job(request_id)``; an unsure submit is yours to ``settle``.
        """
        return self._entries(f"state IN ({_marks(PENDING)})", PENDING)

    def entries(self) -> list[JournalEntry]:
        """Everything, oldest first."""
        return self._entries("1", ())

    def find(self, name: str) -> JournalEntry | None:
        """The newest entry with this request id, submission id or job key."""
        found = self._entries("? IN (request_id, id, job_key)", (name,))
        return found[-1] if found else None

    def settle(self, name: str, *, request_id: str | None = None, started: bool | None = None) -> JournalEntry:
        """Say what became of an unsure submit, named by its submission id or job key.

        request_id: it was started, and this is its job. started=False: it was not, so its job_key is free again.
        """
        entry = self._unsettled(name)
        if (request_id is None) == (started is None) or started:
            raise JournalError("Settle a submit either with request_id=..., or with started=False.")
        if request_id is not None:
            if request_id_in({"request_id": request_id}) is None:
                raise JournalError(f"{request_id!r} is no request id.")
            self.submitted(entry.submission_id, request_id)
        else:
            self.refused(entry.submission_id, "settled by hand: not started")
        return self._one(entry.submission_id)

    def release(self, name: str) -> JournalEntry:
        """Give up an entry, named by job key, request id or submission id: it is pending no more, its job_key is free.

        The next submit under that key starts, and pays, a new job.
        """
        entry = self.find(name)
        if entry is None:
            raise JournalError(f"{name!r} is not in the journal.")
        self._set(entry.submission_id, state="released")
        return self._one(entry.submission_id)

    def close(self) -> None:
        """Close the file. It is opened again when needed."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Journal({os.fspath(self.path)!r})"

    # What the submit rule writes.

    def scoped(self, account: str, base_url: str) -> Journal:
        """The same file, seen by one account at one address."""
        view = Journal(self.path, keep_inputs=self.keep_inputs, _scope=(account, base_url))
        view._store, view._sending = self._store, self._sending
        return view

    def intend(
        self, model_id: str, input_digest: str, job_key: str | None, input: object
    ) -> tuple[str, JournalEntry | None]:
        """Write down that a POST is about to leave: gives the submission id, and the job that the key has already."""
        account, base_url = self._scope or ("", "")
        submission_id = os.urandom(16).hex()
        kept = json.dumps(input, ensure_ascii=False) if self.keep_inputs else None
        with self._store.writing() as connection:
            row = None
            if job_key is not None:
                row = connection.execute(
                    "SELECT * FROM submissions WHERE account = ? AND base_url = ? AND job_key = ?"
                    f" AND state NOT IN ({_marks(FREE)})",
                    (account, base_url, job_key, *FREE),
                ).fetchone()
            if row is None:
                connection.execute(
                    "INSERT INTO submissions (id, account, base_url, model_id, job_key, input_digest, input, state,"
                    " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'sending', ?)",
                    (submission_id, account, base_url, model_id, job_key, input_digest, kept, time.time()),
                )
        if row is None:
            self._sending.add(submission_id)
            return submission_id, None
        return row["id"], self._taken(row, model_id, input_digest)

    def _taken(self, row: sqlite3.Row, model_id: str, input_digest: str) -> JournalEntry:
        entry = self._entry(row)
        if (row["model_id"], row["input_digest"]) != (model_id, input_digest):
            raise JournalError(
                f"The job_key {entry.job_key!r} was used for another input (of {entry.model_id}). Use another key, or"
                f" give this one free with client.journal.release({entry.job_key!r}).",
                job_key=entry.job_key,
                request_id=entry.request_id,
                model_id=model_id,
            )
        if entry.request_id is None:
            raise SubmissionUnknownError(
                _under_way(entry) if entry.state == "sending" else _unsettled(entry),
                submission_id=entry.submission_id,
                job_key=entry.job_key,
                model_id=model_id,
            )
        return entry

    def submitted(self, submission_id: str, request_id: str) -> None:
        """Write down the job of a submit; without its key, if that was given free meanwhile and has another job."""
        free = _marks(FREE)
        with self._sent(submission_id), self._store.writing() as connection:
            found = connection.execute(
                "UPDATE submissions AS mine SET state = 'submitted', request_id = ?, submitted_at = ?, job_key = CASE"
                " WHEN EXISTS (SELECT 1 FROM submissions AS other WHERE other.id <> mine.id AND other.account ="
                " mine.account AND other.base_url = mine.base_url AND other.job_key = mine.job_key AND other.state NOT"
                f" IN ({free})) THEN NULL ELSE job_key END WHERE id = ?",
                (request_id, time.time(), *FREE, submission_id),
            )
            if not found.rowcount:
                raise JournalError(f"The journal {self.path} has lost the submit {submission_id}: was it deleted?")

    def refused(self, submission_id: str, note: str) -> None:
        self._set(submission_id, state="refused", note=note, ended_at=time.time())

    def unsure(self, submission_id: str, note: str) -> None:
        self._set(submission_id, state="unsure", note=note)

    def ended(
        self, request_id: str, state: str, *, cost: float | None, files: Sequence[str], note: str | None = None
    ) -> None:
        """Write down how a job ended; a cost that comes later is added."""
        account, base_url = self._scope or ("", "")
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE submissions SET state = CASE state WHEN 'released' THEN state ELSE ? END,"
                " cost = coalesce(?, cost), files = ?, note = ?, ended_at = coalesce(ended_at, ?)"
                " WHERE request_id = ? AND account = ? AND base_url = ?",
                (state, cost, json.dumps(list(files)), note, time.time(), request_id, account, base_url),
            )

    # Reading rows.

    def _set(self, submission_id: str, **values: object) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._sent(submission_id), self._store.writing() as connection:
            connection.execute(f"UPDATE submissions SET {columns} WHERE id = ?", (*values.values(), submission_id))

    @contextlib.contextmanager
    def _sent(self, submission_id: str) -> Iterator[None]:
        """It is not under way any more, whether that can be written down or not."""
        try:
            yield
        finally:
            self._sending.discard(submission_id)

    def _unsettled(self, name: str) -> JournalEntry:
        entry = self.find(name)
        if entry is None or entry.state != "unsure":
            state = f"is {entry.state}, not unsure" if entry else "is not in the journal"
            raise JournalError(f"{name!r} {state}.")
        return entry

    def _one(self, submission_id: str) -> JournalEntry:
        (entry,) = self._entries("id = ?", (submission_id,))
        return entry

    def _entries(self, condition: str, values: Sequence[object]) -> list[JournalEntry]:
        scope = "account = ? AND base_url = ?" if self._scope else "1"
        rows = self._store.read(
            f"SELECT * FROM submissions WHERE {scope} AND {condition} ORDER BY rowid",
            (*(self._scope or ()), *values),
        )
        return [self._entry(row) for row in rows]

    def _entry(self, row: sqlite3.Row) -> JournalEntry:
        state = row["state"]
        if state == "sending" and row["id"] not in self._sending:
            state = "unsure"  # another process is sending it, or was killed while it did: nobody here can tell
        return JournalEntry(
            submission_id=row["id"],
            state=state,
            model_id=row["model_id"],
            request_id=row["request_id"],
            job_key=row["job_key"],
            created_at=datetime.datetime.fromtimestamp(row["created_at"], datetime.UTC),
            ended_at=datetime.datetime.fromtimestamp(row["ended_at"], datetime.UTC) if row["ended_at"] else None,
            cost=row["cost"],
            files=tuple(json.loads(row["files"])) if row["files"] else (),
            note=row["note"],
            input=json.loads(row["input"]) if row["input"] else None,
            account=row["account"],
            base_url=row["base_url"],
        )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _under_way(entry: JournalEntry) -> str:
    return f"A submit under the job_key {entry.job_key!r} is under way in this process, so nothing was sent."


def _unsettled(entry: JournalEntry) -> str:
    begun = f"{entry.created_at.astimezone():%Y-%m-%d %H:%M:%S}"
    return (
        f"An earlier submit under the job_key {entry.job_key!r}, begun {begun}, is unsure: it may have started a paid"
        " job, so nothing was sent. Unless another process is sending it now, look for the job on RunComfy's pages,"
        f" then say what became of it with client.journal.settle({entry.job_key!r}, request_id=...) or (...,"
        " started=False)."
    )
