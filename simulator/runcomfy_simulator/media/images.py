"""Pictures: a landscape in colors from the seed, with the prompt on a plate, in the size and format asked for."""

from __future__ import annotations

import colorsys
import io
import random
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from .text import TextPainter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .spec import OutputSpec
    from .text import Color

# The fastest settings: flat shapes compress well even with these.
_ENCODERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "png": ("PNG", {"compress_level": 1}),
    "jpg": ("JPEG", {"quality": 88}),
    "webp": ("WEBP", {"quality": 80, "method": 0}),
    "avif": ("AVIF", {"quality": 70, "speed": 10, "max_threads": 1}),
}
_SMALLEST_WITH_TEXT = 96


def make_image(spec: OutputSpec, index: int) -> bytes:
    """The `index`-th picture of a job, as the bytes of a file."""
    encoded = io.BytesIO()
    name, options = _ENCODERS[spec.suffix]
    draw_picture(spec, index).save(encoded, name, **options)
    return encoded.getvalue()


def draw_picture(spec: OutputSpec, index: int) -> Image.Image:
    """The picture itself."""
    chance = random.Random(f"{spec.seed}/{index}")
    hue = chance.random()
    size = (spec.width, spec.height)
    picture = Image.new("RGB", size, shade(hue, 0.45, 0.32))
    draw = ImageDraw.Draw(picture)
    _draw_landscape(draw, size, hue, chance)
    if min(size) >= _SMALLEST_WITH_TEXT:
        _draw_plate(draw, spec, index, shade(hue, 0.5, 0.13))
    return picture


def shade(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _draw_landscape(draw: ImageDraw.ImageDraw, size: tuple[int, int], hue: float, chance: random.Random) -> None:
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


def _draw_plate(draw: ImageDraw.ImageDraw, spec: OutputSpec, index: int, color: Color) -> None:
    """The prompt on a dark plate near the lower edge."""
    width, height = spec.width, spec.height
    size = max(10, min(160, round(min(width, height) / 18)))
    margin = max(4, size // 2)
    large = TextPainter(draw, size, (250, 250, 250))
    small = TextPainter(draw, max(8, size // 2), (190, 190, 190))
    room = width - 4 * margin
    fitting = max(1, int((height * 0.6 - small.line_height) // large.line_height))
    lines = large.wrap(spec.caption, room, fitting)
    note = f"{spec.title}  {width}×{height}" + (f"  {index + 1}/{spec.count}" if spec.count > 1 else "")
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
