"""Which failures prove that nothing was sent: only those, and only if no byte of the body was ever asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .steps import Body, Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# By class name along the inheritance, so that this works for any httpx and without importing it.
UNSENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "LocalProtocolError"}
# httpx-aiohttp reports every broken connection as ConnectTimeout; what it wraps tells the truth.
AIOHTTP_UNSENT = {"ClientConnectorError", "ConnectionTimeoutError", "InvalidURL"}


class WatchedBody:
    """A request body that knows whether anybody began to read it: that holds for every transport."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self.begun = False

    def _chunks(self) -> Iterator[bytes]:
        self.begun = True
        yield from self._body


class SyncBody(WatchedBody):
    def __iter__(self) -> Iterator[bytes]:
        return self._chunks()


class AsyncBody(WatchedBody):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks():
            yield chunk


def fault_of(error: Exception, body: WatchedBody | None = None) -> Fault:
    """Turn what httpx raised into a Fault; the reason names the failure, never the request's headers."""
    if isinstance(error, Fault):
        return error
    kinds = {kind.__name__ for kind in type(error).__mro__}
    unsent = not kinds.isdisjoint(UNSENT)
    cause = error.__cause__
    if isinstance(cause, Exception) and type(cause).__module__.startswith("aiohttp"):
        unsent = unsent and not {kind.__name__ for kind in type(cause).__mro__}.isdisjoint(AIOHTTP_UNSENT)
        error = cause
    if body is not None and body.begun:
        unsent = False
    detail = str(error).strip()
    return Fault(f"{type(error).__name__}: {detail}" if detail else type(error).__name__, nothing_sent=unsent)
