"""Files by URL: those that jobs made, and those that a test has put up; with Range, as a file host serves them."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from starlette.responses import Response

from .media.inspect import look
from .media.studio import CONTENT_TYPES, Studio

if TYPE_CHECKING:
    from .engine import Engine
    from .jobs import Job

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Served:
    """A file ready to be sent."""

    data: bytes
    content_type: str


class Files:
    """Everything below /files/."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._hosted: dict[str, Served] = {}
        self.studio = Studio()

    def host(self, data: bytes, name: str = "") -> str:
        """Put up a file; returns its path. Its type is what its content says, else what its name says."""
        facts = look(data)
        suffix = PurePosixPath(name).suffix.lstrip(".").lower()
        kind = facts.content_type if facts else CONTENT_TYPES.get(suffix, "application/octet-stream")
        path = f"/files/hosted/{secrets.token_hex(8)}/{re.sub(r'[^A-Za-z0-9._-]', '_', name) or 'file'}"
        self._hosted[path] = Served(data, kind)
        return path

    async def get(self, path: str) -> Served | None:
        """The file at a URL's path."""
        if path in self._hosted:
            return self._hosted[path]
        match = re.fullmatch(r"/files/([0-9a-f]{32})/(\d{1,3})\.(\w+)", path)
        job = self._engine.find(match[1]) if match else None
        if match is None or job is None or job.state != "succeeded":
            return None
        index = int(match[2]) - 1
        if not 0 <= index < job.order.count or match[3] != job.order.suffix:
            return None
        return Served(await self.studio.get(job.order, index), CONTENT_TYPES[job.order.suffix])

    async def bytes_at(self, path: str) -> bytes | None:
        served = await self.get(path)
        return served.data if served else None


def paths_of(job: Job) -> list[str]:
    """Where the files of a job stand."""
    return [f"/files/{job.request_id}/{number}.{job.order.suffix}" for number in range(1, job.order.count + 1)]


def reply(served: Served, range_header: str | None) -> Response:
    """The file, or the part of it that was asked for."""
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, max-age=3600"}
    whole = len(served.data)
    match = _RANGE.fullmatch(range_header.strip()) if range_header else None
    if match is None or not (match[1] or match[2]):
        # A Range in a form that is not known is to be ignored (RFC 9110, 14.2).
        return Response(served.data, media_type=served.content_type, headers=headers)
    if match[1]:
        first, last = int(match[1]), min(int(match[2]) if match[2] else whole - 1, whole - 1)
    else:
        first, last = max(0, whole - int(match[2])), whole - 1
    if match[1] and match[2] and int(match[2]) < int(match[1]):
        return Response(served.data, media_type=served.content_type, headers=headers)
    if first > last:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{whole}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{whole}"
    return Response(served.data[first : last + 1], 206, media_type=served.content_type, headers=headers)
