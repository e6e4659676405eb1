"""Reads what the media rules need off a file: its first bytes say which reader is asked; no reader decodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .images import read_image, read_other_image
from .info import MediaInfo
from .kinds import HEAD, sniff
from .mp4 import read_mp4
from .sounds import read_sound

if TYPE_CHECKING:
    from typing import BinaryIO

_SCANNED_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_MP4 = ("video/mp4", "video/quicktime", "audio/mp4")


def inspect(stream: BinaryIO, size: int | None) -> MediaInfo:
    """What the content of a file of ``size`` bytes says; bad content never raises.

    The stream must be seekable. It may hold no more than the beginning of the file: what lies behind it stays unread,
    and counts neither as missing nor as broken. A size of None is one that is not known.
    """
    stream.seek(0)
    kind, mime = sniff(stream.read(HEAD))
    info = MediaInfo(kind, mime, size)
    if size == 0:
        info.broken = "is empty"
    elif kind is None:
        info.unread = "its kind is not known here"
    elif mime in _SCANNED_IMAGES:
        read_image(stream, info)
    elif kind == "image":
        read_other_image(stream, info)
    elif mime in _MP4:
        read_mp4(stream, info)
    elif kind == "audio":
        read_sound(stream, info)
    elif kind != "document":
        info.unread = f"the header of this kind ({mime}) is not read here"
    return info
