"""Say on stderr how far a long step is: one line that is rewritten on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from ..faults.diagnostics import visible

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

# In a log, what takes less than this needs no line.
_SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """A context manager; call it with each step's words. It leaves no half line behind."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._told = time.monotonic()
        self._open_line = False

    def __call__(self, step: str) -> None:
        if self._terminal:
            # Back to the line's start, clear it, write.
            sys.stderr.write(f"\r\x1b[K{visible(step)[:100]}")
            self._open_line = True
        elif time.monotonic() - self._told >= _SECONDS_BETWEEN_LINES:
            sys.stderr.write(f"{visible(step)}\n")
            self._told = time.monotonic()
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open_line:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
