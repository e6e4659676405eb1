"""Write a plan, all or nothing: the new tree is built beside the old one and takes its place in one step.

What can go wrong, and why the package is never half new:

- *No space, a kill, an error while files are written.* They are written into a staging folder beside the package.
  Unchanged files are hard links to the old ones, so they keep their times and cost no space. The package's folder is
  not touched before all is ready.
- *A kill while the folders are swapped.* On Linux, renameat2 swaps them in one step. Elsewhere there are two renames;
  an error between them is undone, and a kill between them leaves the old tree whole in the staging folder.
- *A staging folder that a killed run has left.* The next run that holds the lock deletes it.
- *Two runs at once.* `output_lock` lets one run write at a time; the second waits, says so, and then reads the store
  and the package again. The operating system frees the lock of a killed run.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .plan import Plan

_AT_CWD = -100
_EXCHANGE = 2


def commit(plan: Plan, tree: Mapping[str, bytes]) -> None:
    """Make the package's folder what the plan says. Unchanged files stay the same files, with their times.

    Whatever happens on the way (no space, a kill), either the old tree is complete or the new one.
    """
    folder = plan.folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _staging(folder) as staging:
        new = staging / "new"
        new.mkdir()
        if folder.exists():
            shutil.copymode(folder, new)
            _carry_over(folder, new, {*plan.writes, *plan.extra})
        for path in plan.writes:
            target = new / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(tree[path])
        if folder.exists():
            _exchange(new, folder, staging / "old")
        else:
            new.rename(folder)


def _carry_over(old: Path, new: Path, without: set[str]) -> None:
    """Give the new tree the old one's files by link, so that they are not rewritten; caches and foreign files too."""
    for root, directories, names in os.walk(old):
        here = Path(root)
        directories.sort()
        for name in names:
            path = (here / name).relative_to(old)
            if path.as_posix() in without:
                continue
            # The cache of a folder whose modules are all gone would keep the folder alive.
            if "__pycache__" in path.parts and not (new / path).parent.parent.is_dir():
                continue
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            _link(here / name, new / path)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        # Some file systems have no hard links; a copy keeps the times.
        shutil.copy2(source, target, follow_symlinks=False)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed runs have left beside the package's folder; for a run that holds the lock."""
    for left in folder.parent.glob(f"{_prefix(folder)}*"):
        shutil.rmtree(left, ignore_errors=True)


def _prefix(folder: Path) -> str:
    return f".{folder.name}.staging-"


@contextlib.contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A folder beside the package's, on the same file system."""
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=_prefix(folder)))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _exchange(new: Path, folder: Path, old: Path) -> None:
    """Swap two folders: in one step where the system can, else in two."""
    if _swap_in_one_step(new, folder):
        return
    folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        old.rename(folder)
        raise


def _swap_in_one_step(first: Path, second: Path) -> bool:
    """Linux's renameat2 with RENAME_EXCHANGE; False where there is none."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return bool(rename(_AT_CWD, os.fsencode(first), _AT_CWD, os.fsencode(second), _EXCHANGE) == 0)


@contextlib.contextmanager
def output_lock(file: Path, waiting: Callable[[], None]) -> Iterator[bool]:
    """Hold a lock on a file, which is made and stays, in a folder that git ignores from then on.

    `waiting` is called once if another run holds it.

    Yields False if there can be no lock, as in a folder that may only be read: a check works there all the same. The
    system frees the lock of a run that was killed.
    """
    lock = _acquire(file, waiting)
    try:
        yield lock is not None
    finally:
        if lock:
            lock.release()


def _acquire(file: Path, waiting: Callable[[], None]) -> FileLock | None:
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
