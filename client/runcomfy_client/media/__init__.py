"""Media on their way in: what a field takes, how it is read and checked, how it is sent."""

from __future__ import annotations

from .body import EncodedBody, encode_body
from .info import MediaInfo
from .sources import AudioInput, ImageInput, LocalMedia, UnusableMedia, VideoInput, load, read_info

__all__ = [
    "AudioInput",
    "EncodedBody",
    "ImageInput",
    "LocalMedia",
    "MediaInfo",
    "UnusableMedia",
    "VideoInput",
    "encode_body",
    "load",
    "read_info",
]
