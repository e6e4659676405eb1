"""A proxy between client and API that breaks replies as it is told, over real sockets, and counts what arrived."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import struct
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from tests.support.http_wire import Request, Response, read_body, read_head

if TYPE_CHECKING:
    from typing import BinaryIO, Self

Upstream: TypeAlias = Callable[[Request], Response]


@dataclass
class Wire:
    """One request that a fault is asked to answer."""

    request: Request
    connection: socket.socket
    upstream: Upstream

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def forward(self) -> Response:
        """Let the API have the request; its reply is the fault's to deliver."""
        return self.upstream(self.request)

    def reset(self) -> None:
        """Cut the connection with an RST, as a crashed host or a tired middlebox does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())  # close() would wait for the file made of it


Fault: TypeAlias = Callable[[Wire], None]


class FaultProxy:
    """Listens on a port of its own, from `with` to the end of it.

    ``plan("status", fault, fault)`` answers the next requests of that kind, then all goes through again;
    ``always("status", fault)`` answers all. ``arrived`` counts the requests that came in whole.
    """

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.arrived: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.keep_requests = True
        self.connections = 0
        self._plans: dict[str, deque[Fault]] = defaultdict(deque)
        self._always: dict[str, Fault] = {}
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def plan(self, operation: str, *faults: Fault) -> None:
        self._plans[operation].extend(faults)

    def always(self, operation: str, fault: Fault) -> None:
        self._always[operation] = fault

    def never(self, operation: str) -> None:
        self._always.pop(operation, None)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as stream:
            while connection.fileno() != -1 and self._answer(connection, stream):
                pass
        with self._lock:
            self._open.discard(connection)

    def _answer(self, connection: socket.socket, stream: BinaryIO) -> bool:
        head = read_head(stream)
        if head is None:
            return False
        fault = self._next(head.operation)
        if getattr(fault, "before_body", False):
            assert fault is not None
            fault(Wire(head, connection, self.upstream))
            return True
        request = read_body(stream, head)
        if len(request.body) < int(head.headers.get("content-length", "0")):
            return False
        with self._lock:
            self.arrived[request.operation] += 1
            if self.keep_requests:
                self.requests.append(request)
        if fault is not None:
            fault(Wire(request, connection, self.upstream))
        else:
            connection.sendall(self.upstream(request).encoded())
        return True

    def _next(self, operation: str) -> Fault | None:
        with self._lock:
            plan = self._plans[operation]
            return plan.popleft() if plan else self._always.get(operation)


def forward_to(url: str) -> Upstream:
    """An upstream that is a real server, such as the simulator."""
    parts = urlsplit(url)

    def ask(request: Request) -> Response:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        try:
            headers = {name: value for name, value in request.headers.items() if name not in ("host", "connection")}
            connection.request(request.method, request.path, request.body or None, headers)
            reply = connection.getresponse()
            kept = {name: value for name, value in reply.getheaders() if name.lower() not in ("transfer-encoding",)}
            return Response(reply.status, reply.read(), kept)
        finally:
            connection.close()

    return ask


# What can go wrong. Each of these is a Fault, or makes one.


def reset_before_reply(wire: Wire) -> None:
    wire.reset()


def lost_reply(wire: Wire) -> None:
    """The API did its work, and nobody hears of it."""
    wire.forward()
    wire.reset()


def closed_before_reply(wire: Wire) -> None:
    wire.connection.shutdown(socket.SHUT_RDWR)


def reset_within_request(wire: Wire) -> None:
    wire.reset()


reset_within_request.before_body = True  # type: ignore[attr-defined]  # read by the proxy


def reset_within_headers(wire: Wire) -> None:
    wire.send(wire.forward().encoded()[:20])
    wire.reset()


def half_body(wire: Wire) -> None:
    """Everything but the last bytes, then the end."""
    whole = wire.forward().encoded()
    wire.send(whole[:-5])
    wire.connection.shutdown(socket.SHUT_RDWR)


def reset_after_reply(wire: Wire) -> None:
    """The whole reply, then a connection that is gone when it is used again."""
    wire.send(wire.forward().encoded())
    time.sleep(0.05)  # an RST at once would take the reply along
    wire.reset()


def closed_after_reply(wire: Wire) -> None:
    """The whole reply and then the end, without a word about it."""
    wire.send(wire.forward().encoded())
    wire.connection.shutdown(socket.SHUT_RDWR)


def silence(wire: Wire) -> None:
    """Neither reply nor end, until the client gives up."""
    with contextlib.suppress(OSError):
        wire.connection.recv(1)


def drip(pause: float, *, head: bool = False) -> Fault:
    """A byte at a time: never silent for long, never done."""

    def fault(wire: Wire) -> None:
        whole = wire.forward().encoded()
        start = 0 if head else whole.index(b"\r\n\r\n") + 4
        with contextlib.suppress(OSError):
            wire.send(whole[:start])
            for index in range(start, len(whole)):
                wire.send(whole[index : index + 1])
                time.sleep(pause)

    return fault


def answer(response: Response, *, worked: bool = False) -> Fault:
    """This reply, with or without the API having seen the request."""

    def fault(wire: Wire) -> None:
        if worked:
            wire.forward()
        wire.send(response.encoded())

    return fault


def html(status: int) -> Response:
    page = f"<!DOCTYPE html><html><body><h1>{status}</h1></body></html>".encode()
    return Response(status, page, {"Content-Type": "text/html"})


def huge(size: int) -> Fault:
    """A reply that goes on and on."""

    def fault(wire: Wire) -> None:
        with contextlib.suppress(OSError):
            wire.send(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode())
            for _ in range(0, size, 1 << 20):
                wire.send(b" " * (1 << 20))

    return fault
