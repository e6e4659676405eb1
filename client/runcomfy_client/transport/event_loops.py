"""Something for each event loop, made on first use there and closed in order when that loop shuts down."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable


class Closable(Protocol):
    async def close(self) -> None: ...


Kept = TypeVar("Kept", bound=Closable)


class PerEventLoop(Generic[Kept]):
    """What `make` returns, once for each loop. With ``shared`` the first loop is the only one."""

    def __init__(self, make: Callable[[], Kept], *, shared: bool) -> None:
        self._make = make
        self._shared = shared
        self._first: asyncio.AbstractEventLoop | None = None
        self._kept: dict[asyncio.AbstractEventLoop, tuple[Kept, AsyncGenerator[None]]] = {}

    async def here(self) -> Kept:
        loop = asyncio.get_running_loop()
        if loop not in self._kept:
            if self._shared and self._first not in (None, loop):
                raise ConfigurationError(
                    "http_client was used in another event loop, and httpx ties a client to its loop. Make one"
                    " AsyncRunComfy for each asyncio.run(), or leave http_client out: one then works in all of them."
                )
            self._first = loop
            kept = self._make()
            keeper = self._keep(loop, kept)
            self._kept[loop] = kept, keeper
            await anext(keeper)
        return self._kept[loop][0]

    async def close(self) -> None:
        """Close what this loop has; the next use makes it anew."""
        _, keeper = self._kept.get(asyncio.get_running_loop(), (None, None))
        if keeper is not None:
            await keeper.aclose()

    async def _keep(self, loop: asyncio.AbstractEventLoop, kept: Kept) -> AsyncGenerator[None]:
        # asyncio.run() closes open async generators while the loop still runs: the one moment at which connections can
        # be closed in order.
        try:
            yield
        finally:
            del self._kept[loop]
            await kept.close()
