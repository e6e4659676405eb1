"""A reply's body as the server meant it, decompressed in small pieces, so that a limit can be kept.

httpx decompresses whatever a server names in `Content-Encoding`, each network chunk in one go: with two encodings
stacked, two kilobytes become two gigabytes in memory before anybody can count them. Here one encoding is accepted, one
that was asked for, and no piece is larger than `PIECE`.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from .steps import TransportFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

# What requests ask for and replies may use.
ACCEPTED = "gzip, deflate"
PIECE = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Decoder:
    """Decompresses one reply's body."""

    def __init__(self, content_encoding: str) -> None:
        """Raises TransportFailure for an encoding that is not accepted."""
        encoding = content_encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            name = content_encoding.strip()[:60]
            raise TransportFailure(f"the reply is compressed as {name!r}; accepted is one of {ACCEPTED}")
        self._gzip = encoding.endswith("gzip")
        self._deflate = encoding == "deflate"
        self._zlib = zlib.decompressobj(_GZIP) if self._gzip else None
        self._begun = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What these bytes of the body stand for."""
        if not self._gzip and not self._deflate:
            if data:
                yield data
            return
        try:
            yield from self._inflate(data)
        except zlib.error as error:
            raise TransportFailure(f"the reply's compressed data is broken: {error}") from None

    def finish(self) -> None:
        """The body is at its end. Raises TransportFailure if the compressed data is not."""
        if self._begun and self._zlib is not None and not self._zlib.eof:
            raise TransportFailure("the reply ends within its compressed data")

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        while data:
            self._begun = True
            if self._zlib is None:
                self._zlib = self._deflater(data)
            elif self._zlib.eof:
                if not self._gzip or not data.startswith(b"\x1f"):
                    return  # padding after the end
                self._zlib = zlib.decompressobj(_GZIP)  # a gzip file may have several members
            piece = self._zlib.decompress(data, PIECE)
            data = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            if piece:
                yield piece

    def _deflater(self, data: bytes) -> zlib._Decompress:
        """Servers use either of two formats for deflate; the first byte shows which."""
        return zlib.decompressobj() if data[0] & 0x0F == 8 else zlib.decompressobj(-zlib.MAX_WBITS)
