"""What has to be known about the pools of the HTTP libraries, and about an httpx client that the user made.

httpx says neither which connection of its pool carries a request, nor which proxy a request goes through. Its pool
keeps connections that no request will ever use: after a failed TLS handshake behind a proxy a connection counts as busy
until the pool is closed. And it uses a connection again on which more came than the reply: the next request would take
that for its own reply, and a submit would name another job.

So this module looks at private parts of httpx, httpcore and aiohttp. Each look has a way out: where a part is missing
(another version, a transport of the user's own) the answer is None or nothing is done, and the client works without:
with the time limits of sockets only, or with one connection less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from .config import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class Closable(Protocol):
        """The part of an httpx client that is asked before a request."""

        @property
        def is_closed(self) -> bool: ...


def check(client: Closable, url: str) -> None:
    """Whether this client may send this request. Raises ConfigurationError; nothing was sent then."""
    if client.is_closed:
        raise ConfigurationError("The http_client was closed. Close it after the last job, and not before.")
    parts = urlsplit(url)
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        proxy = proxy_of(client, url)
        if proxy is not None and not is_loopback(proxy.rpartition(":")[0].strip("[]")):
            raise ConfigurationError(
                f"The http_client would send the token unencrypted through the proxy {proxy}, though {parts.netloc} is"
                " this computer. Make it with trust_env=False, or set NO_PROXY=localhost,127.0.0.1."
            )


def proxy_of(client: object, url: str) -> str | None:
    """Host and port of the proxy that the client uses for this address, or None. A proxy's password is not in it."""
    choose, base_url = getattr(client, "_transport_for_url", None), getattr(client, "base_url", None)
    if choose is None or base_url is None:
        return None
    pool = getattr(choose(type(base_url)(url)), "_pool", None)
    address = getattr(pool, "_proxy_url", None) or getattr(getattr(pool, "_proxy", None), "url", None)
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if not isinstance(host, bytes):
        return None
    return f"{host.decode('latin-1')}:{port or {b'https': 443}.get(getattr(address, 'scheme', b''), 80)}"


def stream_of(client: object, trace: object) -> object:
    """The network stream of the connection that carries the request with this ``trace`` extension, or None."""
    for pool in _pools(client):
        for queued in list(getattr(pool, "_requests", ())):
            request = getattr(queued, "request", None)
            if getattr(request, "extensions", {}).get("trace") == trace:
                return getattr(_innermost_connection(getattr(queued, "connection", None)), "_network_stream", None)
    return None


def spoilt_connections(client: object) -> list[Any]:
    """The connections that must be closed: busy though no request holds them, or idle with more than the reply read.

    httpcore sets the request of a connection under its pool's lock, so what is found under that lock stays true.
    """
    spoilt = []
    for pool in _pools(client):
        lock = getattr(pool, "_optional_thread_lock", None)
        if lock is None or not hasattr(pool, "connections"):
            continue
        with lock:
            busy = {id(getattr(queued, "connection", None)) for queued in pool._requests}
            free = [
                connection
                for connection in pool.connections
                if id(connection) not in busy and not connection.is_closed()
            ]
            spoilt += [connection for connection in free if not connection.is_idle() or has_more(connection)]
    return spoilt


def close_spoilt(connector: object) -> None:
    """The same for aiohttp's pool: close what is idle and has read more than the reply since."""
    for idle in list(getattr(connector, "_conns", {}).values()):
        for protocol, _ in list(idle):
            if getattr(protocol, "should_close", False):
                protocol.close()


def has_more(connection: object) -> bool:
    """Whether bytes were read from this connection that belong to no reply."""
    state = getattr(_innermost_connection(connection), "_h11_state", None)
    return bool(getattr(state, "trailing_data", (b"",))[0])


def _pools(client: object) -> Iterator[Any]:
    transports = [getattr(client, "_transport", None), *getattr(client, "_mounts", {}).values()]
    for transport in transports:
        if (pool := getattr(transport, "_pool", None)) is not None:
            yield pool


def _innermost_connection(connection: object) -> object:
    """A connection through a proxy holds another one, and so on; the innermost has the stream."""
    for _ in range(5):
        if connection is None or hasattr(connection, "_network_stream"):
            break
        connection = getattr(connection, "_connection", None)
    return connection
