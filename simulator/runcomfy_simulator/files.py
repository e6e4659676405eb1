"""Files by URL: those that jobs made, and those that a test uploaded; with Range, as a file host serves them."""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from starlette.responses import Response

from .media.probe import probe
from .media.renderer import CONTENT_TYPES, Renderer

if TYPE_CHECKING:
    from .engine import Engine
    from .jobs import Job

# The largest upload; what the docs advise for a video, and as much again for a few of them.
LARGEST_UPLOAD = 128 * 1024 * 1024
KEPT_UPLOAD_BYTES = 2 * LARGEST_UPLOAD
KEPT_UPLOADS = 1_000

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file ready to be sent."""

    data: bytes
    content_type: str


class Files:
    """Everything below /files/. Uploads are kept up to KEPT_UPLOADS and KEPT_UPLOAD_BYTES; the oldest go first."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._uploads: OrderedDict[str, StoredFile] = OrderedDict()
        self._upload_bytes = 0
        self._lock = threading.Lock()
        self.renderer = Renderer()

    def upload(self, data: bytes, name: str = "") -> str:
        """Keep a file; returns its URL's path. Its type is what its content says, else what its name says.

        Raises:
            ValueError: the file has more than LARGEST_UPLOAD bytes.
        """
        if len(data) > LARGEST_UPLOAD:
            raise ValueError(f"the file is larger than {LARGEST_UPLOAD // 1024**2} MB")
        info = probe(data)
        suffix = PurePosixPath(name).suffix.lstrip(".").lower()
        content_type = info.content_type if info else CONTENT_TYPES.get(suffix, "application/octet-stream")
        safe_name = re.sub(r"[^A-Za-z0-9._-]", "_", name)[-_LONGEST_NAME:] or "file"
        path = f"/files/hosted/{secrets.token_hex(8)}/{safe_name}"
        with self._lock:
            self._uploads[path] = StoredFile(data, content_type)
            self._upload_bytes += len(data)
            while len(self._uploads) > KEPT_UPLOADS or self._upload_bytes > KEPT_UPLOAD_BYTES:
                _, dropped = self._uploads.popitem(last=False)
                self._upload_bytes -= len(dropped.data)
        return path

    async def get(self, path: str) -> StoredFile | None:
        """The file at a URL's path."""
        with self._lock:
            if path in self._uploads:
                return self._uploads[path]
        match = re.fullmatch(r"/files/([0-9a-f]{32})/(\d{1,3})\.(\w+)", path, re.ASCII)
        job = self._engine.find(match[1]) if match else None
        if match is None or job is None or job.state != "succeeded":
            return None
        index = int(match[2]) - 1
        if not 0 <= index < job.spec.count or match[3] != job.spec.suffix:
            return None
        return StoredFile(await self.renderer.get(job.spec, index), CONTENT_TYPES[job.spec.suffix])

    async def bytes_at(self, path: str) -> bytes | None:
        file = await self.get(path)
        return file.data if file else None


def file_paths(job: Job) -> list[str]:
    """The URL paths of a job's files."""
    return [f"/files/{job.request_id}/{number}.{job.spec.suffix}" for number in range(1, job.spec.count + 1)]


def file_response(file: StoredFile, range_header: str | None) -> Response:
    """The file, or the part of it that was asked for."""
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, max-age=3600"}
    whole = len(file.data)
    match = _RANGE.fullmatch(range_header.strip()) if range_header else None
    if match is None or not (match[1] or match[2]):
        # A Range in a form that is not known is to be ignored (RFC 9110, 14.2).
        return Response(file.data, media_type=file.content_type, headers=headers)
    start, end = _position(match[1]), _position(match[2])
    if start is None:
        first, last = max(0, whole - (end or 0)), whole - 1
    elif end is not None and end < start:
        return Response(file.data, media_type=file.content_type, headers=headers)
    else:
        first, last = start, whole - 1 if end is None else min(end, whole - 1)
    if first > last:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{whole}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{whole}"
    return Response(file.data[first : last + 1], 206, media_type=file.content_type, headers=headers)


def _position(digits: str) -> int | None:
    """A number in a Range; None if there is none. A number of more than 18 digits is larger than any file."""
    if not digits:
        return None
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= 18 else 10**18
