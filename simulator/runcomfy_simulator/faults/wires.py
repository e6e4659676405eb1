"""The connections themselves, so that one can be reset in the middle of a reply, as a failing network does."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

_NO_LINGER = struct.pack("ii", 1, 0)


class Wires:
    """The open connections of one server, by the client's address."""

    def __init__(self) -> None:
        self._open: dict[Any, asyncio.Transport] = {}

    def protocol(self) -> type[HttpToolsProtocol]:
        """uvicorn's protocol, which tells us of each connection."""
        wires = self._open

        class Protocol(HttpToolsProtocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
                super().connection_made(transport)
                wires[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                wires.pop(self.client, None)
                super().connection_lost(exc)

        return Protocol

    def reset(self, client: object) -> None:
        """End a connection with RST: the other side gets an error, not an end."""
        transport = self._open.pop(client, None)
        if transport is None:
            return
        given: socket.socket = transport.get_extra_info("socket")
        # The option belongs to the connection, whichever descriptor it is set through.
        with socket.socket(fileno=os.dup(given.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
