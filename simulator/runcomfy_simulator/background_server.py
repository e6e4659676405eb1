"""uvicorn that ends at once, and in a thread of its own: neither Ctrl-C nor a test waits for open requests."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    import socket

_TICK_SECONDS = 0.1  # uvicorn counts on it for its Date header


class AbruptServer(uvicorn.Server):
    """Ends at once, also with open requests: a reply may hang, or drip for an hour."""

    def __init__(self, config: uvicorn.Config) -> None:
        app: Any = config.app

        async def until_stopped(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            except asyncio.CancelledError:  # by `shutdown`: uvicorn would show a traceback
                if not self.should_exit:
                    raise

        config.app = until_stopped
        if config.loaded:  # with a certificate
            config.loaded_app = until_stopped
        super().__init__(config)

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


class BackgroundServer(AbruptServer):
    """Serves a listening socket from a thread of its own, between `start` and `stop`."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ready = threading.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self, listener: socket.socket) -> None:
        """Returns once requests are answered."""
        name = f"runcomfy-sim:{listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self.run, args=([listener],), name=name, daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the simulator's server did not start; its log says why")

    def stop(self) -> None:
        """Returns once the port is free again and every connection is closed."""
        self.should_exit = True
        if self._loop and self._thread:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        tick = 0
        while not await self.on_tick(tick):
            tick += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK_SECONDS)
