"""The journal: a record of every submit, so that no paid job is lost and none is paid twice.

RunComfy keeps no list of past requests that could be asked, so this record is the only one there is. An entry is on
disk before the POST leaves, and the request id is in it before the submit returns. An entry has one of these states:

    sending     its owner (a client in a process) sends the POST now, and holds a lease
    unsure      the POST may have started a paid job, and nobody knows; the user finds out and settles it
    submitted   the job was started, and its request id is known
    completed, failed, cancelled    the job is over
    refused     no job was started: the API refuses, or nothing was sent
    released    the user gave the entry up

    sending ---> submitted ---> completed | failed | cancelled
       |-------> refused
       |-------> unsure ------> submitted | refused   (settle)
       '- the lease ends: seen as unsure, without a write

A budget is counted from the entries: an entry that is not refused counts as one job, and costs what RunComfy has
stated, or until then the estimate that was reserved for it. It is counted and reserved in the transaction that writes
the intent, so that submits of several processes cannot all find the same room in it.

A job_key belongs to the first entry that takes it, until that entry is refused, cancelled or released.

The lease answers the question whether a `sending` entry is under way or was left behind by a process that died. It
lasts LEASE_SECONDS and is renewed while the submit goes on. Nobody but the owner may change an entry under a live
lease: were it settled as "not started" while its POST is on the way, the key would be free and the job paid twice. The
owner in turn sends the first byte only while it holds the lease.

`JournalStore` is what another database has to offer; `tests/journal/contract.py` is the test of it. `Journal` is what
users hold, `JournalWriter` what the submit rule writes with.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from ..errors import JournalError
from ..transport.config import is_loopback
from .owners import describe_owner

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from .budget import Budget, Spending

# Short, so that what a killed process on another machine left behind is soon seen as unsure; renewed three times in
# its length, so that one slow write does not lose it.
LEASE_SECONDS = 15.0
# One that seems to last longer was written before the computer's clock was set back, and counts as ended.
LONGEST_LEASE = 3600.0

SENDING = "sending"
UNSURE = "unsure"
SUBMITTED = "submitted"
REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One submit.

    state: sending (a client sends it now), unsure (it may or may not have been started), submitted, completed, failed,
        cancelled, refused (certainly not started), released.
    cost: US dollars, or None while it is not known.
    note: why it was refused, is unsure or failed.
    input: the input with large parts left out, if the journal keeps inputs.
    account: a digest of the token.
    owner, lease_until: while it is sent, by whom and until when that is certain.
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
    input_digest: str = ""
    owner: str | None = None
    lease_until: datetime.datetime | None = None

    def __str__(self) -> str:
        key = f" key {self.job_key!r}" if self.job_key else ""
        name = self.request_id or self.submission_id
        return f"{self.created_at:%Y-%m-%d %H:%M:%S} {self.state} {name} {self.model_id}{key}"


class Scope(NamedTuple):
    """Whose entries: the digest of a token, and the API's address."""

    account: str
    base_url: str


def normal_address(base_url: str) -> str:
    """One spelling for one address: without a default port or a trailing dot, and one name for this computer.

    A key would otherwise be paid again for ``:443`` at the end of the base URL.
    """
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    if is_loopback(host):
        host = "localhost"
    elif ":" in host:
        host = f"[{host}]"
    default = {"https": 443, "http": 80}.get(parts.scheme)
    port = f":{parts.port}" if parts.port not in (None, default) else ""
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def state_folder() -> Path:
    """The user's folder for program state: the journal of the command line, and ids that a database could not take."""
    from platformdirs import user_state_path

    return user_state_path("runcomfy-client", appauthor=False)


class Intent(NamedTuple):
    """A submit that is about to be sent. ``input`` is JSON text, or None if inputs are not kept."""

    submission_id: str
    scope: Scope
    model_id: str
    job_key: str | None
    input_digest: str
    input: str | None = None
    budget: Budget | None = None


class LostLeaseError(JournalError):
    """The lease ended before the first byte was sent, as after a laptop's sleep. Nothing was sent."""


class MissingJournalError(JournalError):
    """There is no journal yet; only ``intend`` makes one."""


class JournalStore(abc.ABC):
    """A database of entries. Every method may be called from any thread, blocks until it is done, and is one
    transaction that is on disk when the method returns. Raises JournalError, and all but ``intend`` MissingJournalError
    if there is none.

    Leases are measured by the store's own clock, so that the clocks of several machines need not agree.
    ``scope=None`` reads the entries of all accounts and addresses. Entries are ordered as they were written.

    name: where it is, for messages: a path, or an address without a password.
    group: writes of one thread within it are one transaction, on disk when it is left without an error. None if each
        write is a transaction of its own.
    """

    name: str
    group: Callable[[], AbstractContextManager[None]] | None = None

    @abc.abstractmethod
    def intend(self, intent: Intent, owner: str, lease_seconds: float) -> JournalEntry | None:
        """Write a `sending` entry under a lease, unless its job_key is taken: then return the entry that has it.

        An entry of the same address under another account takes the key too. Writing the same submission id again is
        no conflict: the reply to the first try may have been lost. With ``intent.budget``, raises BudgetExceededError
        if the submit does not fit into it (`Budget.check`), else keeps its estimate in the entry.
        """

    @abc.abstractmethod
    def renew(self, owner: str, submission_ids: Collection[str], lease_seconds: float) -> frozenset[str]:
        """Extend leases. Returns those that are still held: `sending`, and by this owner."""

    @abc.abstractmethod
    def submitted(self, submission_id: str, request_id: str) -> None:
        """Write down the job of a submit, whatever happened to the entry meanwhile: it was paid for.

        If the job_key was freed and has another job by now, this entry loses it.
        """

    @abc.abstractmethod
    def refused(self, submission_id: str, owner: str, note: str) -> None:
        """Write down that no job was started, if the entry is still the owner's."""

    @abc.abstractmethod
    def unsure(self, submission_id: str, owner: str, note: str) -> None:
        """Write down that nobody knows whether a job was started, if the entry is still the owner's."""

    @abc.abstractmethod
    def ended(
        self, scope: Scope, request_id: str, state: str, *, cost: float | None, files: Sequence[str], note: str | None
    ) -> None:
        """Write down how a job ended; a cost that is known later is added."""

    @abc.abstractmethod
    def settle(self, submission_id: str, request_id: str | None, note: str) -> JournalEntry:
        """Make an unsure entry submitted (with a request id) or refused; refuses under a live lease."""

    @abc.abstractmethod
    def release(self, submission_id: str) -> JournalEntry:
        """Make an entry `released`; refuses under a live lease."""

    @abc.abstractmethod
    def adopt(self, scope: Scope, account: str) -> int:
        """Move the entries of another account at the same address to this one. Returns how many.

        Refuses if a job_key is taken in both.
        """

    @abc.abstractmethod
    def find(self, scope: Scope | None, name: str) -> JournalEntry | None:
        """The newest entry with this request id, submission id or job key."""

    @abc.abstractmethod
    def pending(self, scope: Scope | None) -> list[JournalEntry]:
        """What is sending, unsure or submitted."""

    @abc.abstractmethod
    def entries(self, scope: Scope | None) -> Iterator[JournalEntry]:
        """Everything. Holds neither all of it in memory nor a lock while the caller works on it."""

    @abc.abstractmethod
    def spending(self, base_url: str, seconds: float) -> Spending:
        """What the entries of the last seconds amount to, those of all accounts at this address."""

    @abc.abstractmethod
    def spill(self, intent: Intent, request_id: str) -> Path:
        """Keep the job of a submit outside the database that cannot be written; taken in when it can be again."""

    @abc.abstractmethod
    def close(self) -> None:
        """Close connections. They are opened again when needed."""


def under_lease(entry: JournalEntry) -> JournalError:
    """The error of a change to an entry that is being sent."""
    assert entry.lease_until is not None
    return JournalError(
        f"{entry.job_key or entry.submission_id!r} is being sent now, by {describe_owner(entry.owner)}; its lease"
        f" ends at {clock(entry.lease_until)} unless it is renewed.",
        cure="Wait until then, or end that process, and try again.",
        job_key=entry.job_key,
        model_id=entry.model_id,
    )


def not_unsure(entry: JournalEntry, name: str) -> JournalError:
    return JournalError(f"{name!r} is {entry.state}, not unsure.", job_key=entry.job_key, model_id=entry.model_id)


def clock(moment: datetime.datetime) -> str:
    """Local time, as the messages write it."""
    return f"{moment.astimezone():%H:%M:%S}"
