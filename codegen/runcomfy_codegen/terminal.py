"""What all commands share: exit codes, diagnostics on stderr, progress."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from runcomfy_client.describe.project import ProjectError
from runcomfy_client.schema.messages import amount

from .diagnostics.diagnostic import Diagnostic, display, in_reading_order, render, visible
from .paths import Settings, choose_store, read_settings

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

OK = 0
DRIFT = 1
USAGE = 2
BAD_SCHEMA = 65
# The same as in runcomfy-client's commands.
UNAVAILABLE = 69
NO_ACCESS = 77

# Of --schemas, which nearly every command has.
SCHEMAS_HELP = "the schemas (default: schemas in [tool.runcomfy] of pyproject.toml, else schemas/)"

# In a log, a step that takes less than this needs no line.
_SECONDS_BETWEEN_LINES = 20.0


def report(diagnostics: tuple[Diagnostic, ...]) -> None:
    """Print diagnostics on stderr, in reading order, with a count at the end."""
    shown = in_reading_order(diagnostics)
    for diagnostic in shown:
        print(render(diagnostic), end="\n\n", file=sys.stderr)
    if shown:
        errors = sum(diagnostic.severity == "error" for diagnostic in shown)
        counts = ((errors, "error"), (len(shown) - errors, "warning"))
        print(", ".join(amount(number, kind) for number, kind in counts if number), file=sys.stderr)


def nothing_written() -> int:
    """Print that nothing was written, after the diagnostics; the exit code."""
    print("Nothing was written.", file=sys.stderr)
    return BAD_SCHEMA


def usage(message: str, command: str = "") -> int:
    """Print what is wrong with a command's arguments; the exit code."""
    say(message, command)
    return USAGE


def say(message: str, command: str = "") -> None:
    """Print a sentence on stderr, with the command's name."""
    print(f"runcomfy-codegen{command and f' {command}'}: {message}", file=sys.stderr, flush=True)


def project_settings() -> Settings | None:
    """What the project's pyproject.toml says; None if it cannot be read, which is then printed."""
    try:
        return read_settings()
    except ProjectError as error:
        usage(visible(f"{display(Path(error.file))}: {error.problem}"))
        return None


def store_to_read(named: Path | None, *, may_be_new: bool = False) -> Path | None:
    """The store a command reads. What ships with the client is read only with a line on stderr that says so.

    None if it is not there and must be, which is then printed.
    """
    settings = project_settings()
    if settings is None:
        return None
    store = choose_store(named, settings)
    if not may_be_new and not store.path.is_dir():
        usage(f"there is no folder {display(store.path)}; name the schemas with --schemas DIR")
        return None
    if store.builtin:
        say(f"there is no schemas folder here; reading the schemas that ship with the client ({display(store.path)})")
    return store.path


def store_to_write(named: Path | None) -> Path | None:
    """The store a command writes, whether it is there yet or not.

    None if no flag or setting names one, which is then printed: the schemas that ship are not changed by accident.
    """
    settings = project_settings()
    if settings is None:
        return None
    store = choose_store(named, settings)
    if store.builtin:
        no_store()
        return None
    return store.path


def no_store() -> int:
    """Say that a command that writes needs a store of the user's own; the exit code."""
    return usage(
        "there is no schemas folder here, and the schemas that ship with the client are for reading only; "
        "name yours with --schemas DIR, or once in pyproject.toml:\n\n"
        '    [tool.runcomfy]\n    schemas = "schemas"'
    )


class Progress:
    """Shows on stderr how far a long step is.

    On a terminal one line is rewritten; elsewhere a line is printed every 20 seconds.

    A context manager; call it with a text for each step. On exit it clears the line.
    """

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last_line = time.monotonic()
        self._open_line = False

    def __call__(self, step: str) -> None:
        if self._terminal:
            # Back to the line's start, clear it, write.
            sys.stderr.write(f"\r\x1b[K{visible(step)[:100]}")
            self._open_line = True
        elif time.monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES:
            sys.stderr.write(f"{visible(step)}\n")
            self._last_line = time.monotonic()
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open_line:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
