"""Connections that are idle, and how long a connection may be idle before it is used again.

The drivers keep httpx clients with room for one connection each, and use one for one request at a time. One pool that
many tasks or threads share is searched on every request, and keeps fewer connections alive than it opens. With clients
of one connection there is nothing to search and nothing to contend for. The one released last is used first.

How long a connection may be idle matters for a submit. Servers close idle connections, and a POST that is sent at that
moment gets no reply: nobody can tell whether it was read. So a submit uses only a connection that was in use a moment
ago, and that moment is shorter where a server says (`Keep-Alive: timeout`) or shows that it closes connections sooner.
"""

from __future__ import annotations

import os
import re
import threading
import time
import weakref
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

from . import pools

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .steps import Reply, Request

Client = TypeVar("Client")
# Origin, and whether it is for requests that are sent once.
PoolKey: TypeAlias = tuple[str, bool]

# Seconds. A request that may be repeated can find its connection closed; one that is sent once must not.
IDLE_BEFORE_SUBMIT = 2.0
IDLE_BEFORE_OTHER = 30.0
# Few different limits, since the fast transport keeps one pool for each.
_LIMITS = (30.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.25, 0.1)
# A server that restarts closes connections, too, so a learned limit expires.
_MEMORY = 300.0
_KEEP_ALIVE_TIMEOUT = re.compile(r"timeout\s*=\s*\"?(\d{1,6})\b", re.IGNORECASE)


def pool_key(request: Request) -> PoolKey:
    """Requests with the same key may follow each other on one connection."""
    scheme, _, rest = request.url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}", request.once


class IdleLimits:
    """How long a connection to a server may be idle and still be used, by what the server says and does."""

    def __init__(self) -> None:
        self._learned: dict[str, tuple[float, float]] = {}

    def of(self, request: Request) -> float:
        """Seconds; 0 means that each request needs a connection of its own."""
        limit = IDLE_BEFORE_SUBMIT if request.once else IDLE_BEFORE_OTHER
        learned = self._learned.get(pool_key(request)[0])
        if learned is None or learned[1] < time.monotonic():
            return limit
        return min(limit, learned[0])

    def learn_from(self, request: Request, reply: Reply) -> None:
        """Take note of what the server says about its connections."""
        if (header := reply.headers.get("keep-alive")) and (match := _KEEP_ALIVE_TIMEOUT.search(header)):
            self.closed_after(request, float(match[1]))

    def closed_after(self, request: Request, seconds: float) -> None:
        """The server closes connections that are idle for ``seconds``. Half of that is safe."""
        # Threads may race here; either result is a limit that was learned.
        limit = next((candidate for candidate in _LIMITS if candidate <= seconds / 2), 0.0)
        if limit < self.of(request):
            self._learned[pool_key(request)[0]] = limit, time.monotonic() + _MEMORY


class PooledConnection(Generic[Client]):
    """A client with room for one connection, and that connection's network stream as soon as it is known."""

    __slots__ = ("_since", "client", "idle_for", "process", "stream")

    def __init__(self, client: Client) -> None:
        self.client = client
        self.stream: object = None
        self.idle_for: float | None = None  # seconds before the present use; None on the first
        self.process = os.getpid()
        self._since = 0.0

    def rest(self) -> None:
        self._since = time.monotonic()

    def wake(self) -> float:
        self.idle_for = time.monotonic() - self._since
        return self.idle_for


class IdleConnections(Generic[Client]):
    """The connections that are idle. Safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._idle: list[tuple[PoolKey, PooledConnection[Client]]] = []

    def pop(self, key: PoolKey) -> PooledConnection[Client] | None:
        """The one that was used last."""
        with self._lock:
            for index in range(len(self._idle) - 1, -1, -1):
                if self._idle[index][0] == key:
                    return self._idle.pop(index)[1]
        return None

    def push(self, key: PoolKey, connection: PooledConnection[Client]) -> PooledConnection[Client] | None:
        """Keep the connection; returns one that is too many and must be closed."""
        connection.rest()
        with self._lock:
            self._idle.append((key, connection))
            return self._idle.pop(0)[1] if len(self._idle) > self._most else None

    def clear(self) -> list[Client]:
        with self._lock:
            idle, self._idle = self._idle, []
        return [connection.client for _, connection in idle]

    def forget(self) -> None:
        """In a forked child: the connections are the parent's, and another thread may have held the lock."""
        self._lock = threading.Lock()
        self._idle = []


class ConnectionRules(Generic[Client]):
    """Which connections of a driver are used again. ``shared`` is the client of the user's, if there is one."""

    shared: object

    def __init__(self, most: int) -> None:
        self._idle: IdleConnections[Client] = IdleConnections(most)
        self._limits = IdleLimits()

    def put_back(self, request: Request, connection: PooledConnection[Client], *, reusable: bool) -> Sequence[object]:
        """After a request: keep the connection for the next one. Returns what must be closed."""
        spoilt = pools.spoilt_connections(connection.client)
        if self.shared is not None:
            return spoilt
        surplus = self._idle.push(pool_key(request), connection) if reusable and not spoilt else connection
        return [] if surplus is None else [surplus.client]

    def note_reply(
        self, request: Request, connection: PooledConnection[Client], reply: Reply, extensions: dict[str, object]
    ) -> None:
        """Learn how long this server keeps connections: it says so, or it has closed one that was idle."""
        if self.shared is None:
            stream = extensions.get("network_stream")  # not known on the fast transport
            if connection.stream is not None and stream is not connection.stream:
                self.note_closed(request, connection)
            connection.stream = stream
            self._limits.learn_from(request, reply)

    def note_closed(self, request: Request, connection: PooledConnection[Client]) -> None:
        """The server has closed the connection. If it was idle, that was too long."""
        if self.shared is None and connection.idle_for is not None:
            self._limits.closed_after(request, connection.idle_for)


class _Forgets(Protocol):
    def forget(self) -> None: ...


_in_each_child: weakref.WeakSet[_Forgets] = weakref.WeakSet()


def forget_in_child(connections: _Forgets) -> None:
    """Have `forget` called in every forked child, before anything else runs there."""
    _in_each_child.add(connections)


def _forget_all() -> None:
    for connections in _in_each_child:
        connections.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
