"""The media that a request names: decoded or fetched, probed, and checked against the schema's rules."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from starlette.concurrency import run_in_threadpool

from ..dialect import Problem
from .probe import probe
from .rules import broken_rule

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ..dialect import MediaSpot
    from .probe import MediaInfo

    OwnFile = Callable[[str], Awaitable[bytes | None]]

FETCH_LIMIT = 128 * 1024 * 1024
_DATA_URI = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?:;[\w.+-]+=[^;,]*)*(?P<base64>;base64)?,", re.IGNORECASE)


class UnreadableMedia(Exception):
    """A file could not be read; the message is for the sender of the request."""


@dataclass(slots=True)
class CheckedMedia:
    """What is wrong with the media of a request, and what is known of those that could be read."""

    problems: list[Problem] = field(default_factory=list)
    known: list[MediaInfo] = field(default_factory=list)


class MediaInputs:
    """Checks media.

    Args:
        own_file: reads one of the simulator's own files by its URL's path.
        fetch: also ask other hosts; otherwise their URLs are taken unseen.
        data_uris: take `data:` URIs.
    """

    def __init__(self, own_file: OwnFile, *, fetch: bool, data_uris: bool) -> None:
        self._own_file = own_file
        self._fetch = fetch
        self._data_uris = data_uris

    async def check(self, spots: Iterable[MediaSpot], own_origins: frozenset[str]) -> CheckedMedia:
        """Looks at the media at `spots`."""
        checked = CheckedMedia()
        for spot in spots:
            if spot.sample:
                # The schema's own sample: RunComfy has that file, whatever its name is.
                continue
            try:
                data = await self._read(spot.value, own_origins)
            except UnreadableMedia as error:
                checked.problems.append(Problem(spot.path, str(error), "media"))
                continue
            if data is None:
                continue
            info = await run_in_threadpool(probe, data)
            if info is None:
                checked.problems.append(Problem(spot.path, f"this is no {spot.kind} that can be read", "media"))
                continue
            checked.known.append(info)
            checked.problems += _problems(spot, info)
        return checked

    async def _read(self, value: str, own_origins: frozenset[str]) -> bytes | None:
        """The bytes of a file; None for a good URL that is not fetched."""
        if value[:5].lower() == "data:":
            if not self._data_uris:
                raise UnreadableMedia("a public https URL is expected, data: URIs are not taken")
            return await run_in_threadpool(_decode, value)
        try:
            parts = urlsplit(value)
            origin = f"{parts.scheme}://{parts.netloc}"
        except ValueError:
            raise UnreadableMedia("this is not a URL") from None
        if origin in own_origins:
            data = await self._own_file(parts.path)
            if data is None:
                raise UnreadableMedia("nothing is found at this URL (404)")
            return data
        if parts.scheme != "https" or not parts.hostname:
            data_uri_text = " or a data: URI" if self._data_uris else ""
            raise UnreadableMedia(f"a public https URL{data_uri_text} is expected")
        return await _fetch(value) if self._fetch else None


def _problems(spot: MediaSpot, info: MediaInfo) -> list[Problem]:
    if info.kind != spot.kind:
        return [Problem(spot.path, f"an expected {spot.kind} is {info.content_type}", "media")]
    messages = dict.fromkeys(message for rule in spot.rules if (message := broken_rule(rule, info)))
    return [Problem(spot.path, message, "validation") for message in messages]


def _decode(uri: str) -> bytes:
    match = _DATA_URI.match(uri)
    if match is None or not match["base64"]:
        raise UnreadableMedia("this data: URI is not base64")
    try:
        return base64.b64decode(uri[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableMedia("this data: URI is not base64") from None


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
                    raise UnreadableMedia(f"the file is larger than {FETCH_LIMIT // 1024**2} MB")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnreadableMedia(f"the URL could not be fetched: {str(error) or type(error).__name__}") from None
    return b"".join(parts)
