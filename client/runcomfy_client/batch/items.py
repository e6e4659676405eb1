"""The items of a batch: their states, and what is passed about them between the store, the engine and their users.

An item is a job that the batch wants to be done:

    waiting ----> submitting ----> running ----> fetching ----> done
       ^   intend    |  |  submitted   |------------------------> failed     the job failed or was cancelled
       |             |  |              '------------------------> expired    nobody can read its result any more
       |<-- refused -'  '---> unsure   the POST may have started a job; the user settles it
       '--> refused                    the API will never take this input
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WAITING, SUBMITTING, RUNNING, FETCHING = "waiting", "submitting", "running", "fetching"
DONE, FAILED, REFUSED, UNSURE, EXPIRED = "done", "failed", "refused", "unsure", "expired"
STATES = (WAITING, SUBMITTING, RUNNING, FETCHING, DONE, FAILED, REFUSED, UNSURE, EXPIRED)
# These have a line in results.jsonl.
ENDED = (DONE, FAILED, REFUSED, UNSURE, EXPIRED)


class Held(JournalError):
    """The gate lets nothing through for this item now; nothing was sent.

    ``reason``: taken, changed, paused, full, budget, unpriced.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Item(NamedTuple):
    """An item as the engine works on it."""

    id: int
    number: int
    key: str
    model_id: str
    input: str
    media: str | None
    state: str
    job_key: str
    request_id: str | None
    submitted_at: float | None


class Ending(NamedTuple):
    """What became of an item. ``cost`` is US dollars, None where it is not known; ``files`` are names below the folder.

    ``job_state`` is the journal's word for the end of the job, None where no job ended. ``item`` is as it was worked
    on: the ending of a job that the item does not have any more is not the item's.
    """

    item: Item
    state: str
    job_state: str | None = None
    cost: float | None = None
    files: Sequence[str] = ()
    urls: Sequence[str] = ()
    error: str | None = None


class WorkerStatus(NamedTuple):
    """A worker of a batch on many machines. age: seconds since it was last seen. uptime: seconds since it began."""

    name: str
    in_flight: int
    age: float
    uptime: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStatus:
    """Where a batch stands. Amounts are US dollars; ``estimate_left`` is None if a waiting job has no price.

    counts: jobs by state. active: whether a process works on it now. rate: jobs that ended in a minute, lately.
    workers: of a batch on many machines.
    """

    name: str
    counts: Mapping[str, int]
    spent: float
    reserved: float
    budget: float | None
    estimate_left: float | None
    paused: bool
    active: bool
    rate: float | None
    workers: tuple[WorkerStatus, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        return sum(self.counts[state] for state in ENDED)

    @property
    def in_flight(self) -> int:
        return sum(self.counts[state] for state in (SUBMITTING, RUNNING, FETCHING))

    @property
    def time_left(self) -> float | None:
        """Seconds until the rest is over at the present rate; None if nobody can tell."""
        return None if not self.rate else (self.total - self.ended) / self.rate * 60

    def to_dict(self) -> dict[str, object]:
        """A dict that JSON can hold."""
        names = ("name", "spent", "reserved", "budget", "estimate_left", "paused", "active", "rate", "total", "ended")
        facts = {"counts": dict(self.counts), **{name: getattr(self, name) for name in names}}
        return {**facts, "workers": [worker._asdict() for worker in self.workers]} if self.workers else facts
