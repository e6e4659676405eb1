"""What a file is, by its content: kind, size in pixels and bytes, length."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import av
from PIL import Image, UnidentifiedImageError

# Only containers that hold their own data. FFmpeg also knows formats that name other files and hosts (SDP, HLS,
# concat), and would read those.
_CONTAINERS = {
    "mov,mp4,m4a,3gp,3g2,mj2": "mp4",
    "matroska,webm": "webm",
    "avi": "x-msvideo",
    "mpegts": "mp2t",
    "mpeg": "mpeg",
    "flv": "x-flv",
    "mp3": "mpeg",
    "wav": "wav",
    "ogg": "ogg",
    "flac": "flac",
    "aac": "aac",
    "aiff": "aiff",
}


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """`width` and `height` are in pixels, 0 for a sound; `seconds` is 0 for an image and where it is not known.

    `sound` says whether a video has a sound track.
    """

    kind: str
    content_type: str
    size: int
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    sound: bool = False


def probe(data: bytes) -> MediaInfo | None:
    """What a file is; None if it is no image, video or sound that can be read."""
    return _probe_image(data) or _probe_container(data)


def _probe_image(data: bytes) -> MediaInfo | None:
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as image:
            warnings.simplefilter("ignore")  # only the header is read, so a decompression bomb is no danger
            content_type = Image.MIME.get(image.format or "", "image/unknown")
            return MediaInfo("image", content_type, len(data), *image.size)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError, OverflowError):
        return None


def _probe_container(data: bytes) -> MediaInfo | None:
    options = {"format_whitelist": ",".join(_CONTAINERS), "protocol_whitelist": "none"}
    try:
        with av.open(io.BytesIO(data), mode="r", options=options) as container:
            subtype = _CONTAINERS.get(container.format.name, container.format.name)
            seconds = (container.duration or 0) / av.time_base
            if container.streams.video:
                codec = container.streams.video[0].codec_context
                sound = bool(container.streams.audio)
                return MediaInfo(
                    "video", f"video/{subtype}", len(data), codec.width, codec.height, seconds, sound=sound
                )
            if container.streams.audio:
                return MediaInfo("audio", f"audio/{subtype}", len(data), seconds=seconds)
    except (av.FFmpegError, OSError, ValueError, IndexError):
        return None
    return None
