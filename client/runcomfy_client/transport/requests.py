"""What both drivers send for a request, and what a failure proves about it.

The question behind most of this is whether a failed POST can have started a paid job. "Nothing was sent" is claimed
only if the failure is of a kind that comes before sending and nobody began to read the body (`failure_of`). And the
body of a request that is sent once is given out once (`RequestBody`): a user's transport that tries again is stopped.

What the HTTP libraries raise is not chained to our errors. Their frames and some of their exceptions hold the request
with its headers, and error reporters send both elsewhere; the reason has the error's name and text. An exception of
the user's own code, raised in a transport or a hook, stays the cause.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from .config import is_loopback, origin_of
from .decoding import ACCEPTED
from .steps import Body, Reply, TransportFailure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
    from typing import TypedDict

    from .config import Config, Timeouts
    from .deadline import Deadline
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


def arguments_of(request: Request, headers: dict[str, str], limits: Timeouts, deadline: Deadline) -> RequestArguments:
    left = deadline.timeout() or float("inf")
    connect = min(limits.connect, left)
    return {
        "method": request.method,
        "url": request.url,
        "headers": headers,
        # httpx's order: connect, read, write, pool. None may outlast the whole.
        "timeout": (connect, min(limits.read, left), min(limits.write, left), connect),
    }


def headers_of(request: Request, config: Config) -> dict[str, str]:
    headers = {"Accept": "application/json", "Accept-Encoding": ACCEPTED, **dict(request.headers)}
    if request.authorised:
        if not config.may_see_token(request.url):
            raise AssertionError(f"an operation asked to send the token to {origin_of(request.url)}")
        headers["Authorization"] = config.authorization()
    if request.body is not None:
        headers["Content-Type"] = "application/json"
        headers["Content-Length"] = str(request.body.length)
    return headers


def reply_of(status: int, raw: Iterable[tuple[bytes, bytes]]) -> Reply:
    """A reply without its content. A header that comes twice has both values, as one list.

    Raises TransportFailure for a status below 200, which only announces a reply, or ends HTTP on the connection.
    """
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    if status < 200:
        raise TransportFailure(f"HTTP {status}, which is not a final reply", status=status)
    return Reply(status, headers)


def for_a_transport(arguments: RequestArguments) -> TransportArguments:
    """The same request for ``httpx.Request`` itself, with the header that httpx's clients would add."""
    return {
        "method": arguments["method"],
        "url": arguments["url"],
        "headers": {"User-Agent": user_agent(), **arguments["headers"]},
        "extensions": {"timeout": dict(zip(("connect", "read", "write", "pool"), arguments["timeout"], strict=True))},
    }


def has_proxy() -> bool:
    """Whether the environment names proxies; only httpx's own clients know which request goes to which."""
    from urllib.request import getproxies  # httpx loads it too

    return any(scheme != "no" for scheme in getproxies())  # "no" lists the hosts without a proxy


def may_use_proxy(request: Request) -> bool:
    """Not to this computer: a proxy elsewhere would get the token unencrypted, and its loopback is not ours."""
    return not is_loopback(urlsplit(request.url).hostname or "")


def user_agent() -> str:
    return "runcomfy-client Python/{}.{}.{}".format(*sys.version_info)


def ends_connection(reply: Reply, extensions: Mapping[str, object]) -> bool:
    """Whether the server closes the connection after this reply."""
    connection = reply.headers.get("connection", "").lower()
    return "close" in connection or (extensions.get("http_version") == b"HTTP/1.0" and "keep-alive" not in connection)


def timed_out(address: str = "") -> TransportFailure:
    return TransportFailure("no whole reply in time" + (f" from {address}" if address else ""))


def no_slot() -> TransportFailure:
    return TransportFailure("no connection was free in time", nothing_sent=True)


def ignore(update: object) -> None:
    """For callers who want no updates."""


def no_connection(error: Exception) -> ConfigurationError:
    """What goes wrong before there is a connection: proxies or certificates that cannot be used. Nothing was sent."""
    if isinstance(error, ConfigurationError):
        return error
    return ConfigurationError(f"No connection can be made with these settings: {error}")


def too_large(request: Request) -> TransportFailure:
    return TransportFailure(f"the reply is larger than {request.limit:,} bytes")


def address_of(url: str, proxy: str | None = None) -> str:
    """Host and port, and the proxy on the way."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{host}:{port}" + (f" through the proxy {proxy}" if proxy else "")


SENT_TWICE = (
    "a transport of the http_client tried to send the request a second time, and was stopped: a submit is sent once,"
    " since each one may be paid"
)


class RequestBody:
    """A request's body. It knows whether anybody began to read it, which holds for every transport.

    ``once``: it is not given out a second time, whether a transport reads it again or sends a copy that it keeps.
    """

    def __init__(self, body: Body, *, once: bool) -> None:
        self._body = body
        self._once = once
        self._sent = False
        self.begun = False
        self.refused = False

    def __iter__(self) -> Iterator[bytes]:
        if self.begun and self._once:
            raise self.refuse()
        self.begun = True
        yield from self._body

    def check(self, event: str, info: dict[str, object]) -> None:
        """For httpx's ``trace`` extension. A transport that keeps a copy of the body sends it without reading again."""
        if not self._once or getattr(info.get("request"), "method", b"") == b"CONNECT":
            return
        if event.endswith("send_request_headers.started") and self._sent:
            raise self.refuse()
        self._sent = self._sent or event.endswith("send_request_body.started")

    def refuse(self) -> TransportFailure:
        self.refused = True
        return TransportFailure(SENT_TWICE)


class AsyncBody:
    """The same for asynchronous transports."""

    def __init__(self, body: RequestBody) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._body:
            yield chunk


# By class name along the inheritance, so that this works for any httpx and without importing it.
UNSENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "LocalProtocolError"}
# httpx-aiohttp reports every broken connection as ConnectTimeout; the exception that it wraps is precise.
AIOHTTP_UNSENT = {"ClientConnectorError", "ConnectionTimeoutError", "InvalidURL"}
DISCONNECTS = {"RemoteProtocolError", "ReadError", "WriteError", "ServerDisconnectedError", "ClientOSError"}
HTTP_LIBRARIES = ("httpx", "httpcore", "httpx_aiohttp", "aiohttp", "h11", "h2", "anyio", "ssl", "socket", "zlib")


def failure_of(error: Exception, body: RequestBody | None = None, address: str = "") -> TransportFailure:
    """What an exception out of httpx means. The reason names the failure and the address, never the headers."""
    if isinstance(error, TransportFailure):
        return error
    cause = error.__cause__
    unsent = not _kinds(error).isdisjoint(UNSENT)
    root: BaseException = error
    if cause is not None and type(cause).__module__.startswith("aiohttp"):
        unsent = unsent and not _kinds(cause).isdisjoint(AIOHTTP_UNSENT)
        root = cause
    if body is not None and body.begun:
        unsent = False
    detail = " ".join(str(root).split())
    reason = f"{type(root).__name__}: {detail}" if detail else type(root).__name__
    if address:
        reason += f" ({address})"
    if body is not None and body.refused:
        reason = f"{SENT_TWICE}; it raised {reason}"
    unreachable = unsent and not _kinds(error).isdisjoint(("ConnectError", "ConnectTimeout"))
    failure = TransportFailure(reason, nothing_sent=unsent, unreachable=unreachable)
    failure.__cause__ = _user_error(error)
    return failure


def is_disconnect(error: BaseException) -> bool:
    """Whether the server ended the connection, as it does to one that was idle for too long."""
    cause = error.__cause__
    original = cause if cause is not None and type(cause).__module__.startswith("aiohttp") else error
    return not _kinds(original).isdisjoint(DISCONNECTS)


def _kinds(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _user_error(error: BaseException) -> BaseException | None:
    """The exception if it is not one of the HTTP libraries, cut off from those."""
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in HTTP_LIBRARIES:
        return None
    link: BaseException | None = error
    while link is not None:
        following = link.__cause__ or link.__context__
        if following is not None and _user_error(following) is None:
            link.__cause__ = link.__context__ = None
        link = link.__cause__ or link.__context__
    return error


def drop_frames(interruption: BaseException) -> None:
    """It came through frames of the HTTP libraries, which hold the request with its headers."""
    interruption.__traceback__ = interruption.__cause__ = interruption.__context__ = None
