"""The media a request names: decoded or fetched, looked at, and held to the schema's rules, as the server would."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from ..dialect import Problem
from .inspect import look
from .rules import broken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ..dialect import MediaSpot

    OwnFile = Callable[[str], Awaitable[bytes | None]]

FETCH_LIMIT = 128 * 1024 * 1024
_DATA_URI = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?:;[\w.+-]+=[^;,]*)*(?P<base64>;base64)?,", re.IGNORECASE)


class Unfetchable(Exception):
    """A medium could not be got; the message is for the one who sent the request."""


class Intake:
    """Looks at media. `own` reads one of our files by its URL's path; other hosts are asked only with `fetch`."""

    def __init__(self, own: OwnFile, *, fetch: bool) -> None:
        self._own = own
        self._fetch = fetch

    async def problems(self, spots: Iterable[MediaSpot], own_origins: frozenset[str]) -> list[Problem]:
        """What is wrong with the media at `spots`."""
        found: list[Problem] = []
        for spot in spots:
            try:
                data = await self._get(spot.value, own_origins)
            except Unfetchable as fault:
                found.append(Problem(spot.path, str(fault), "media"))
                continue
            if data is not None:
                found += _judge(spot, data)
        return found

    async def _get(self, value: str, own_origins: frozenset[str]) -> bytes | None:
        """The medium's bytes; None for a URL that is well formed but not to be fetched."""
        if value[:5].lower() == "data:":
            return _decode(value)
        try:
            parts = urlsplit(value)
            origin = f"{parts.scheme}://{parts.netloc}"
        except ValueError:
            raise Unfetchable("this is not a URL") from None
        if origin in own_origins:
            data = await self._own(parts.path)
            if data is None:
                raise Unfetchable("nothing is found at this URL (404)")
            return data
        if parts.scheme != "https" or not parts.hostname:
            raise Unfetchable("a public https URL or a data: URI is expected")
        return await _fetch(value) if self._fetch else None


def _judge(spot: MediaSpot, data: bytes) -> list[Problem]:
    facts = look(data)
    if facts is None:
        return [Problem(spot.path, f"this is no {spot.kind} that can be read", "media")]
    if facts.kind != spot.kind:
        return [Problem(spot.path, f"an expected {spot.kind} is {facts.content_type}", "media")]
    sentences = dict.fromkeys(sentence for rule in spot.rules if (sentence := broken(rule, facts)))
    return [Problem(spot.path, sentence, "validation") for sentence in sentences]


def _decode(uri: str) -> bytes:
    match = _DATA_URI.match(uri)
    if match is None or not match["base64"]:
        raise Unfetchable("this data: URI is not base64")
    try:
        return base64.b64decode(uri[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise Unfetchable("this data: URI is not base64") from None


async def _fetch(url: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async with (
            httpx.AsyncClient(timeout=20, follow_redirects=True) as client,
            client.stream("GET", url) as reply,
        ):
            reply.raise_for_status()
            async for part in reply.aiter_bytes():
                parts.append(part)
                size += len(part)
                if size > FETCH_LIMIT:
                    raise Unfetchable(f"the file is larger than {FETCH_LIMIT // 1024**2} MB")
    except httpx.HTTPError as fault:
        raise Unfetchable(f"the URL could not be fetched: {str(fault) or type(fault).__name__}") from None
    return b"".join(parts)
