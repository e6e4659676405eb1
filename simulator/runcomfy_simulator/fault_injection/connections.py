"""The connections themselves: one can be reset in the middle of a reply, and a request that never ends is dropped."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

_SO_LINGER_ZERO = struct.pack("ii", 1, 0)
_TIMEOUT_REPLY = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connections:
    """The open connections of one server, by the client's address.

    Args:
        request_seconds: how long a client may take to send a request, from its first byte to its last.
    """

    def __init__(self, request_seconds: float) -> None:
        self._open: dict[Any, asyncio.Transport] = {}
        self._request_seconds = request_seconds

    def protocol(self) -> type[HttpToolsProtocol]:
        """uvicorn's protocol, with these connections."""
        connections = self._open
        request_seconds = self._request_seconds

        class Protocol(HttpToolsProtocol):
            _deadline: asyncio.TimerHandle | None = None

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
                super().connection_made(transport)
                connections[self.client] = transport
                self._set_deadline()

            def connection_lost(self, exc: Exception | None) -> None:
                self._clear_deadline()
                connections.pop(self.client, None)
                super().connection_lost(exc)

            def on_message_begin(self) -> None:
                super().on_message_begin()
                self._set_deadline()

            def on_message_complete(self) -> None:
                self._clear_deadline()
                super().on_message_complete()

            def _set_deadline(self) -> None:
                self._clear_deadline()
                self._deadline = self.loop.call_later(request_seconds, self._on_deadline)

            def _clear_deadline(self) -> None:
                if self._deadline is not None:
                    self._deadline.cancel()
                    self._deadline = None

            def _on_deadline(self) -> None:
                if self.transport.is_closing():
                    return
                cycle: Any = self.cycle  # None before the first request, which its type does not say
                if cycle is None or not cycle.response_started:
                    self.transport.write(_TIMEOUT_REPLY)
                self.transport.close()

        return Protocol

    def reset(self, client: object) -> None:
        """End a connection with RST: the client gets an error, not an end."""
        transport = self._open.pop(client, None)
        if transport is None:
            return
        connected: socket.socket = transport.get_extra_info("socket")
        # The option belongs to the connection, whichever descriptor it is set through.
        with socket.socket(fileno=os.dup(connected.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _SO_LINGER_ZERO)
        transport.abort()
