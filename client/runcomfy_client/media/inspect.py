"""Reads what the rules need off a file: its first bytes say which reader is asked; no reader decodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .facts import Facts
from .kinds import HEAD, sniff

if TYPE_CHECKING:
    from typing import BinaryIO


def inspect(stream: BinaryIO, size: int | None) -> Facts:
    """The facts of a file of ``size`` bytes; bad content never raises.

    The stream must be seekable. It may hold no more than the beginning of the file: then what lies behind it stays
    unread, and counts neither as missing nor as broken. A size of None is one that is not known.
    """
    stream.seek(0)
    head = stream.read(HEAD)
    kind, mime = sniff(head)
    facts = Facts(kind, mime, size)
    if size == 0:
        facts.broken = "is empty"
    elif kind is None:
        facts.unread = "its kind is not known here"
    elif kind != "document":
        _read(stream, facts)
    return facts


def _read(stream: BinaryIO, facts: Facts) -> None:
    if facts.mime in ("image/png", "image/jpeg", "image/gif", "image/webp"):
        from .images import read_image

        read_image(stream, facts)
    elif facts.kind == "image":
        from .images import read_other_image

        read_other_image(stream, facts)
    elif facts.mime in ("video/mp4", "video/quicktime", "audio/mp4"):
        from .mp4 import read_boxes

        read_boxes(stream, facts)
    elif facts.kind == "audio":
        from .sounds import read_sound

        read_sound(stream, facts)
    else:
        facts.unread = f"the header of this kind ({facts.mime}) is not read here"
