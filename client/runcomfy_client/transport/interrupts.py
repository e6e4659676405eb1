"""Holds Ctrl-C back while something runs that must not be cut, but not for ever, and not the second one."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

if TYPE_CHECKING:

    Handler = Callable[[int, FrameType | None], object]

# What Python code may handle, and so turn into an exception at any line of the main thread.
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class DeferredSignals:
    """A `with` block in which the first signal waits until the end, at most ``grace`` seconds; the next is not held.

    Only the main thread is ever interrupted; in others, and where a signal has no handler, this does nothing.
    """

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._handlers: dict[int, Handler] = {}
        self._met: int | None = None
        self._end: threading.Timer | None = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._hold)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._end is not None:
            self._end.cancel()
        if self._met is not None and (error is None or isinstance(error, Exception)):
            self._handlers[self._met](self._met, None)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        if self._met is not None:
            self._handlers[number](number, frame)
            return
        self._met = number
        self._end = threading.Timer(self._grace, _signal_main_thread, [number])
        self._end.daemon = True
        self._end.start()


def _signal_main_thread(number: int) -> None:
    """A real signal where there are such, since it also ends a blocking read."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, number)
        else:
            signal.raise_signal(number)
