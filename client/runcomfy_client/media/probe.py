"""A probe looks at the media behind URLs: it fetches the first bytes, and no more than the rules need.

The URL is a stranger's, so it is treated as hostile: https only, no user names, every address it resolves to must be a
public one (and the connection goes to the address that was checked), every redirect is checked again, and one deadline
covers all. `probe_payload` then replaces each URL by what was learned about it, and the check continues as for local
media.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from ..schema.containers import map_media
from ..schema.media_field import names_host
from .info import MediaInfo, RemoteMedia
from .inspect import inspect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..schema.nodes import Node

# Enough for the header of nearly every picture, large EXIF blocks included.
_FIRST_BYTES = 256 * 1024
_MOST_REDIRECTS = 5
_MOST_AT_ONCE = 8


class Probe:
    """How far a probe may go.

    Args:
        timeout: seconds for all URLs of a payload together.
        allow_private: also connect to addresses that are not public (loopback, private networks, link-local).
        context: the certificates to trust; the usual public ones if None.
    """

    __slots__ = ("allow_private", "context", "timeout")

    def __init__(
        self, *, timeout: float = 20.0, allow_private: bool = False, context: ssl.SSLContext | None = None
    ) -> None:
        self.timeout = timeout
        self.allow_private = allow_private
        self.context = context


class _Refused(Exception):
    """The URL was not fetched, or its reply cannot be used; the text says why."""


def inspect_urls(urls: Iterable[str], probe: Probe) -> dict[str, RemoteMedia]:
    """Look at each URL once, several at a time, all within ``probe.timeout`` seconds."""
    deadline = time.monotonic() + probe.timeout
    waiting = list(dict.fromkeys(urls))
    seen = {url: RemoteMedia(url, None, f"it did not answer within {probe.timeout:g} s") for url in waiting}
    context = probe.context or _public_context()

    def work() -> None:
        while waiting and time.monotonic() < deadline:
            try:
                url = waiting.pop(0)
            except IndexError:
                return
            seen[url] = _inspect_url(url, probe, context, deadline)

    # Threads that are not waited for: a name server's silence cannot be cut short in any other way.
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_MOST_AT_ONCE, len(waiting)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(seen)


def _inspect_url(url: str, probe: Probe, context: ssl.SSLContext, deadline: float) -> RemoteMedia:
    try:
        place = url
        for _ in range(_MOST_REDIRECTS + 1):
            parts = _parse_url(place)
            fetched = _fetch(parts, _address(parts, probe), context, deadline)
            if isinstance(fetched, MediaInfo):
                return RemoteMedia(url, fetched)
            place = urljoin(place, fetched)
        return RemoteMedia(url, None, f"it redirects more than {_MOST_REDIRECTS} times")
    except _Refused as refused:
        return RemoteMedia(url, None, str(refused))
    except TimeoutError:
        return RemoteMedia(url, None, "it did not answer in time")
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason
        return RemoteMedia(url, None, f"its certificate or TLS is not good: {reason}")
    except ValueError:
        return RemoteMedia(url, None, "it is no URL that can be fetched")
    except (OSError, http.client.HTTPException) as error:
        return RemoteMedia(url, None, f"it cannot be reached: {getattr(error, 'strerror', '') or type(error).__name__}")


def _parse_url(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme != "https":
        raise _Refused(f"it leads to {parts.scheme or 'no'} and only https is fetched")
    if parts.username is not None or parts.password is not None:
        raise _Refused("it holds a user name; the server fetches without a login")
    if not parts.hostname:
        raise _Refused("it names no host")
    return parts


def _address(parts: SplitResult, probe: Probe) -> tuple[str, int]:
    """The address to connect to. One that is not public is refused, and so is a name that has any such address."""
    assert parts.hostname is not None
    try:
        addresses = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise _Refused(f"the name {parts.hostname!r} has no address") from None
    for *_, place in addresses:
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        if not probe.allow_private and not _is_public(address):
            raise _Refused(f"{parts.hostname!r} is at {address}, which is not a public address")
    return str(addresses[0][4][0]), int(addresses[0][4][1])


# What gateways from IPv6 to IPv4 translate (RFC 6052): the last four bytes are the address it leads to.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Not for the public internet, whatever the address tables of older Pythons say: local NAT64 (RFC 8215), site-local,
# IPv4-compatible and IPv4-translated addresses, documentation, segment routing, and protocol assignments.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "64:ff9b:1::/48",
        "fec0::/10",
        "::/96",
        "::ffff:0:0:0/96",
        "3fff::/20",
        "5f00::/16",
        "192.0.0.0/24",
        "192.88.99.0/24",
    )
)


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address, and the IPv4 address that an IPv6 one leads to, can be reached by anybody."""
    plain = _ipv4_behind(address) if isinstance(address, ipaddress.IPv6Address) else address
    reserved = any(candidate in network for candidate in (address, plain) for network in _NOT_PUBLIC)
    return plain.is_global and not plain.is_multicast and not reserved


def _ipv4_behind(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 one leads to, else the address itself."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address


def _fetch(parts: SplitResult, address: tuple[str, int], context: ssl.SSLContext, deadline: float) -> MediaInfo | str:
    """What the first bytes say, or the place a redirect leads to."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    plain = socket.create_connection(address, timeout=left)
    with context.wrap_socket(plain, server_hostname=parts.hostname, do_handshake_on_connect=False) as stream:
        # A socket's timeout starts anew with every byte; this one also stops a server that sends a byte now and then.
        watch = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, (stream,))
        watch.daemon = True
        watch.start()
        try:
            stream.do_handshake()
            connection = http.client.HTTPSConnection(parts.netloc)
            connection.sock = stream
            connection.request("GET", _target(parts), headers=_headers())
            reply = connection.getresponse()
            if reply.status in (301, 302, 303, 307, 308) and reply.getheader("Location"):
                return str(reply.getheader("Location"))
            if reply.status not in (200, 206):
                raise _Refused(f"it answers {reply.status} {reply.reason}"[:80])
            return _info(reply, deadline)
        finally:
            watch.cancel()


def _info(reply: http.client.HTTPResponse, deadline: float) -> MediaInfo:
    head = reply.read(_FIRST_BYTES)
    if len(head) < _FIRST_BYTES and time.monotonic() >= deadline:
        # The watch's cut reads like an end of the file: taken for one, a slow server's good file would be "cut off".
        raise TimeoutError
    size = _size(reply)
    if size is None and len(head) < _FIRST_BYTES:
        size = len(head)
    return inspect(io.BytesIO(head), size)


def _size(reply: http.client.HTTPResponse) -> int | None:
    """The size of the whole file, if the server states it."""
    part = reply.status == 206
    stated = reply.getheader("Content-Range", "").rpartition("/")[2] if part else reply.getheader("Content-Length")
    return int(stated) if stated and stated.isascii() and stated.isdigit() and len(stated) < 16 else None


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return f"{path}?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else path


def _headers() -> dict[str, str]:
    return {
        "Range": f"bytes=0-{_FIRST_BYTES - 1}",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "User-Agent": "runcomfy-client",
    }


def _cut(stream: ssl.SSLSocket) -> None:
    with suppress(OSError):  # it may have ended by itself
        # The plain socket's own: that of TLS would take away what the reading thread is using.
        socket.socket.shutdown(stream, socket.SHUT_RDWR)


def _public_context() -> ssl.SSLContext:
    try:
        import certifi  # comes with httpx
    except ImportError:
        return ssl.create_default_context()
    return ssl.create_default_context(cafile=certifi.where())


def probe_payload(node: Node, payload: object, probe: Probe) -> object:
    """The payload with RemoteMedia for its good https URLs at media fields; all else is as it was."""
    urls: list[str] = []

    def note(value: object) -> object:
        if isinstance(value, str) and value[:8].lower() == "https://" and names_host(value):
            urls.append(value)
        return value

    map_media(node, payload, note)
    if not urls:
        return payload
    seen = inspect_urls(urls, probe)
    return map_media(node, payload, lambda value: seen.get(value, value) if isinstance(value, str) else value)
