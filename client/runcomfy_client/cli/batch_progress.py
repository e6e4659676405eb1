"""How a batch looks while it runs: a bar and what counts on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from .output import console, note
from .progress import clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from rich.console import Console, ConsoleOptions, RenderResult

    from ..batch.items import BatchStatus

# Seconds between two looks at the store: on a terminal, and in a log.
LIVE_SECONDS = 1.0
LOG_SECONDS = 10.0


def status_line(status: BatchStatus) -> str:
    """What counts, in one line: "120 of 2000 done, 98 running, 1780 waiting, 2 failed; 241 a minute, 7:50 left"."""
    counts = status.counts
    parts = [f"{counts['done']} of {status.total} done"]
    running = counts["running"] + counts["submitting"]
    for number, word in (
        (running, "running"),
        (counts["fetching"], "fetching"),
        (counts["waiting"], "waiting"),
        (counts["failed"], "failed"),
        (counts["refused"], "refused"),
        (counts["unsure"], "unsure"),
        (counts["expired"], "expired"),
    ):
        if number:
            parts.append(f"{number} {word}")
    line = ", ".join(parts)
    if status.ended < status.total and status.rate:
        line += f"; {status.rate:.0f} a minute, {clock(status.time_left or 0)} left"
    return f"{line}; {money(status)}" + ("; paused" if status.paused else "")


def money(status: BatchStatus) -> str:
    text = f"{status.spent:.2f} USD spent"
    if status.reserved:
        text += f", {status.reserved:.2f} reserved"
    return text + ("" if status.budget is None else f" of {status.budget:.2f}")


class BatchProgress:
    """Shows a batch from a thread of its own, until the block is left."""

    def __init__(self, look: Callable[[], BatchStatus]) -> None:
        self._look = look
        self._over = threading.Event()
        self._live = sys.stderr.isatty() and console(stderr=True).is_interactive
        self._thread = threading.Thread(target=self._show, name="runcomfy-progress", daemon=True)
        self._status: BatchStatus | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _show(self) -> None:
        if not self._live:
            while not self._over.wait(LOG_SECONDS):
                if (status := self._seen()) is not None:
                    note(f"{time.strftime('%H:%M:%S')} {status_line(status)}")
            return
        from rich.live import Live

        with Live(self, console=console(stderr=True), transient=True, refresh_per_second=4):
            while not self._over.wait(LIVE_SECONDS):
                self._status = self._seen() or self._status

    def _seen(self) -> BatchStatus | None:
        try:
            return self._look()
        except Exception:  # noqa: BLE001 - what is shown must not end what is paid
            return None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.progress_bar import ProgressBar
        from rich.segment import Segment
        from rich.text import Text

        status = self._status
        if status is None:
            yield Text("starting")
            return
        yield ProgressBar(total=max(status.total, 1), completed=status.ended, width=min(options.max_width, 60))
        yield Segment.line()
        yield Text(status_line(status))
