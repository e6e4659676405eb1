"""Change several files of the schema store at once: all of them are ready before the first one is touched."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..reading.store import dumps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..reading.source import Json

_STAGING = ".intake-"
# Writing takes seconds; what is older belongs to a run that was killed.
_ABANDONED_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Write:
    """A file to write, or to delete if there is no value. `value` is boxed, since null is a value too."""

    path: Path
    value: tuple[Json] | None


def apply(schemas: Path, writes: Sequence[Write]) -> None:
    """Write and delete, below `schemas` only. OSError passes through; until the first rename nothing has changed, and
    each rename is whole.

    What a kill leaves behind is a hidden folder, which nothing reads and a later run removes.
    """
    if not writes:
        return
    schemas.mkdir(parents=True, exist_ok=True)
    root = schemas.resolve()
    for write in writes:
        if not write.path.parent.resolve().is_relative_to(root):
            raise OSError(errno.ELOOP, "A link there leads out of the store", str(write.path))
    for left in schemas.glob(f"{_STAGING}*"):
        if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=schemas, prefix=_STAGING) as folder:
        staged: list[tuple[Path, Path]] = []
        for number, write in enumerate(writes):
            if write.value is not None:
                staged.append((_stage(Path(folder, str(number)), dumps(write.value[0])), write.path))
        for _, path in staged:
            path.parent.mkdir(parents=True, exist_ok=True)
        for ready, path in staged:
            ready.replace(path)
    for write in writes:
        if write.value is None:
            write.path.unlink(missing_ok=True)


def _stage(path: Path, text: str) -> Path:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path
