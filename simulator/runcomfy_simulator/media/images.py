"""Pictures: the order's colours and shapes from its seed, its words on a plate, true to the asked size and format."""

from __future__ import annotations

import colorsys
import io
import random
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from .lettering import Lettering

if TYPE_CHECKING:
    from .lettering import Color
    from .order import Order

_FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}
_SMALLEST_FOR_WORDS = 96


def make_image(order: Order, index: int) -> bytes:
    """The `index`-th picture of an order, as the bytes of a file."""
    picture = draw_picture(order, index)
    made = io.BytesIO()
    if order.suffix == "png":
        # Flat shapes shrink well even at the quickest setting.
        picture.save(made, "PNG", compress_level=1)
    elif order.suffix == "webp":
        picture.save(made, "WEBP", quality=80, method=0)
    else:
        picture.save(made, _FORMATS[order.suffix], quality=88)
    return made.getvalue()


def draw_picture(order: Order, index: int, words: bool = True) -> Image.Image:
    """The picture itself; without `words` it is only the scene, for a video to move over."""
    chance = random.Random(f"{order.seed}/{index}")
    hue = chance.random()
    size = (order.width, order.height)
    picture = Image.new("RGB", size, shade(hue, 0.45, 0.32))
    draw = ImageDraw.Draw(picture)
    _scene(draw, size, hue, chance)
    if words and min(size) >= _SMALLEST_FOR_WORDS:
        _plate(draw, order, index, shade(hue, 0.5, 0.13))
    return picture


def shade(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _scene(draw: ImageDraw.ImageDraw, size: tuple[int, int], hue: float, chance: random.Random) -> None:
    """A sky of bands, a sun, and three ranges of hills."""
    width, height = size
    bands = 12
    for band in range(bands):
        top = height * band // bands
        draw.rectangle((0, top, width, height), fill=shade(hue + band * 0.012, 0.5 - band * 0.02, 0.45 + band * 0.04))
    radius = min(size) * chance.uniform(0.08, 0.16)
    x, y = width * chance.uniform(0.2, 0.8), height * chance.uniform(0.15, 0.35)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shade(hue + 0.5, 0.25, 1.0))
    for layer in range(3):
        base = height * (0.45 + 0.13 * layer)
        points = [(width * step / 8, base + height * chance.uniform(-0.09, 0.07)) for step in range(9)]
        color = shade(hue + 0.08 * layer, 0.55, 0.42 - 0.1 * layer)
        draw.polygon([*points, (width, height), (0, height)], fill=color)


def _plate(draw: ImageDraw.ImageDraw, order: Order, index: int, color: Color) -> None:
    """The order's words on a dark plate near the lower edge."""
    width, height = order.width, order.height
    size = max(10, min(160, round(min(width, height) / 18)))
    margin = max(4, size // 2)
    large = Lettering(draw, size, (250, 250, 250))
    small = Lettering(draw, max(8, size // 2), (190, 190, 190))
    room = width - 4 * margin
    fitting = max(1, int((height * 0.6 - small.line_height) // large.line_height))
    lines = large.wrap(order.caption, room, fitting)
    note = f"{order.title}  {width}×{height}" + (f"  {index + 1}/{order.count}" if order.count > 1 else "")
    notes = small.wrap(note, room, 2)
    tall = len(lines) * large.line_height + len(notes) * small.line_height + 2 * margin
    top = height - margin - tall
    draw.rectangle((margin, top, width - margin, height - margin), fill=color)
    y = float(top + margin // 2)
    for line in lines:
        large.write(line, 2 * margin, y)
        y += large.line_height
    for line in notes:
        small.write(line, 2 * margin, y)
        y += small.line_height
