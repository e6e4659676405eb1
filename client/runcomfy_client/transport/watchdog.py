"""Ends blocking reads at a deadline: a socket's own limit starts anew with every byte, so a drip never meets it."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import socket
import threading
import time
from typing import Protocol


class NetworkStream(Protocol):
    """The part of httpcore's stream that is needed."""

    def get_extra_info(self, info: str) -> object: ...


class Watched:
    """A request under way, and the connection it is on as soon as that is known."""

    def __init__(self, stream: NetworkStream | None) -> None:
        self.stream = stream
        self.expired = False
        self.done = False

    def trace(self, event: str, info: dict[str, object]) -> None:
        """For httpx's ``trace`` extension: remembers the connection that is made for this request."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self.stream = info["return_value"]  # type: ignore[assignment]  # httpcore documents it so

    def expire(self) -> None:
        self.expired = True
        sock = self.stream.get_extra_info("socket") if self.stream is not None else None
        if isinstance(sock, socket.socket):
            # The plain socket's method: TLS would want to say goodbye, from another thread than the one that reads.
            with contextlib.suppress(OSError):  # closed meanwhile: that is what was wanted
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


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
            if self._thread is None or not self._thread.is_alive():  # threads do not go along into a forked child
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
