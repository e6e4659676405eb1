"""A batch's folder, looked at and changed from elsewhere: status, failures, report, settle, pause. Sends nothing."""

from __future__ import annotations

import abc
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..identifiers import request_id_in
from .folder_store import FILE, FolderLock, FolderStore
from .items import EXPIRED, FAILED, REFUSED, UNSURE
from .results import ResultsFile, ended, export, facts_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from contextlib import AbstractContextManager

    from ..journal.sql import Row
    from .items import BatchStatus
    from .store import BatchStore

REPORT = "report.json"
RETRYABLE = (FAILED, REFUSED, EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """A job of a batch that ended.

    state: done, failed, refused (no job was started), unsure (nobody knows whether one was) or expired (its result
        cannot be read any more).
    files: paths of what was fetched; without download the addresses. error: why it did not end well.
    """

    key: str
    number: int
    model_id: str
    state: str
    request_id: str | None
    cost: float | None
    files: tuple[Path | str, ...]
    error: str | None

    @property
    def ok(self) -> bool:
        """Whether it is done."""
        return self.state == "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFailure:
    """Jobs that did not end well for the same reason; ``example`` is the key of one of them."""

    state: str
    cause: str
    model_id: str
    count: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """What a batch did and cost, in US dollars.

    models: a dict for each: model, jobs, done, spent (costs, and estimates where RunComfy has stated none).
    without_cost: how many jobs have no cost yet. unsure: the keys of the jobs that wait to be settled.
    balance_before, balance_after: the account before the first run and after the last one, None if not known.
    """

    status: BatchStatus
    models: tuple[dict[str, object], ...]
    failures: tuple[BatchFailure, ...]
    unsure: tuple[str, ...]
    without_cost: int
    balance_before: float | None
    balance_after: float | None

    @property
    def balance_difference(self) -> float | None:
        """What the account had less after the last run than before the first, None if it is not known.

        It counts whatever else was paid meanwhile, and costs may be taken off late.
        """
        if self.balance_before is None or self.balance_after is None:
            return None
        return round(self.balance_before - self.balance_after, 6)

    def to_dict(self) -> dict[str, object]:
        """A dict that JSON can hold; ``report.json`` has it."""
        return {
            **self.status.to_dict(),
            "models": list(self.models),
            "failures": [
                {"state": f.state, "cause": f.cause, "model": f.model_id, "count": f.count, "example": f.example}
                for f in self.failures
            ],
            "unsure": list(self.unsure),
            "without_cost": self.without_cost,
            "balance_before": self.balance_before,
            "balance_after": self.balance_after,
            "balance_difference": self.balance_difference,
        }


class BatchView(abc.ABC):
    """A batch, looked at and changed. path: the folder of its files."""

    store: BatchStore
    path: Path

    @abc.abstractmethod
    def changing(self) -> AbstractContextManager[None]:
        """While it lasts the user may change what is unsure."""

    def status(self) -> BatchStatus:
        """Where the batch stands."""
        return self.store.status()

    def failures(self) -> list[BatchFailure]:
        """What did not end well, grouped by cause, the most frequent first."""
        return [
            BatchFailure(state=state, cause=cause, model_id=model_id, count=count, example=example)
            for state, cause, model_id, count, example in self.store.failures()
        ]

    def report(self) -> BatchReport:
        """What the batch did and cost."""
        sums = self.store.sums()
        models = self.store.models()
        return BatchReport(
            status=self.status(),
            models=tuple(
                {"model": row["model_id"], "jobs": row["jobs"], "done": row["done"], "spent": row["spent"] / 1_000_000}
                for row in models
            ),
            failures=tuple(self.failures()),
            unsure=tuple(key for key, _ in self.store.keys_of([UNSURE])),
            without_cost=sum(row["without_cost"] for row in models),
            balance_before=sums["balance_before"],
            balance_after=sums["balance_after"],
        )

    def write_report(self) -> BatchReport:
        """Write report.json, and give the report."""
        report = self.report()
        beside = self.path / f".{REPORT}.{os.urandom(4).hex()}.part"  # several may write it, on a shared mount
        try:
            beside.write_text(json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            beside.replace(self.path / REPORT)
        finally:
            beside.unlink(missing_ok=True)
        return report

    def items(self) -> Iterator[BatchItem]:
        """Every job that ended, in the order in which they did, read as needed."""
        return (item_of(row, self.path) for row in ended(self.store))

    def facts(self) -> Iterator[dict[str, Any]]:
        """What results.jsonl has of every job that ended, in the order in which they did, read as needed."""
        return map(facts_of, ended(self.store))

    def export(self, path: Path) -> int:
        """Write every job that ended into a file: CSV if that is its suffix, else JSON lines. Returns how many."""
        return export(self.store, path)

    def pause(self) -> None:
        """Let a run send nothing more, also one in another process; jobs in flight are seen to their end."""
        self.store.pause(paused=True)

    def resume(self) -> None:
        """Let the next run send again."""
        self.store.pause(paused=False)

    def settle(self, key: str, *, request_id: str | None = None, started: bool | None = None) -> None:
        """Say what became of an unsure job, once you have looked on RunComfy's pages.

        request_id: it was started, and this is its job; the next run brings its result. started=False: it was not, so
        the next run sends it. Raises ConfigurationError if it is not unsure, and while a run goes on; JournalError for
        an id that is the job of another item, and for a submit under a lease.
        """
        check_settlement(request_id, started)
        with self.changing():
            self.store.settle_item(key, request_id)

    def choose_retries(self, *, failed: bool, refused: bool, keys: Collection[str]) -> frozenset[str]:
        """The keys that a retry means. Raises ConfigurationError for a key that cannot be retried."""
        chosen: set[str] = set()
        for key in keys:
            row = self.store.item_with_key(key)
            state = "not in this batch" if row is None else row["state"]
            if state not in RETRYABLE:
                cure = {
                    UNSURE: "Settle it first: it may have been paid.",
                    "done": "Its result is there; another job for the same input needs a row with a key of its own.",
                }
                raise ConfigurationError(f"{key!r} cannot be retried: it is {state}.", cure=cure.get(state, ""))
            chosen.add(key)
        states = [*([FAILED, EXPIRED] if failed else []), *([REFUSED] if refused else [])]
        chosen.update(key for key, _ in self.store.keys_of(states))
        return frozenset(chosen)

    def close(self) -> None:
        self.store.close()


def check_settlement(request_id: str | None, started: bool | None) -> None:
    """Raises ConfigurationError unless the arguments say one thing."""
    if (request_id is None) == (started is None) or started:
        raise ConfigurationError("Settle a job either with request_id=..., or with started=False.")
    if request_id is not None and request_id_in({"request_id": request_id}) is None:
        raise ConfigurationError(f"{request_id!r} is not a request id.")


class BatchFolder(BatchView):
    """The batch in a folder. Raises ConfigurationError if there is none."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        self.store = FolderStore(self.path)
        if not (self.path / FILE).is_file():
            raise ConfigurationError(f"There is no batch in {self.path}.")

    @contextmanager
    def changing(self) -> Iterator[None]:
        """No run goes on meanwhile, and results.jsonl fits the store again after it."""
        lock = FolderLock(self.path)
        try:
            self.store.recover()
            yield
            results = ResultsFile(self.store, ordered=False)
            results.repair()
            results.close()
        finally:
            lock.release()


def item_of(row: Row, folder: Path) -> BatchItem:
    facts = facts_of(row)
    return BatchItem(
        key=row["key"],
        number=row["number"],
        model_id=row["model_id"],
        state=row["state"],
        request_id=row["request_id"],
        cost=row["cost"],
        files=tuple(name if name.startswith(("https://", "http://")) else folder / name for name in facts["files"]),
        error=row["error"],
    )
