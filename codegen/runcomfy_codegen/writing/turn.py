"""One run at a time for an output folder: who comes second waits, so that two never write at once."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextlib.contextmanager
def turn(file: Path, waiting: Callable[[], None]) -> Iterator[bool]:
    """Hold a lock on a file, which is made and stays, in a folder that git ignores from then on.

    `waiting` is called once if another run holds it.

    Yields False if there can be no lock, as in a folder that may only be read: a check works there all the same. The
    system frees the lock of a run that was killed.
    """
    lock = _acquired(file, waiting)
    try:
        yield lock is not None
    finally:
        if lock:
            lock.release()


def _acquired(file: Path, waiting: Callable[[], None]) -> FileLock | None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        lock = FileLock(file)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            waiting()
            lock.acquire()
    except (OSError, NotImplementedError):
        return None
    return lock
