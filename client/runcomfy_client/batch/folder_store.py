"""The store of a batch on one machine: a SQLite file in its folder, and the lock of the process that works on it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from ..journal.sqlite import SqliteStore
from .store import TABLES, BatchStore

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path

    from ..journal.base import JournalEntry
    from ..journal.sql import Connection

FILE = "batch.sqlite3"
LOCK = "batch.lock"

TRIGGER = """
CREATE TRIGGER IF NOT EXISTS items_changed AFTER UPDATE OF state, spent, reserved ON items BEGIN
    UPDATE counts SET number = number - 1 WHERE state = old.state;
    UPDATE counts SET number = number + 1 WHERE state = new.state;
    UPDATE batches SET spent = spent + new.spent - old.spent, reserved = reserved + new.reserved - old.reserved;
END
"""


class FolderStore(BatchStore, SqliteStore):
    """The journal of the batch in a folder."""

    damaged_cure = (
        "Keep the folder, and run its rows in no other one before you know which of them are paid: results.jsonl has"
        " the keys and request ids of all that ended. The page about batches says how the others are found (A damaged"
        " batch.sqlite3)."
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE)
        self.folder = folder

    @property
    def place(self) -> str:
        return str(self.folder)

    def is_active(self) -> bool:
        return is_locked(self.folder)

    def _make_tables(self, connection: Connection) -> None:
        for statement in TABLES.split(";"):
            connection.execute(statement)
        connection.execute(TRIGGER)

    def _is_left_behind(self, entry: JournalEntry) -> bool:
        return True  # whoever holds the folder's lock is the only one that sends


class FolderLock:
    """Held by the one process that works on a batch. Raises ConfigurationError if there is one already."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / LOCK).open("a+b")
        if not _lock(self._file.fileno()):
            self._file.close()
            raise ConfigurationError(
                f"Another process works on the batch in {folder}.", cure="Wait for it, or end it (Ctrl-C or SIGTERM)."
            )

    def release(self) -> None:
        self._file.close()


def is_locked(folder: Path) -> bool:
    """Whether a process works on the batch now."""
    try:
        with (folder / LOCK).open("r+b") as file:
            return not _lock(file.fileno())
    except OSError:
        return False


def _lock(number: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(number, 0, os.SEEK_SET)
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
