"""Which requests get a reply: those to the simulator's own names, and from web pages only the simulator's own.

A page of any site can make a browser send requests to this machine. Without these checks it could read inputs by a name
of its own that resolves to 127.0.0.1, and set faults and balances by a plain POST.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from .replies import Replies

_LOOPBACK = re.compile(r"localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.\d{1,3}){3}|::1", re.ASCII)
MISDIRECTED, FORBIDDEN = 421, 403


class HostCheck:
    """Answers loopback names and `allow_hosts`; other names get 421, pages of other origins 403."""

    def __init__(self, app: ASGIApp, allow_hosts: frozenset[str], replies: Replies) -> None:
        self._app = app
        self._allow_hosts = frozenset(plain_host(host) for host in allow_hosts)
        self._replies = replies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: list[tuple[bytes, bytes]] = scope.get("headers", [])
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        name = plain_host(_without_port(hosts[0])) if len(hosts) == 1 else ""
        if not (_LOOPBACK.fullmatch(name) or name in self._allow_hosts):
            text = f"This simulator does not answer for the host {name[:100]!r}. Name it with --allow-host HOST."
            await self._replies.error(MISDIRECTED, None, text)(scope, receive, send)
            return
        origins = [value.decode("latin-1") for header, value in headers if header == b"origin"]
        # Result files carry no secrets that their URL does not have already, and a page may draw them on a canvas.
        if any(_netloc(origin) != hosts[0] for origin in origins) and not scope["path"].startswith("/files/"):
            text = "This request comes from a web page of another origin; the simulator answers none of these."
            await self._replies.error(FORBIDDEN, None, text)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def plain_host(name: str) -> str:
    """A host's name as it is compared: lower case, no brackets, no dot at its end."""
    return name.strip().lower().removeprefix("[").removesuffix("]").removesuffix(".")


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and (name.endswith("]") or ":" not in name) else host


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
