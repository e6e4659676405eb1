"""What all commands say alike: how they end, faults on stderr, amounts, how far they are."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from . import places
from .faults.diagnostics import Diagnostic, display, in_reading_order, render, visible

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

OK = 0
DRIFT = 1
USAGE = 2
BAD_SCHEMA = 65
# As runcomfy-client's commands say it.
UNAVAILABLE = 69

# In a log, what takes less than this needs no line.
_SECONDS_BETWEEN_LINES = 20.0


def report(diagnostics: tuple[Diagnostic, ...]) -> None:
    """Print faults on stderr, in reading order, with a count at the end."""
    shown = in_reading_order(diagnostics)
    for each in shown:
        print(render(each), end="\n\n", file=sys.stderr)
    if shown:
        errors = sum(each.severity == "error" for each in shown)
        counts = ((errors, "error"), (len(shown) - errors, "warning"))
        print(", ".join(amount(number, kind) for number, kind in counts if number), file=sys.stderr)


def nothing_written() -> int:
    """Say so, after the faults; the exit code that goes with it."""
    print("Nothing was written.", file=sys.stderr)
    return BAD_SCHEMA


def usage(message: str, command: str = "") -> int:
    """Say what is wrong with the words of a command; the exit code."""
    say(message, command)
    return USAGE


def say(message: str, command: str = "") -> None:
    """A sentence on stderr, and who says it."""
    print(f"runcomfy-codegen{command and f' {command}'}: {message}", file=sys.stderr, flush=True)


def amount(number: int, noun: str, plural: str | None = None) -> str:
    """ "2 errors"; a plural that is more than an s is given."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def schemas_folder(given: Path | None) -> Path | None:
    """The store to read; without a word `schemas/` here, else the checkout's, else what the wheel brings.

    None if it is not there, which has been said then.
    """
    default = places.default_schemas()
    folder = given or (default if default.is_dir() else places.packaged_schemas())
    if folder.is_dir():
        return folder
    usage(f"there is no folder {display(folder)}; name the schemas with --schemas DIR")
    return None


class Progress:
    """Says on stderr how far a long step is: a line that is rewritten on a terminal, a line now and then elsewhere.

    A context manager; call it with each step's words. It leaves no half line behind.
    """

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
