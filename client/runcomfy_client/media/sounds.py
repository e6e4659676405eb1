"""Reads sound files: their length with tinytag; a WAV, or an MP3 that tells its own size, must be all there."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .blocks import Blocks, BrokenFile, OutOfReach
from .facts import whole_size

if TYPE_CHECKING:
    from typing import BinaryIO

    from .facts import Facts

# What a program writes that does not know the length yet: sent through a pipe, the file is whole nevertheless.
_NOT_KNOWN = (0, 0x7FFFFFFF, 0x7FFFF000, 0xFFFFFFFF)


def read_sound(stream: BinaryIO, facts: Facts) -> None:
    """Measure a sound file, as far as tinytag reads it."""
    try:
        if facts.mime == "audio/wav":
            _wav(Blocks(stream, whole_size(facts)))
        elif facts.mime == "audio/mpeg":
            _mp3(Blocks(stream, whole_size(facts)))
    except BrokenFile as fault:
        facts.broken = str(fault)
        return
    except OutOfReach:
        return
    from tinytag import TinyTag

    stream.seek(0)
    try:
        length = TinyTag.get(file_obj=stream, tags=False).duration
    except Exception:  # noqa: BLE001  # a hostile file makes a reader raise anything; no rule needs the length
        return
    facts.duration = length if length and length > 0 else None


def _mp3(blocks: Blocks) -> None:
    """See that an MP3 has all the bytes its first frame tells of, if it does (the Xing header of most encoders)."""
    head = blocks.take(10)
    start = 0
    if head[:3] == b"ID3":
        start = 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
    blocks.go(start)
    frame = blocks.some(64)
    place = max(frame.find(b"Xing"), frame.find(b"Info"))
    if place < 0 or len(frame) < place + 16 or not frame[place + 7] & 2:
        return
    # The number of bytes follows the number of frames, where that is told.
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
            if length not in _NOT_KNOWN:
                blocks.skip(length)
            return
        blocks.skip(length + (length & 1))
