"""Reads MP4 and QuickTime files: the boxes that describe pictures, sound and length, and whether the last box is whole.

No library does this both lightly and safely: MediaInfo (6 MB) takes minutes or gigabytes over one kilobyte whose
tables claim a billion entries, FFmpeg weighs 36 MB. Nothing here reads a table, so no table can lead it astray.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .blocks import Blocks, BrokenFile, OutOfReach
from .info import whole_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from .info import MediaInfo

# More boxes than any film has in the places that are looked into.
_MOST_BOXES = 10_000


def read_mp4(stream: BinaryIO, info: MediaInfo) -> None:
    """Read an MP4 or QuickTime file and see that it is whole."""
    movie = _Metadata()
    try:
        blocks = Blocks(stream, whole_size(info))
        for name, end in movie.boxes(blocks, blocks.size):
            if name == b"moov":
                _movie(movie, blocks, end)
        movie.check()
    except OutOfReach:
        info.unread = "its measures are not within its first bytes"
    except (BrokenFile, struct.error) as error:
        info.broken = str(error) if isinstance(error, BrokenFile) else "is broken: a box is too short for its content"
    info.width, info.height, info.turned = movie.width, movie.height, movie.turned
    info.duration = movie.duration
    if movie.sound and not movie.pictures:
        info.kind, info.mime = "audio", "audio/mp4"
    elif info.kind == "video" and info.width is None and info.unread is None:
        info.unread = "its header gives no width and height"


class _Metadata:
    """What the boxes of the file say."""

    def __init__(self) -> None:
        self.width: int | None = None
        self.height: int | None = None
        self.turned = False
        self.duration: float | None = None
        self.pictures = False
        self.sound = False
        self._boxes = 0

    def boxes(self, blocks: Blocks, end: int) -> Iterator[tuple[bytes, int]]:
        """The names and ends of the boxes from here to ``end``; the stream stands at the content of each."""
        while blocks.at + 8 <= end:
            start = blocks.at
            size, name = struct.unpack(">I4s", blocks.take(8))
            if size == 1:
                (size,) = struct.unpack(">Q", blocks.take(8))
            elif size == 0:
                size = end - start
            self._boxes += 1
            if size < blocks.at - start or start + size > end < blocks.size or self._boxes > _MOST_BOXES:
                raise BrokenFile("is broken: its boxes do not fit into each other")
            # A box that ends behind the file is found to be cut off by the step to its end, after it was looked into.
            yield name, start + size
            blocks.go(start + size)

    def check(self) -> None:
        if not self.pictures and not self.sound:
            raise BrokenFile("is broken or cut off: it holds neither pictures nor sound")


def _movie(movie: _Metadata, blocks: Blocks, end: int) -> None:
    for name, inner in movie.boxes(blocks, end):
        if name == b"mvhd":
            movie.duration = _duration(blocks.take(min(inner - blocks.at, 32)))
        elif name == b"trak":
            _track(movie, blocks, inner)


def _track(movie: _Metadata, blocks: Blocks, end: int) -> None:
    head = b""
    for name, inner in movie.boxes(blocks, end):
        if name == b"tkhd":
            head = blocks.take(min(inner - blocks.at, 96))
        elif name == b"mdia":
            kind, entry = _media(movie, blocks, inner)
            movie.sound = movie.sound or kind == b"soun"
            if kind == b"vide" and not movie.pictures:
                movie.pictures = True
                _picture(movie, head, entry)


def _media(movie: _Metadata, blocks: Blocks, end: int) -> tuple[bytes, bytes]:
    """The kind of a track, and the beginning of its first sample entry."""
    kind, entry = b"", b""
    for name, inner in movie.boxes(blocks, end):
        if name == b"hdlr":
            kind = blocks.take(12)[8:]
        elif name == b"minf":
            for part, part_end in movie.boxes(blocks, inner):
                if part == b"stbl":
                    for table, table_end in movie.boxes(blocks, part_end):
                        if table == b"stsd":
                            entry = blocks.take(min(table_end - blocks.at, 44))
    return kind, entry


def _picture(movie: _Metadata, head: bytes, entry: bytes) -> None:
    """The measures of the pictures as stored (sample entry), else as shown (track header), and if they are turned."""
    width, height = struct.unpack(">HH", entry[40:44]) if len(entry) >= 44 else (0, 0)
    if len(head) >= 84:
        start = 52 if head[0] == 1 else 40
        m11, _, _, _, m22 = struct.unpack(">5i", head[start : start + 20])
        movie.turned = m11 == 0 and m22 == 0
        if not width or not height:
            sides = struct.unpack(">II", head[start + 36 : start + 44])
            width, height = sides[0] >> 16, sides[1] >> 16
    if width and height:
        movie.width, movie.height = width, height


def _duration(head: bytes) -> float | None:
    """The length in seconds; a film in fragments has none here."""
    scale, length = struct.unpack(">IQ", head[20:32]) if head[:1] == b"\x01" else struct.unpack(">II", head[12:20])
    return length / scale if scale and length and length not in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF) else None
