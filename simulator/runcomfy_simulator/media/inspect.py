"""What a medium is, judged by its content: kind, pixels, bytes."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import av
from PIL import Image, UnidentifiedImageError


@dataclass(frozen=True, slots=True)
class Facts:
    """`width` and `height` are in pixels, 0 for a sound."""

    kind: str
    content_type: str
    size: int
    width: int = 0
    height: int = 0


def look(data: bytes) -> Facts | None:
    """The facts of a medium; None if it is no image, video or sound that can be read."""
    return _image(data) or _stream(data)


def _image(data: bytes) -> Facts | None:
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as image:
            warnings.simplefilter("ignore")  # only the header is read, so a decompression bomb is no danger
            kind = Image.MIME.get(image.format or "", "image/unknown")
            return Facts("image", kind, len(data), *image.size)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        return None


def _stream(data: bytes) -> Facts | None:
    try:
        with av.open(io.BytesIO(data), mode="r") as container:
            names = container.format.name.split(",")
            if container.streams.video:
                codec = container.streams.video[0].codec_context
                return Facts("video", _type("video", names), len(data), codec.width, codec.height)
            if container.streams.audio:
                return Facts("audio", _type("audio", names), len(data))
    except (av.FFmpegError, OSError, ValueError, IndexError):
        return None
    return None


def _type(kind: str, names: list[str]) -> str:
    known = {
        "mov": "mp4",
        "matroska": "webm",
        "mp3": "mpeg",
        "wav": "wav",
        "ogg": "ogg",
        "flac": "flac",
        "aac": "aac",
        "avi": "x-msvideo",
    }
    return f"{kind}/{next((known[name] for name in names if name in known), names[0])}"
