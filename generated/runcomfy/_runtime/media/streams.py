"""Reads the headers of videos, sounds and pictures in MP4 boxes with MediaInfo, which decodes nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from pymediainfo import Track

    from .facts import Facts

__all__ = ["read_stream"]

# MediaInfo reads heads and tails; a file that leads it around in circles is given up after this much.
_MOST_BYTES = 64 * 1024 * 1024
_MOST_READS = 4096


class _GivenUp(Exception):
    """The file made its reader read far more than any header takes."""


def read_stream(stream: BinaryIO, facts: Facts) -> None:
    """Measure a file of sounds or moving pictures."""
    try:
        from pymediainfo import MediaInfo

        tracks = MediaInfo.parse(_Bounded(stream)).tracks
    except (ImportError, OSError) as fault:
        facts.unread = f"the MediaInfo library cannot be loaded here ({type(fault).__name__})"
    except _GivenUp:
        facts.broken = "is broken: its blocks lead around in circles"
    except Exception as fault:  # noqa: BLE001  # a hostile file makes a reader raise anything
        facts.unread = f"its header cannot be read: {type(fault).__name__}"
    else:
        _note(tracks, facts)


def _note(tracks: Iterable[Track], facts: Facts) -> None:
    by_kind: dict[str, Track] = {}
    for track in tracks:
        by_kind.setdefault(track.track_type, track)
    general = by_kind.get("General")
    picture = by_kind.get("Video") or by_kind.get("Image")
    sound = by_kind.get("Audio")
    if general is not None and general.istruncated == "Yes":
        facts.broken = "is cut off: it ends before its content does"
    if facts.kind == "image":
        pass
    elif picture is None and sound is not None:
        facts.kind = "audio"
        facts.mime = facts.mime.replace("video/", "audio/", 1)
    elif picture is not None and facts.mime == "audio/ogg":
        facts.kind, facts.mime = "video", "video/ogg"
    elif picture is None and not facts.broken:
        facts.broken = "is broken: it holds neither pictures nor sound"
    shown = picture if facts.kind != "audio" else None  # the cover of a song is no picture of a video
    if shown is not None:
        facts.width, facts.height = _whole(shown.width), _whole(shown.height)
        facts.turned = _number(shown.rotation) in (90.0, 270.0)
    length = _number(general.duration) if general is not None else None
    facts.duration = length / 1000 if length is not None else None
    if facts.kind != "audio" and (facts.width is None or facts.height is None):
        facts.unread = "its header gives no width and height"


def _number(text: object) -> float | None:
    try:
        return abs(float(str(text)))
    except ValueError:
        return None


def _whole(text: object) -> int | None:
    number = _number(text)
    return int(number) if number else None


class _Bounded:
    """The stream as MediaInfo reads it, with an end to its patience."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._reads = _MOST_READS
        self._bytes = _MOST_BYTES

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, count: int) -> bytes:
        self._reads -= 1
        data = self._stream.read(count)
        self._bytes -= len(data)
        if self._reads < 0 or self._bytes < 0:
            raise _GivenUp
        return data
