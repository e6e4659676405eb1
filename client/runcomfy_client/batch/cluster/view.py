"""A batch on many machines: where it is kept, and how it is looked at and changed from anywhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...errors import ConfigurationError
from ..folder import BatchView
from ..folder_store import FILE
from ..place import Place
from ..results import NAME as RESULTS
from ..results import export
from .engine import ClusterEngine
from .queue import OUTAGE_SECONDS
from .store import ClusterStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ...journal.sql import Row
    from ..folder import BatchReport
    from ..store import BatchStore


class ClusterView(BatchView):
    """The batch in a store. Raises ConfigurationError if there is none."""

    def __init__(self, store: ClusterStore) -> None:
        self.path = store.folder
        self.store: ClusterStore = store
        store.check_exists()

    def write_report(self) -> BatchReport:
        """Write report.json and results.jsonl, if this machine has a folder for them, and give the report."""
        if not self.path.is_dir():
            return self.report()
        export(self.store, self.path / RESULTS)
        return super().write_report()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Workers may go on meanwhile: what is under a lease is refused by the store."""
        self.store.recover()
        yield


class _NoResults:
    """A worker keeps no results.jsonl while it works: the truth is in the database."""

    def repair(self) -> None: ...

    def add(self, rows: list[Row]) -> None: ...

    def finish(self) -> None: ...

    def close(self) -> None: ...


class _NoLock:
    def release(self) -> None: ...


class ClusterPlace(Place):
    """A schema in a database, and a folder for the files that this worker fetches."""

    engine = ClusterEngine

    def __init__(self, url: str, name: str, folder: Path) -> None:
        self.url = url
        self.name = name
        self.folder = folder
        self._is_worker = False

    def open_store(self) -> ClusterStore:
        if (self.folder / FILE).exists():
            raise ConfigurationError(
                f"{self.folder} holds a batch of this machine alone, of whose paid jobs the database knows nothing.",
                cure="Go on with it without --state (state=), or choose another folder.",
            )
        self._is_worker = True
        return ClusterStore(self.url, self.name, self.folder, outage_seconds=OUTAGE_SECONDS)

    def results(self, store: BatchStore, *, ordered: bool) -> _NoResults:
        return _NoResults()

    def lock(self) -> _NoLock:
        return _NoLock()

    def view(self) -> ClusterView:
        if self._is_worker:  # whose database may be away at the very moment
            store = ClusterStore(self.url, self.name, self.folder, outage_seconds=OUTAGE_SECONDS, reached=True)
        else:
            store = ClusterStore(self.url, self.name, self.folder)
        return ClusterView(store)
