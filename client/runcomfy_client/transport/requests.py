"""What both drivers send for a request, and which failures prove that nothing was sent."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from .config import LONGEST, origin_of
from .steps import Body, TransportFailure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from typing import Protocol, TypedDict

    from .config import Config, Timeouts
    from .steps import Request

if TYPE_CHECKING:

    class RequestArguments(TypedDict):
        """What httpx's ``build_request`` is called with, beside the body."""

        method: str
        url: str
        headers: dict[str, str]
        timeout: tuple[float, float, float, float]

    class TransportArguments(TypedDict):
        """What ``httpx.Request`` is called with, beside the body."""

        method: str
        url: str
        headers: dict[str, str]
        extensions: dict[str, object]

    class Closable(Protocol):
        """The part of an httpx client that is asked before a request."""

        @property
        def is_closed(self) -> bool: ...


# A server may close a connection that stands idle; a submit sent into that moment would be unsure for good, so it takes
# only a connection used a moment ago. Other requests can be repeated and may find a closed one.
IDLE_BEFORE_SUBMIT = 2.0
IDLE_BEFORE_OTHER = 30.0


class RequestDeadline:
    """The moment by which an exchange must be over."""

    def __init__(self, *seconds: float | None) -> None:
        """The nearest of these; None stands for no limit."""
        limits = [limit for limit in seconds if limit is not None]
        self._end = time.monotonic() + min(*limits, LONGEST) if limits else None

    def rest(self) -> float | None:
        """As ``left``, but never nothing: for what is about to begin."""
        return None if self._end is None else max(self._end - time.monotonic(), 0.001)

    def left(self) -> float | None:
        """Seconds left, or None if there is no end; raises TransportFailure when there are none."""
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            raise timed_out()
        return left


def arguments_of(request: Request, headers: dict[str, str], limits: Timeouts, left: float | None) -> RequestArguments:
    longest = float("inf") if left is None else left
    connect = min(limits.connect, longest)
    return {
        "method": request.method,
        "url": request.url,
        "headers": headers,
        # httpx's order: connect, read, write, pool. None may outlast the whole.
        "timeout": (connect, min(limits.read, longest), min(limits.write, longest), connect),
    }


def headers_of(request: Request, config: Config) -> dict[str, str]:
    headers = {"Accept": "application/json", **dict(request.headers)}
    if request.authorised:
        if not config.may_see_token(request.url):
            raise AssertionError(f"a rule asked to send the token to {origin_of(request.url)}")
        headers["Authorization"] = config.authorization()
    if request.body is not None:
        headers["Content-Type"] = "application/json"
        headers["Content-Length"] = str(request.body.length)
    return headers


def headers_in(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """A reply's headers; httpx's own mapping looks for the encoding again with each of them."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


def for_a_transport(arguments: RequestArguments) -> TransportArguments:
    """The same request for ``httpx.Request`` itself, with the headers that httpx's clients would add."""
    return {
        "method": arguments["method"],
        "url": arguments["url"],
        "headers": {"Accept-Encoding": "gzip, deflate", "User-Agent": user_agent(), **arguments["headers"]},
        "extensions": {"timeout": dict(zip(("connect", "read", "write", "pool"), arguments["timeout"], strict=True))},
    }


def proxied() -> bool:
    """Whether the environment names proxies; only httpx's own clients know which request goes to which."""
    from urllib.request import getproxies  # httpx loads it too

    return any(scheme != "no" for scheme in getproxies())  # where none is to be used is told in the same place


def user_agent() -> str:
    return "runcomfy-client Python/{}.{}.{}".format(*sys.version_info)


def pool_key(request: Request) -> tuple[str, bool]:
    """Requests with the same key may follow each other on one connection."""
    scheme, _, rest = request.url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}", request.once


def idle_limit(request: Request) -> float:
    return IDLE_BEFORE_SUBMIT if request.once else IDLE_BEFORE_OTHER


def timed_out() -> TransportFailure:
    return TransportFailure("no whole reply in time")


def no_slot() -> TransportFailure:
    return TransportFailure("no connection was free in time", nothing_sent=True)


def nothing(update: object) -> None:
    """The reader of updates of who wants none."""


def must_be_open(client: Closable) -> None:
    if client.is_closed:
        raise ConfigurationError("The http_client was closed. Close it after the last job, and not before.")


def no_connection(error: Exception) -> ConfigurationError:
    """What goes wrong before there is a connection: proxies or certificates that cannot be used. Nothing was sent."""
    if isinstance(error, ConfigurationError):
        return error
    return ConfigurationError(f"No connection can be made with these settings: {error}")


def too_large(request: Request) -> TransportFailure:
    return TransportFailure(f"the reply is larger than {request.limit:,} bytes")


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


def fault_of(error: Exception, body: WatchedBody | None = None) -> TransportFailure:
    """Turn what httpx raised into a TransportFailure; the reason names the failure, never the request's headers."""
    if isinstance(error, TransportFailure):
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
    return TransportFailure(
        f"{type(error).__name__}: {detail}" if detail else type(error).__name__, nothing_sent=unsent
    )
