"""Which connections stand idle: lanes of one connection each, the one given back last is taken first.

A pool that many tasks or threads share is searched through on every request, and keeps fewer connections alive than
it opens. A lane is an httpx client with room for one connection that one request uses at a time: nothing to search,
nothing to contend for, and the warm ones stay warm.
"""

from __future__ import annotations

import os
import threading
from typing import Generic, TypeAlias, TypeVar

Client = TypeVar("Client")
PoolKey: TypeAlias = tuple[str, bool]


class IdleConnections(Generic[Client]):
    """Safe for threads; a forked child starts with none, since it must not talk on its parent's connections."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._lanes: list[tuple[PoolKey, Client]] = []
        self._process = os.getpid()

    def take(self, key: PoolKey) -> Client | None:
        with self._lock:
            if self._process != os.getpid():
                self._process = os.getpid()
                self._lanes = []
            for index in range(len(self._lanes) - 1, -1, -1):
                if self._lanes[index][0] == key:
                    return self._lanes.pop(index)[1]
        return None

    def put(self, key: PoolKey, client: Client) -> Client | None:
        """Keep the lane; what comes back is one too many and must be closed."""
        with self._lock:
            self._lanes.append((key, client))
            return self._lanes.pop(0)[1] if len(self._lanes) > self._most else None

    def clear(self) -> list[Client]:
        with self._lock:
            lanes, self._lanes = self._lanes, []
        return [client for _, client in lanes]
