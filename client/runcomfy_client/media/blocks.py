"""Reading a file block by block: exactly the requested bytes, or an error that the file ends too soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

# What a walk may cost, in steps of a block or of 512 bytes that are looked through: about a second. That is enough for
# a picture of a gigabyte; a file that needs more is crafted to be slow.
_MOST_STEPS = 5_000_000
_STEP = 512


class BrokenFile(Exception):
    """The file is not what it claims to be; the text says why."""


class OutOfReach(Exception):
    """The file continues, but only its beginning is available, or following it would take too long."""


class Blocks:
    """A stream at a known place. Nothing is read that was not asked for; skipping is free.

    ``size`` is that of the whole file, of which the stream may hold the beginning only.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._steps = _MOST_STEPS
        self.size = size
        self.at = 0
        stream.seek(0)

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes. Raises BrokenFile if there are fewer, OutOfReach if they are not here."""
        end = self.at + count
        if end > self.size:
            raise BrokenFile("is cut off: it ends before its content does")
        self._count_steps(1)
        data = self._stream.read(count)
        if len(data) < count:
            raise OutOfReach
        self.at = end
        return data

    def skip(self, count: int) -> None:
        """Leave ``count`` bytes out. Raises BrokenFile if there are fewer."""
        self.go(self.at + count)

    def go(self, place: int) -> None:
        """Continue at ``place``. Raises BrokenFile if the file ends before it."""
        if place > self.size:
            raise BrokenFile("is cut off: it ends before its content does")
        self.at = place
        self._stream.seek(place)

    def take_some(self, most: int) -> bytes:
        """Up to ``most`` bytes; none at the end. Raises OutOfReach if the file continues beyond the stream."""
        self._count_steps(1 + most // _STEP)
        data = self._stream.read(most)
        if not data and self.at < self.size:
            raise OutOfReach
        self.at += len(data)
        return data

    def _count_steps(self, steps: int) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise OutOfReach
