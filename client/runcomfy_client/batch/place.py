"""Where a batch is kept: in a folder of one machine, or in a database of many."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, ClassVar, Protocol

from ..errors import ConfigurationError
from .engine import Engine
from .folder import BatchFolder
from .folder_store import FILE, FolderLock, FolderStore
from .results import NAME as RESULTS
from .results import ResultsFile

if TYPE_CHECKING:
    from pathlib import Path

    from .folder import BatchView
    from .results import Results
    from .store import BatchStore


class Lock(Protocol):
    """What keeps other processes out of a batch."""

    def release(self) -> None: ...


class Place(abc.ABC):
    """A kind of place. folder: where this machine's files go. engine: what does the work there."""

    folder: Path
    engine: ClassVar[type[Engine]]

    @abc.abstractmethod
    def open_store(self) -> BatchStore: ...

    @abc.abstractmethod
    def results(self, store: BatchStore, *, ordered: bool) -> Results: ...

    @abc.abstractmethod
    def lock(self) -> Lock:
        """Raises ConfigurationError if another process works there, and only one may."""

    @abc.abstractmethod
    def view(self) -> BatchView:
        """Raises ConfigurationError if there is no batch."""


class FolderPlace(Place):
    """A folder, for one process at a time."""

    engine = Engine

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open_store(self) -> FolderStore:
        """Raises ConfigurationError where the truth was lost and its results are left: all would be paid again."""
        if not _has_bytes(self.folder / FILE) and _has_bytes(self.folder / RESULTS):
            raise ConfigurationError(
                f"{self.folder} has the {RESULTS} of a batch, but not its {FILE}, which knows what was paid. Nothing"
                " was sent.",
                cure=f"Put that file back. In another folder every row is paid anew: leave out those in {RESULTS}.",
            )
        return FolderStore(self.folder)

    def results(self, store: BatchStore, *, ordered: bool) -> ResultsFile:
        return ResultsFile(store, ordered=ordered)

    def lock(self) -> FolderLock:
        return FolderLock(self.folder)

    def view(self) -> BatchFolder:
        return BatchFolder(self.folder)


def _has_bytes(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
