"""Media on their way in: what a field takes, how it is read and measured, how it travels."""

from __future__ import annotations

from .body import EncodedBody, encode_body
from .facts import Facts
from .sources import AudioInput, ImageInput, LocalMedia, UnusableMedia, VideoInput, load, measure

__all__ = [
    "AudioInput",
    "EncodedBody",
    "Facts",
    "ImageInput",
    "LocalMedia",
    "UnusableMedia",
    "VideoInput",
    "encode_body",
    "load",
    "measure",
]
