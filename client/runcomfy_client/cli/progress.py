"""How a wait looks: on a terminal one live line with state, position and time; elsewhere a plain line a change."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from ..schema.messages import megabytes
from .output import console, note

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live

    from ..api.values import DownloadProgress, JobUpdate

# The API's own states, as people say them; a state it may add later is shown as it is.
_WORDS = {"in_queue": "queued", "in_progress": "running"}


def progress() -> LiveProgress | PlainProgress:
    """The kind that fits where stderr goes."""
    # rich knows the terminals on which nothing can be drawn anew (TERM=dumb, as in editors).
    return LiveProgress() if sys.stderr.isatty() and console(stderr=True).is_interactive else PlainProgress()


def state_words(update: JobUpdate) -> str:
    """The state for people: "queued, position 2"."""
    word = _WORDS.get(update.state, update.state)
    return word if update.queue_position is None else f"{word}, position {update.queue_position}"


def clock(seconds: float) -> str:
    """A duration at a glance: "4.2 s", "3:07", "1:02:00"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class PlainProgress:
    """For pipes, logs and files: nothing moves, every line is whole."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def update(self, update: JobUpdate) -> None:
        note(f"{state_words(update)} ({clock(update.elapsed)})")

    def busy(self, action: str) -> None:
        note(action)

    def fetched(self, part: DownloadProgress) -> None:
        """Nothing: a line for each megabyte would bury the others."""


class LiveProgress:
    """For people at a terminal: the line goes when the wait ends, what stays is what matters later."""

    def __init__(self) -> None:
        from rich.live import Live
        from rich.spinner import Spinner

        self._spinner = Spinner("dots")
        self._text = "waiting"
        self._since: float | None = None
        self._detail = ""
        self._live: Live = Live(self, console=console(stderr=True), transient=True, refresh_per_second=10)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def update(self, update: JobUpdate) -> None:
        self._text = state_words(update)
        self._since = time.monotonic() - update.elapsed
        if update.over:
            self._live.console.print(f"{self._text} ({clock(update.elapsed)})")

    def busy(self, action: str) -> None:
        self._text, self._since, self._detail = action, None, ""

    def fetched(self, part: DownloadProgress) -> None:
        whole = f" of {megabytes(part.total)}" if part.total else ""
        self._detail = f"{megabytes(part.received)}{whole}"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        line = Text.assemble((self._text, "bold"))
        if self._since is not None:
            line.append(f"  {clock(time.monotonic() - self._since)}", style="dim")
        elif self._detail:
            line.append(f"  {self._detail}", style="dim")
        self._spinner.text = line
        yield self._spinner
