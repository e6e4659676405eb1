"""uvicorn in a thread that ends at once when told: a test should not wait for a server to be polite."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    import socket

_TICK = 0.1  # what uvicorn counts on to keep its Date header true


class BackgroundServer(uvicorn.Server):
    """Serves `listener` from a thread of its own, between `launch` and `leave`."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ready = threading.Event()
        self._left = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def launch(self, listener: socket.socket) -> None:
        """Returns once requests are answered."""
        name = f"runcomfy-sim:{listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self.run, args=([listener],), name=name, daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the simulator's server did not start; its log says why")

    def leave(self) -> None:
        """Returns once the port is free again and every connection is cut."""
        self.should_exit = True
        if self._loop and self._thread:
            self._loop.call_soon_threadsafe(self._left.set)
            self._thread.join(10)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        tick = 0
        while not await self.on_tick(tick):
            tick += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._left.wait(), _TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
