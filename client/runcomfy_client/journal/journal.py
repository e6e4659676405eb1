"""The journal as users hold it: what was submitted, and what they say about submits that are unsure."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..errors import ConfigurationError, JournalError
from ..identifiers import request_id_in
from .base import SENDING, UNSURE, JournalEntry, JournalStore, MissingJournalError, Scope, not_unsure
from .budget import Spending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

T = TypeVar("T")


class Journal:
    """A record of submits in a SQLite file, for any number of threads and processes at once; or in a PostgreSQL
    database, for any number of machines (extra ``cluster``).

    path: the file, or ``postgresql://user:password@host:port/database``. A client makes it, with its folder or schema,
        at its first submit; reading one that is not there raises JournalError.
    keep_inputs: also keep the inputs of submits (prompts and URLs; of media only size and digest). Default: they are
        left out.

    ``client.journal`` is the same for that client's account and address only. Every method raises JournalError if the
    file or the database cannot be read or written. A database that has gone away is waited for, half a minute a call.
    """

    def __init__(self, path: str | os.PathLike[str], *, keep_inputs: bool = False) -> None:
        self._store = _store_at(path)
        self._keep_inputs = keep_inputs
        self._scope: Scope | None = None

    @property
    def name(self) -> str:
        """Where it is, for messages: the file, or the address without its password."""
        return self._store.name

    @property
    def path(self) -> Path:
        """The file, as an absolute path. Raises ConfigurationError for a journal in a database."""
        if is_database(self._store.name):
            raise ConfigurationError(f"The journal {self._store.name} is not a file.")
        return Path(self._store.name)

    @property
    def keep_inputs(self) -> bool:
        """Whether inputs are kept."""
        return self._keep_inputs

    def pending(self) -> list[JournalEntry]:
        """What was not seen to end, oldest first: sending, unsure or submitted.

        A submitted job goes on with ``client.job(request_id)``; an unsure submit is yours to ``settle``.
        """
        return self._read(lambda: self._store.pending(self._scope), [])

    def entries(self) -> Iterator[JournalEntry]:
        """Everything, oldest first, read as it is needed: a journal may hold hundreds of thousands of entries."""
        return self._read(lambda: self._store.entries(self._scope), iter(()))

    def find(self, name: str) -> JournalEntry | None:
        """The newest entry with this request id, submission id or job key."""
        return self._read(lambda: self._store.find(self._scope, name), None)

    def spending(self, hours: float = 24.0) -> Spending:
        """What the submits of the last hours amount to, as budgets count it: jobs that were not refused, and whole
        microdollars. ``client.journal`` counts what any account submitted at its address; a Journal alone cannot tell
        addresses apart and raises JournalError.
        """
        if self._scope is None:
            raise JournalError("Only client.journal can count what was spent: it has the address to count for.")
        base_url = self._scope.base_url
        return self._read(lambda: self._store.spending(base_url, hours * 3600), Spending(0, 0, 0))

    def settle(self, name: str, *, request_id: str | None = None, started: bool | None = None) -> JournalEntry:
        """Settle an unsure submit, named by its submission id or job key.

        request_id: it was started, and this is its job. started=False: it was not, so its job_key is free again.

        Raises JournalError if it is not unsure; a submit that is being sent now cannot be settled before its lease
        ends (`JournalEntry.lease_until`).
        """
        if (request_id is None) == (started is None) or started:
            raise JournalError("Settle a submit either with request_id=..., or with started=False.")
        if request_id is not None and request_id_in({"request_id": request_id}) is None:
            raise JournalError(f"{request_id!r} is not a request id.")
        entry = self._named(name)
        if entry.state not in (UNSURE, SENDING):
            raise not_unsure(entry, name)
        return self._store.settle(entry.submission_id, request_id, "settled by hand: not started")

    def release(self, name: str) -> JournalEntry:
        """Give up an entry, named by job key, request id or submission id: it is pending no more, its job_key is free.

        The next submit under that key starts, and pays, a new job. A submit that is being sent now cannot be released.
        """
        return self._store.release(self._named(name).submission_id)

    def adopt(self, account: str) -> int:
        """Take over the entries of another account (`JournalEntry.account`), and return how many there were.

        For an account whose token has changed: entries and job keys go by a digest of the token. Only
        ``client.journal`` can do this. Raises JournalError if a job_key has a job in both.
        """
        if self._scope is None:
            raise JournalError("Only client.journal can adopt entries: it has the account to move them to.")
        if not self._scope.account:
            raise JournalError("This client has no token, so there is no account to move entries to.")
        return self._store.adopt(self._scope, account)

    def close(self) -> None:
        """Close the file or the connection. It is opened again when needed."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Journal({self._store.name!r})"

    def _scoped(self, scope: Scope) -> Journal:
        """The same file, seen by one account at one address."""
        view = object.__new__(Journal)
        view._store, view._keep_inputs, view._scope = self._store, self._keep_inputs, scope
        return view

    def _read(self, read: Callable[[], T], nothing: T) -> T:
        """A client that has submitted nothing has nothing pending. Without a client, a missing file is a wrong path."""
        try:
            return read()
        except MissingJournalError:
            if self._scope is None:
                raise
            return nothing

    def _named(self, name: str) -> JournalEntry:
        entry = self.find(name)
        if entry is None:
            raise JournalError(f"{name!r} is not in the journal.")
        return entry


def is_database(path: object) -> bool:
    """Whether this is the address of a PostgreSQL database, and no path."""
    return isinstance(path, str) and path.startswith(("postgresql://", "postgres://"))


def _store_at(path: str | os.PathLike[str]) -> JournalStore:
    if is_database(path):
        try:
            from .postgres import PostgresStore

            return PostgresStore(str(path))
        except ImportError as error:
            raise ConfigurationError(
                "A journal in PostgreSQL needs psycopg.", cure='pip install "runcomfy-client[cluster]"'
            ) from error
    if isinstance(path, str) and "://" in path:  # it may hold a password, so it is not shown
        raise ConfigurationError("A journal is a file, or a database at postgresql://...; this is another address.")
    try:
        # Absolute, so that the file stays the same one when the working directory changes.
        file = Path(path).expanduser().absolute()
        os.fsencode(file)
    except TypeError:
        raise ConfigurationError(f"A journal is a path or a runcomfy.Journal, and not {path!r:.80}.") from None
    except (RuntimeError, ValueError) as error:  # no such home directory; characters that no path may have
        raise ConfigurationError(f"{path!r:.80} cannot be the path of a journal: {error}.") from None
    if "\0" in str(file):
        raise ConfigurationError(f"{path!r:.80} cannot be the path of a journal: it holds a null character.")
    from .sqlite import SqliteStore  # loads SQLite, which a client without a journal has no use for

    return SqliteStore(file)
