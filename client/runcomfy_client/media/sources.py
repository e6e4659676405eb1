"""Local media: a path, bytes, an open file or a PIL image, read once and sent as a data: URI.

What was checked is what is sent: ``load`` reads the whole of it into memory, identifies it by its content, and the
payload carries that LocalMedia until the body is encoded. ``read_info`` reads only what a check needs.
"""

from __future__ import annotations

import io
import os
import stat
from base64 import b64encode
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from ..schema.messages import megabytes
from .data_uri import prefix, uri_length
from .inspect import inspect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from typing import BinaryIO, TypeAlias

    from PIL.Image import Image

    from .info import MediaInfo

# A data: URI travels within one JSON text; a larger one does not fit into memory.
MOST_BYTES = 1024 * 1024 * 1024


class UnusableMedia(Exception):
    """The value cannot be read at all; the text says why and what to do."""


class LocalMedia:
    """A media file in memory, with what its content says.

    ``data`` is the whole file, ``info`` what is known of it, ``name`` where it came from, for messages. It stands
    in a payload where the wire has a ``data:`` URI. ``readable`` is False on the stand-in for a file that could not be
    read.
    """

    __slots__ = ("data", "info", "name", "readable")

    def __init__(self, data: bytes, info: MediaInfo, name: str = "", *, readable: bool = True) -> None:
        self.data = data
        self.info = info
        self.name = name
        self.readable = readable

    @property
    def uri_length(self) -> int:
        """The length of ``data_uri()`` in characters, known without making it."""
        return uri_length(self.info.mime, len(self.data))

    def data_uri(self) -> str:
        """The whole data: URI. For large files ``encode_body`` is the way that needs less memory."""
        return prefix(self.info.mime) + b64encode(self.data).decode("ascii")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalMedia) and (self.info.mime, self.data) == (other.info.mime, other.data)

    def __hash__(self) -> int:
        return hash((self.info.mime, self.data))

    def __repr__(self) -> str:
        name = f" {self.name}" if self.name else ""
        return f"<LocalMedia{name} {self.info.mime} {self.info.summary}>"

    def __reduce__(self) -> tuple[object, ...]:
        return _unpickle, (self.data, self.name)


def is_local(value: object) -> bool:
    """Whether this is something ``load`` knows how to read."""
    return (
        isinstance(value, (LocalMedia, bytes, bytearray, memoryview, os.PathLike))
        or hasattr(value, "read")
        or _is_picture(value)
    )


def load(value: object) -> LocalMedia:
    """Read a path, bytes, an open binary file or a PIL image, once and whole. Raises UnusableMedia."""
    if isinstance(value, LocalMedia):
        return value
    with _open(value) as (stream, name):
        size = _checked_size(stream)
        data = stream.getvalue() if isinstance(stream, io.BytesIO) else stream.read(size)
    return LocalMedia(data, _with_name(inspect(io.BytesIO(data), len(data)), name), name)


def read_info(value: object) -> MediaInfo:
    """What is known of it, without loading it: of a large file only some parts are read. Raises UnusableMedia."""
    if isinstance(value, LocalMedia):
        return value.info
    with _open(value) as (stream, name):
        size = _checked_size(stream)
        return _with_name(inspect(stream, size), name)


@contextmanager
def _open(value: object) -> Iterator[tuple[BinaryIO, str]]:
    """A seekable stream of the value, at its beginning, and a name for it."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        yield io.BytesIO(value), ""
    elif isinstance(value, os.PathLike):
        yield from _opened_path(value)
    elif _is_picture(value):
        yield io.BytesIO(_encode(value)), "a PIL image"  # type: ignore[arg-type]  # _is_picture has looked
    else:
        yield from _opened_file(value)


def _opened_path(path: os.PathLike[str]) -> Iterator[tuple[BinaryIO, str]]:
    name = os.fsdecode(path)
    try:
        # Without waiting: a named pipe that nobody writes to would block the check.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:  # noqa: PTH123  # a handle is no path
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise UnusableMedia(f"{name!r} is not a file")
            yield file, name
    except (OSError, ValueError) as error:
        home = "; ~ is not expanded here, use pathlib's expanduser()" if name.startswith("~") else ""
        raise UnusableMedia(f"cannot read {name!r}: {getattr(error, 'strerror', None) or error}{home}") from error


def _opened_file(file: object) -> Iterator[tuple[BinaryIO, str]]:
    """An open file is read from where it stands and left there, so that it can be checked and then sent."""
    name = getattr(file, "name", "")
    name = name if isinstance(name, str) else ""
    try:
        start = file.tell() if _seekable(file) else None  # type: ignore[attr-defined]  # is_local has looked
        data = file.read(MOST_BYTES + 1)  # type: ignore[attr-defined]  # is_local has looked
        if start is not None:
            file.seek(start)  # type: ignore[attr-defined]  # is_local has looked
    except (OSError, ValueError) as error:
        raise UnusableMedia(
            f"cannot read the open file {name!r}: {getattr(error, 'strerror', None) or error}"
        ) from error
    if not isinstance(data, (bytes, bytearray)):
        raise UnusableMedia('the file is open as text; open it as binary: open(..., "rb")')
    yield io.BytesIO(data), name


def _seekable(file: object) -> bool:
    seekable = getattr(file, "seekable", None)
    return bool(seekable()) if callable(seekable) else False


def _is_picture(value: object) -> bool:
    # By name, so that Pillow is not loaded for a value that cannot be one of its pictures.
    return any(kind.__module__ == "PIL.Image" and kind.__name__ == "Image" for kind in type(value).__mro__)


def _encode(picture: Image) -> bytes:
    """A PIL image as PNG. Raises UnusableMedia, also for one whose file is closed or truncated."""
    try:
        return _png(picture)
    except (OSError, ValueError, MemoryError) as error:
        raise UnusableMedia(f"the PIL image cannot be read: {error}") from error


def _png(picture: Image) -> bytes:
    """A PIL image without loss; modes that PNG does not know become RGB or RGBA. Raises UnusableMedia."""
    packed = io.BytesIO()
    if not picture.width or not picture.height:
        raise UnusableMedia("the PIL image is empty")
    if picture.mode in ("F", "I") and not _in_range(picture):
        raise UnusableMedia(
            f"the PIL image has mode {picture.mode!r} and its numbers are not shades from 0 to 255; scale them, and"
            ' convert it to "L"'
        )
    if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        picture = picture.convert("RGBA" if picture.mode in ("RGBa", "PA") else "RGB")
    # The fastest packing that still packs: pictures of noise grow by a few per cent, the time falls to a third.
    picture.save(packed, "PNG", compress_level=3)
    return packed.getvalue()


def _in_range(picture: Image) -> bool:
    """Whether plain numbers are shades: what is above 255 would become white, and all within 0 to 1 black."""
    low, high = picture.getextrema()
    return low >= 0 and high <= 255 and not (picture.mode == "F" and 0 < high <= 1)  # type: ignore[operator]


def _checked_size(stream: BinaryIO) -> int:
    size = stream.seek(0, os.SEEK_END)
    if size > MOST_BYTES:
        raise UnusableMedia(f"is {megabytes(size)}, too large to be sent within a request; give an https:// URL of it")
    stream.seek(0)
    return size


def _with_name(info: MediaInfo, name: str) -> MediaInfo:
    """An unknown content is labelled by its name, which is better than nothing; its kind stays unknown."""
    if info.kind is None and name:
        from mimetypes import guess_type

        info.mime = guess_type(name)[0] or info.mime
    return info


def _unpickle(data: bytes, name: str) -> LocalMedia:
    return LocalMedia(data, _with_name(inspect(io.BytesIO(data), len(data)), name), name)


if TYPE_CHECKING:

    ImageInput: TypeAlias = str | PathLike[str] | bytes | BinaryIO | LocalMedia | Image
    VideoInput: TypeAlias = str | PathLike[str] | bytes | BinaryIO | LocalMedia
    AudioInput: TypeAlias = str | PathLike[str] | bytes | BinaryIO | LocalMedia
else:

    class _MediaSchema:
        """Tells pydantic that a media field holds what it was given, and JSON Schema that the wire has a string."""

        def __init__(self, format: str) -> None:
            self.format = format

        def __get_pydantic_core_schema__(self, source: object, handler: object) -> Any:
            from pydantic_core import core_schema

            serializer = core_schema.plain_serializer_function_ser_schema(_wire_text, when_used="json")
            return core_schema.any_schema(serialization=serializer)

        def __get_pydantic_json_schema__(self, schema: object, handler: object) -> dict[str, str]:
            return {"type": "string", "format": self.format}

    def _wire_text(value: object) -> object:
        data_uri = getattr(value, "data_uri", None)
        return data_uri() if callable(data_uri) else value

    ImageInput = Annotated[Any, _MediaSchema("image_uri")]
    VideoInput = Annotated[Any, _MediaSchema("video_uri")]
    AudioInput = Annotated[Any, _MediaSchema("audio_uri")]
