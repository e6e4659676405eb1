"""Leases of submits under way, renewed until they are dropped.

They are renewed from a thread of their own, because an upload may block the thread (or the event loop) that sends. A
client trusts its lease only for as long as the last renewal reached, by both clocks: the monotonic one does not notice
that a laptop slept, and the wall clock can be set back (others take a lease that ends too far ahead for ended).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from typing import TypeAlias

from ..errors import JournalError
from ..transport.hooks import log
from .base import LONGEST_LEASE

Renew: TypeAlias = Callable[[Collection[str]], frozenset[str]]


class Lease:
    """The right to send one submit."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends = (0.0, 0.0)
        self.lost = False

    def extend(self, began: tuple[float, float]) -> None:
        """A write that began at this time has renewed it, so the store's lease ends no earlier."""
        monotonic, wall = began
        self._ends = monotonic + self._seconds, wall + self._seconds

    @property
    def is_held(self) -> bool:
        monotonic, wall = self._ends
        return not self.lost and time.monotonic() < monotonic and 0 < wall - time.time() < LONGEST_LEASE


class Leases:
    """The leases of one client."""

    def __init__(self, renew: Renew, seconds: float) -> None:
        self._renew = renew
        self.seconds = seconds
        self._leases: dict[str, Lease] = {}
        self._lock = threading.Lock()
        self._running = False

    def keep(self, submission_id: str, lease: Lease) -> None:
        """Renew it from now on."""
        with self._lock:
            self._leases[submission_id] = lease
            if not self._running:
                self._running = True
                threading.Thread(target=self._work, name="runcomfy-leases", daemon=True).start()

    def drop(self, submission_id: str) -> None:
        with self._lock:
            self._leases.pop(submission_id, None)

    def forget(self) -> None:
        """In a forked child: the submits under way are the parent's, and so is the thread."""
        self._lock = threading.Lock()
        self._leases = {}
        self._running = False

    def renew(self, leases: dict[str, Lease]) -> None:
        """Renew these, and mark those that somebody else has changed the entry of."""
        began = time.monotonic(), time.time()
        held = self._renew(leases)
        for submission_id, lease in leases.items():
            if submission_id in held:
                lease.extend(began)
            else:
                lease.lost = True

    def _work(self) -> None:
        while True:
            time.sleep(self.seconds / 3)
            with self._lock:
                leases = dict(self._leases)
                if not leases:  # so that a client at rest has no thread, and a busy one keeps its thread
                    self._running = False
                    return
            try:
                self.renew(leases)
            except JournalError as error:
                log.warning("The lease of a submit could not be renewed: %s", error)
