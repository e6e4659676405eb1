"""Safe names for downloaded files: nothing a server says can lead out of the folder or over another file."""

from __future__ import annotations

import re
from email.message import Message
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 120
# Names that Windows keeps for devices, whatever follows the first dot.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
    "image/svg+xml": "svg",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/quicktime": "mov",
    "video/x-matroska": "mkv",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
}
_SAME = {"jpeg": "jpg", "tif": "tiff", "m4v": "mp4", "oga": "ogg"}


def safe_name(url: str, disposition: str, mime: str, *, fallback: str) -> str:
    """A plain ASCII file name: the server's if it gives one, else from the address; the extension is the content's."""
    stem, extension = _split(_clean(_given_name(disposition)) or _clean(urlsplit(url).path))
    true = _EXTENSIONS.get(mime, "")
    if true and _SAME.get(extension, extension) != true:
        extension = true
    if not stem or _DEVICES.match(stem):
        stem = f"{fallback}_{stem}".rstrip("_")
    ending = f".{extension}" if extension else ""
    return stem[: _LONGEST - len(ending)] + ending


def record_name(request_id: str) -> str:
    """The name of the record beside a job's files: the id, without what file systems refuse."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", request_id).lstrip(".")[:_LONGEST] + ".json"


def numbered(name: str) -> Iterator[str]:
    """The name, then name-2, name-3, ..."""
    stem, extension = _split(name)
    ending = f".{extension}" if extension else ""
    yield name
    number = 1
    while True:
        number += 1
        yield f"{stem}-{number}{ending}"


def _given_name(disposition: str) -> str:
    """The file name of a Content-Disposition header, plain or in RFC 2231's form."""
    message = Message()
    message["Content-Disposition"] = disposition.replace("\r", " ").replace("\n", " ")
    return message.get_filename("") or ""


def _clean(path: str) -> str:
    last = unquote(path).replace("\\", "/").rsplit("/", 1)[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "_", last).strip("._-")


def _split(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    if dot and 1 <= len(suffix) <= 5 and suffix.isalnum():
        return stem.rstrip("."), suffix.lower()
    return name, ""
