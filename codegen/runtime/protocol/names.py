"""Safe names for downloaded files: nothing a server says can lead out of the folder or over another file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = 120
# Names that Windows keeps for devices, whatever follows the first dot.
_DEVICES = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/mp4": ".m4a",
}


def safe_name(url: str, content_type: str, *, fallback: str) -> str:
    """A plain ASCII file name from the address, with an extension that fits what came."""
    last = unquote(urlsplit(url).path).replace("\\", "/").rsplit("/", 1)[-1]
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", last).strip("._-")
    if not name or _DEVICES.match(name):
        name = f"{fallback}_{name}".rstrip("_")
    extension = _EXTENSIONS.get(content_type, "")
    stem, dot, suffix = name.rpartition(".")
    if not dot or not 1 <= len(suffix) <= 5 or not suffix.isalnum():
        stem, suffix = name, ""
    ending = f".{suffix.lower()}" if suffix else extension
    return stem[: _LONGEST - len(ending)] + ending


def unused(folder: Path, name: str, taken: set[str]) -> Path:
    """`name` in `folder`, numbered if that is taken there or by `taken` (names in lower case)."""
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    number = 1
    candidate = name
    while candidate.lower() in taken or (folder / candidate).exists():
        number += 1
        candidate = f"{stem}-{number}{dot}{suffix}"
    taken.add(candidate.lower())
    return folder / candidate
