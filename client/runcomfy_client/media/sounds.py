"""Sound files: their length with tinytag; a WAV, or an MP3 that states its own size, must be all there.

tinytag looks for the next frame byte by byte, so a file of padding costs it half a second a megabyte: it may read a
bounded number of times, and a length that is not found by then is not known. No rule needs it.
"""

from __future__ import annotations

import io
import os
import struct
from typing import TYPE_CHECKING, cast

from .blocks import Blocks, BrokenFile, OutOfReach
from .info import whole_size

if TYPE_CHECKING:
    from typing import BinaryIO

    from .info import MediaInfo

# The length that a program writes into a pipe, where it does not know the real one: such a file is complete.
_UNKNOWN_LENGTHS = (0, 0x7FFFFFFF, 0x7FFFF000, 0xFFFFFFFF)


# tinytag reads once a frame it looks at, and once a byte where it looks for one.
_MOST_READS = 200_000


def read_sound(stream: BinaryIO, info: MediaInfo) -> None:
    """Read a sound file, as far as tinytag reads it."""
    try:
        if info.mime == "audio/wav":
            _wav(Blocks(stream, whole_size(info)))
        elif info.mime == "audio/mpeg":
            _mp3(Blocks(stream, whole_size(info)))
    except BrokenFile as error:
        info.broken = str(error)
        return
    except OutOfReach:
        return
    from tinytag import TinyTag

    stream.seek(0)
    try:
        length = TinyTag.get(file_obj=cast("BinaryIO", _Bounded(stream)), tags=False).duration
    except Exception:  # noqa: BLE001  # a hostile file makes a reader raise anything; no rule needs the length
        return
    info.duration = length if length and length > 0 else None


class _Bounded(io.BufferedIOBase):
    """A file that may be read a bounded number of times."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = _MOST_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise OSError("looked for too long")
        return self._stream.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def _mp3(blocks: Blocks) -> None:
    """See that an MP3 has all the bytes its first frame states, if it does (the Xing header of most encoders)."""
    head = blocks.take(10)
    start = 0
    if head[:3] == b"ID3":
        start = 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
    blocks.go(start)
    frame = blocks.take_some(64)
    place = max(frame.find(b"Xing"), frame.find(b"Info"))
    if place < 0 or len(frame) < place + 16 or not frame[place + 7] & 2:
        return
    # The number of bytes follows the number of frames, where that is given.
    at = place + (12 if frame[place + 7] & 1 else 8)
    blocks.go(start + int.from_bytes(frame[at : at + 4], "big"))


def _wav(blocks: Blocks) -> None:
    """See that a WAV has a format and all of its samples."""
    blocks.skip(12)
    formatted = False
    while True:
        name, length = struct.unpack("<4sI", blocks.take(8))
        if name == b"fmt ":
            formatted = True
        if name == b"data":
            if not formatted:
                raise BrokenFile("is broken: its samples come before their format")
            if length not in _UNKNOWN_LENGTHS:
                blocks.skip(length)
            return
        blocks.skip(length + (length & 1))
