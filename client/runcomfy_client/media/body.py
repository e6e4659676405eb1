"""The request body as a stream of pieces: JSON around media that turn into base64 while they are sent, not before."""

from __future__ import annotations

import os
from binascii import b2a_base64
from typing import TYPE_CHECKING

from .data_uri import prefix
from .sources import LocalMedia

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A multiple of three, so that the pieces of base64 join without padding; about 64 KiB on the wire.
_PIECE = 48 * 1024


class EncodedBody:
    """The bytes of a body, piece by piece and as often as wanted. ``length`` is their number."""

    __slots__ = ("_parts", "length")

    def __init__(self, parts: list[bytes | LocalMedia]) -> None:
        self._parts = parts
        self.length = sum([len(part) if isinstance(part, bytes) else part.uri_length for part in parts])

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
                continue
            yield prefix(part.info.mime).encode("ascii")
            data = memoryview(part.data)
            for start in range(0, len(data), _PIECE):
                yield b2a_base64(data[start : start + _PIECE], newline=False)

    def __repr__(self) -> str:
        return f"<EncodedBody of {self.length} bytes>"


def encode_body(payload: Mapping[str, object]) -> EncodedBody:
    """A prepared payload as JSON (UTF-8, compact).

    Raises ValueError or TypeError for what JSON cannot carry; a payload that passed the check holds nothing of it.
    """
    import json  # who only makes an input class sends nothing

    mark = f"media-{os.urandom(16).hex()}-"
    media: list[LocalMedia] = []

    def stand_in(value: object) -> str:
        if not isinstance(value, LocalMedia):
            raise TypeError(f"a Python {type(value).__name__} cannot be sent as JSON")
        if not value.readable:
            raise ValueError("it holds a file that could not be read")
        media.append(value)
        return mark

    text = json.dumps(payload, default=stand_in, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    pieces = text.split(mark)
    parts: list[bytes | LocalMedia] = [pieces[0].encode()]
    for medium, piece in zip(media, pieces[1:], strict=True):
        parts += [medium, piece.encode()]
    return EncodedBody(parts)
