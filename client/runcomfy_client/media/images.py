"""Reads the headers of pictures: how large they are, how they are turned, whether the file is whole."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from .blocks import Blocks, BrokenFile, OutOfReach
from .facts import whole_size
from .image_scan import Measured, walk

if TYPE_CHECKING:
    from typing import BinaryIO

    from PIL.ImageFile import ImageFile

    from .facts import Facts

_ORIENTATION = 0x0112
_QUARTER_TURNS = (5, 6, 7, 8)
# Beyond this decoders stop (Pillow's own limit for an error), unless there is at least as much file as a photo needs.
_BOMB_PIXELS = 178_956_970
_PIXELS_PER_BYTE = 50


def read_image(stream: BinaryIO, facts: Facts) -> None:
    """Measure a PNG, JPEG, GIF or WebP and see that it is whole."""
    measured = Measured()
    try:
        walk(facts.mime, Blocks(stream, whole_size(facts)), measured)
    except BrokenFile as fault:
        facts.broken = str(fault)
    except OutOfReach:
        if not measured.width:
            facts.unread = "its measures are not within its first bytes"
            return
    facts.width, facts.height = measured.width or None, measured.height or None
    facts.turned = _is_turned(measured)
    if facts.broken is None:
        _judge_size(facts)


def read_other_image(stream: BinaryIO, facts: Facts) -> None:
    """Measure a picture of another kind with Pillow, as far as Pillow reads it."""
    from PIL import Image, UnidentifiedImageError

    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; they are judged below
            picture: ImageFile = Image.open(stream)
            facts.width, facts.height = picture.size
    except Image.DecompressionBombError:
        facts.broken = "is a decompression bomb: its header claims more pixels than any decoder takes"
    except UnidentifiedImageError:
        facts.unread = f"the header of this kind ({facts.mime}) is not read here"
    except Exception as fault:  # noqa: BLE001  # a hostile file makes a reader raise anything
        facts.unread = f"its header cannot be read: {type(fault).__name__}"


def _judge_size(facts: Facts) -> None:
    if not facts.width or not facts.height:
        facts.broken = "is broken: its header gives no width or no height"
        return
    pixels = facts.width * facts.height
    if pixels > _BOMB_PIXELS and whole_size(facts) * _PIXELS_PER_BYTE < pixels:
        facts.broken = (
            f"is a decompression bomb: {facts.size} bytes that claim to be {facts.width} x {facts.height} pixels"
        )


def _is_turned(measured: Measured) -> bool:
    if measured.exif is None:
        return False
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(measured.exif)
        return exif.get(_ORIENTATION) in _QUARTER_TURNS
    except Exception:  # noqa: BLE001  # a hostile block makes a reader raise anything; without one nothing is turned
        return False
