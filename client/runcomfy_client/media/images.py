"""Pictures: their pixels, their orientation, and whether the file is whole.

PNG, JPEG, GIF and WebP are walked block by block, without decoding. A header reader such as Pillow's stops before the
pixels, so it takes a truncated file for a good one; decoding would find out, at the price of the memory and the time
that a decompression bomb is after. Other kinds are measured by Pillow, as far as it reads them.
"""

from __future__ import annotations

import re
import struct
import warnings
from typing import TYPE_CHECKING

from .blocks import Blocks, BrokenFile, OutOfReach
from .info import whole_size

if TYPE_CHECKING:
    from typing import BinaryIO

    from PIL.ImageFile import ImageFile

    from .info import MediaInfo

_ORIENTATION = 0x0112
_QUARTER_TURNS = (5, 6, 7, 8)
# Beyond this decoders stop (Pillow's own limit for an error), unless there is at least as much file as a photo needs.
_BOMB_PIXELS = 178_956_970
_PIXELS_PER_BYTE = 50


def read_image(stream: BinaryIO, info: MediaInfo) -> None:
    """Read a PNG, JPEG, GIF or WebP and see that it is whole."""
    scan = _Scan()
    try:
        walk(info.mime, Blocks(stream, whole_size(info)), scan)
    except BrokenFile as error:
        info.broken = str(error)
    except OutOfReach:
        if not scan.width:
            info.unread = "its measures are not within its first bytes"
            return
    info.width, info.height = scan.width or None, scan.height or None
    info.turned = _is_turned(scan)
    if info.broken is None:
        _check_size(info)


def read_other_image(stream: BinaryIO, info: MediaInfo) -> None:
    """Measure a picture of another kind with Pillow, as far as Pillow reads it."""
    from PIL import Image, UnidentifiedImageError

    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; their size is checked below
            picture: ImageFile = Image.open(stream)
            info.width, info.height = picture.size
    except Image.DecompressionBombError:
        info.broken = "is a decompression bomb: its header claims more pixels than any decoder takes"
    except UnidentifiedImageError:
        info.unread = f"the header of this kind ({info.mime}) is not read here"
    except Exception as error:  # noqa: BLE001  # a hostile file makes a reader raise anything
        info.unread = f"its header cannot be read: {type(error).__name__}"


def _check_size(info: MediaInfo) -> None:
    if not info.width or not info.height:
        info.broken = "is broken: its header gives no width or no height"
        return
    pixels = info.width * info.height
    if pixels > _BOMB_PIXELS and whole_size(info) * _PIXELS_PER_BYTE < pixels:
        info.broken = f"is a decompression bomb: {info.size} bytes that claim to be {info.width} x {info.height} pixels"


def _is_turned(scan: _Scan) -> bool:
    if scan.exif is None:
        return False
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(scan.exif)
        return exif.get(_ORIENTATION) in _QUARTER_TURNS
    except Exception:  # noqa: BLE001  # a hostile block makes a reader raise anything; without one nothing is turned
        return False


_LONGEST_EXIF = 1024 * 1024
_CHUNK = 64 * 1024
# Deflate never packs tighter than this, so fewer bytes cannot hold the pixels a header claims.
_DEFLATE_LIMIT = 1032


class _Scan:
    """What a walk finds, as far as it gets."""

    __slots__ = ("exif", "height", "width")

    def __init__(self) -> None:
        self.width = 0
        self.height = 0
        self.exif: bytes | None = None


def walk(mime: str, blocks: Blocks, scan: _Scan) -> None:
    """Walk over a PNG, JPEG, GIF or WebP. Raises BrokenFile, or OutOfReach where only the beginning is here."""
    walkers = {"image/png": _png, "image/jpeg": _jpeg, "image/gif": _gif, "image/webp": _webp}
    walkers[mime](blocks, scan)


def _png(blocks: Blocks, scan: _Scan) -> None:
    blocks.skip(8)
    packed, bits = 0, 0
    while True:
        length, name = struct.unpack(">I4s", blocks.take(8))
        if not scan.width:
            if name != b"IHDR" or length != 13:
                raise BrokenFile("is broken: a PNG begins with its header, and this does not")
            scan.width, scan.height, depth, colour = struct.unpack(">IIBB", blocks.take(10))
            bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
            blocks.skip(3 + 4)
            if not scan.width:
                raise BrokenFile("is broken: its header gives no width")
            continue
        if name == b"eXIf" and length <= _LONGEST_EXIF:
            scan.exif = b"Exif\0\0" + blocks.take(length)
            blocks.skip(4)
        else:
            blocks.skip(length + 4)
        if name == b"IDAT":
            packed += length
        if name == b"IEND":
            break
    needed = scan.height * (scan.width * bits // 8)
    if packed * _DEFLATE_LIMIT < needed:
        raise BrokenFile(
            f"is broken: its header claims {scan.width} x {scan.height} pixels, "
            f"more than its {packed} bytes can hold"
        )


# After a scan begins only these bytes may follow 0xFF: a stuffed zero, a restart mark, padding. Anything else ends it.
_SCAN_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def _jpeg(blocks: Blocks, scan: _Scan) -> None:
    blocks.skip(2)
    scanned = False
    while True:
        mark, code = blocks.take(2)
        while code == 0xFF:
            code = blocks.take(1)[0]
        if mark != 0xFF:  # bytes between two blocks are against the rules, and every decoder skips them
            _skip_scan(blocks)
            continue
        if code == 0xD9:
            break
        if code == 0x01 or 0xD0 <= code <= 0xD8:
            continue
        (length,) = struct.unpack(">H", blocks.take(2))
        if length < 2:
            raise BrokenFile("is broken: a JPEG's block has no length")
        if code in _FRAMES and length >= 7:
            _, scan.height, scan.width = struct.unpack(">BHH", blocks.take(5))
            blocks.skip(length - 7)
        elif code == 0xE1 and scan.exif is None:
            data = blocks.take(length - 2)
            scan.exif = data if data.startswith(b"Exif\0\0") else None
        else:
            blocks.skip(length - 2)
        if code == 0xDA:
            scanned = True
            _skip_scan(blocks)
    if not scanned:
        raise BrokenFile("is broken: it ends before its first pixel")


def _skip_scan(blocks: Blocks) -> None:
    """Go to the mark that ends the scan."""
    start, carried = blocks.at, b""
    while data := blocks.take_some(_CHUNK):
        window = carried + data
        end = _SCAN_END.search(window)
        if end:
            blocks.at = start
            blocks.skip(end.start())
            return
        carried = window[-1:]
        start += len(window) - len(carried)
    raise BrokenFile("is cut off: it ends before its content does")


def _gif(blocks: Blocks, scan: _Scan) -> None:
    blocks.skip(6)
    scan.width, scan.height, flags = struct.unpack("<HHB2x", blocks.take(7))
    _skip_palette(blocks, flags)
    frames = 0
    while True:
        kind = blocks.take_some(1)
        if kind == b";" or (not kind and frames):  # many writers forget the mark at the end
            break
        if kind == b",":
            frames += 1
            _skip_palette(blocks, blocks.take(9)[8])
            blocks.skip(1)
        elif kind == b"!":
            blocks.skip(1)
        else:
            raise BrokenFile("is broken: a GIF's block does not begin where the one before ends")
        while length := blocks.take(1)[0]:
            blocks.skip(length)
    if not frames:
        raise BrokenFile("is broken: it holds no picture")


def _skip_palette(blocks: Blocks, flags: int) -> None:
    if flags & 0x80:
        blocks.skip(3 << (flags & 7) + 1)


def _webp(blocks: Blocks, scan: _Scan) -> None:
    _, size, _ = struct.unpack("<4sI4s", blocks.take(12))
    pictures = 0
    while blocks.at + 8 <= size + 8:
        name, length = struct.unpack("<4sI", blocks.take(8))
        start = blocks.at
        if name == b"VP8X" and length >= 10:
            sides = blocks.take(10)
            scan.width = int.from_bytes(sides[4:7], "little") + 1
            scan.height = int.from_bytes(sides[7:10], "little") + 1
        elif name == b"VP8L" and length >= 5:
            pictures += 1
            packed = int.from_bytes(blocks.take(5)[1:], "little")
            _first(scan, (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1)
        elif name == b"VP8 " and length >= 10:
            pictures += 1
            width, height = struct.unpack("<HH", blocks.take(10)[6:])
            _first(scan, width & 0x3FFF, height & 0x3FFF)
        elif name == b"EXIF" and length <= _LONGEST_EXIF:
            data = blocks.take(length)
            scan.exif = data if data.startswith(b"Exif\0\0") else b"Exif\0\0" + data
        elif name == b"ANMF":
            pictures += 1
        blocks.skip(start + length + (length & 1) - blocks.at)
    if not pictures:
        raise BrokenFile("is broken: it holds no picture")


def _first(scan: _Scan, width: int, height: int) -> None:
    if not scan.width:  # the header of an extended file stands first and counts
        scan.width, scan.height = width, height
