"""Change several files of the schema store at once: all of them are ready before the first one is touched."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..store import dumps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..source import Json


@dataclass(frozen=True, slots=True)
class Write:
    """A file to write, or to delete if there is no value. `value` is boxed, since null is a value too."""

    path: Path
    value: tuple[Json] | None


def apply(schemas: Path, writes: Sequence[Write]) -> None:
    """Write and delete. OSError passes through; until the first rename nothing has changed, and each rename is whole.

    What a kill leaves behind is a hidden folder, which nothing reads.
    """
    if not writes:
        return
    schemas.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=schemas, prefix=".intake-") as folder:
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
