"""What a blocking request needs in a thread: to end at its deadline, and not to be cut short by Ctrl-C.

`Watchdog` ends blocking reads at a deadline. A socket's own time limit starts anew with every byte, so a server that
sends a byte now and then never meets it. One thread for the whole process sleeps until the next deadline and shuts the
socket down then; the read ends at once.

`DeferredSignals` defers Ctrl-C while something runs that must not be cut: between a paid POST and its reply an
interruption would lose the job's id. It does so for a few seconds only, and never for a second Ctrl-C.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

    Handler = Callable[[int, FrameType | None], object]


class NetworkStream(Protocol):
    """The part of httpcore's stream that is needed."""

    def get_extra_info(self, info: str) -> object: ...


class Watched:
    """A request under way, and its connection as soon as that is known.

    ``find`` is asked for the connection at the deadline if it is not known by then: a user's client has a pool of its
    own and says only which connections it opens, not which it uses again.
    """

    def __init__(self, stream: object, find: Callable[[], object] | None = None) -> None:
        self.stream = stream
        self.expired = False
        self.done = False
        self._find = find

    def trace(self, event: str, info: dict[str, object]) -> None:
        """For httpx's ``trace`` extension: remembers the connection that is made for this request."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self.stream = info["return_value"]

    def expire(self) -> None:
        self.expired = True
        stream = self.stream
        if stream is None and self._find is not None:
            stream = self._find()
        if not hasattr(stream, "get_extra_info") or _is_shared(stream):
            return
        sock = stream.get_extra_info("socket")
        if isinstance(sock, socket.socket):
            # The plain socket's method: TLS would send a close_notify from another thread than the one that reads.
            with contextlib.suppress(OSError):  # closed meanwhile, as wanted
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _is_shared(stream: NetworkStream) -> bool:
    """Whether other requests may be on this connection: over HTTP/2 a paid one, which must not be cut."""
    tls = stream.get_extra_info("ssl_object")
    return tls is not None and getattr(tls, "selected_alpn_protocol", str)() == "h2"


class Watchdog:
    """One thread for all requests of the process; it sleeps until the next deadline."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._heap: list[tuple[float, int, Watched]] = []
        self._count = itertools.count()
        self._finished = 0
        self._thread: threading.Thread | None = None

    def watch(self, watched: Watched, seconds: float) -> None:
        end = time.monotonic() + seconds
        with self._wake:
            if self._finished > 100 + len(self._heap) // 2:
                self._heap = [entry for entry in self._heap if not entry[2].done]
                heapq.heapify(self._heap)
                self._finished = 0
            heapq.heappush(self._heap, (end, next(self._count), watched))
            # A forked child has no copy of its parent's threads.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="runcomfy-deadlines", daemon=True)
                self._thread.start()
            elif self._heap[0][2] is watched:
                self._wake.notify()

    def finish(self, watched: Watched) -> None:
        """After this the connection is left alone: it may serve the next request."""
        with self._wake:
            watched.done = True
            watched.stream = None
            self._finished += 1

    def forget(self) -> None:
        """In a forked child: the requests under way are the parent's, and so are their connections."""
        self._wake = threading.Condition()
        self._heap = []
        self._thread = None

    def _run(self) -> None:
        with self._wake:
            while True:
                while self._heap and (self._heap[0][2].done or self._heap[0][0] <= time.monotonic()):
                    watched = heapq.heappop(self._heap)[2]
                    if not watched.done:
                        watched.expire()
                self._wake.wait(self._heap[0][0] - time.monotonic() if self._heap else None)


WATCHDOG = Watchdog()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WATCHDOG.forget)


# What Python code may handle, and so turn into an exception at any line of the main thread.
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class DeferredSignals:
    """A `with` block in which the first signal waits until the end, at most ``grace`` seconds; the next is not held.

    Only the main thread is ever interrupted; in others, and where a signal has no handler, this does nothing.
    """

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._handlers: dict[int, Handler] = {}
        self._deferred: int | None = None
        self._timer: threading.Timer | None = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._defer)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._timer is not None:
            self._timer.cancel()
        if self._deferred is not None and (error is None or isinstance(error, Exception)):
            self._handlers[self._deferred](self._deferred, None)

    def _defer(self, number: int, frame: FrameType | None) -> None:
        if self._deferred is not None:
            self._handlers[number](number, frame)
            return
        self._deferred = number
        self._timer = threading.Timer(self._grace, _signal_main_thread, [number])
        self._timer.daemon = True
        self._timer.start()


def _signal_main_thread(number: int) -> None:
    """A real signal where there are such, since it also ends a blocking read."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, number)
        else:
            signal.raise_signal(number)
