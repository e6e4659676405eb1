"""A proxy that answers CONNECT and then plays the server behind it, by TLS, or breaks the handshake as planned."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
from collections import deque
from typing import TYPE_CHECKING

import trustme

from tests.support.fault_proxy import FaultProxy, Upstream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOST = "api.example.test"
URL = f"https://{HOST}"


def cut(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


def silence(connection: socket.socket) -> None:
    """Read what comes and answer nothing, until the client gives up."""
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\nthis is not TLS")
    connection.shutdown(socket.SHUT_WR)


def wrong_certificate(connection: socket.socket) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("elsewhere.example.test").configure_cert(context)
    with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
        tls.recv(1)


BREAKS: tuple[Callable[[socket.socket], None], ...] = (cut, reset, silence, garbage, wrong_certificate)


class ConnectProxy(FaultProxy):
    """As FaultProxy, behind CONNECT and TLS. ``handshakes`` is what the next connections do instead of a handshake."""

    def __init__(self, upstream: Upstream, certificates: Path) -> None:
        super().__init__(upstream)
        self.handshakes: deque[Callable[[socket.socket], None]] = deque()
        authority = trustme.CA()
        self.certificates = certificates
        authority.cert_pem.write_to_path(str(self.certificates))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(self._context)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                if not (byte := connection.recv(1)):
                    return
                head += byte
            assert head.startswith(f"CONNECT {HOST}:443 ".encode()), head
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if self.handshakes:
                self.handshakes.popleft()(connection)
            else:
                super()._serve(self._context.wrap_socket(connection, server_side=True))
