"""The width and height that an input asks for, in the many ways that schemas have for it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from ..guess import Kind
    from .properties import Values

# A larger file would take too long to make; larger sizes shrink in proportion.
MOST_PIXELS = {"image": 36_000_000, "video": 8_912_896, "audio": 1}
LONGEST_SIDE = 16_383  # what WebP can hold
SMALLEST_VIDEO_SIDE = 16

_NAMED_SIZES = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
_NAMED_RATIOS = {"landscape": 16 / 9, "portrait": 9 / 16, "horizontal": 16 / 9, "vertical": 9 / 16}
_NAMED_LINES = {"sd": 480, "hd": 720, "fhd": 1080, "full_hd": 1080, "qhd": 1440, "uhd": 2160}
_PAIR = re.compile(r"(?<![\d.])(\d{1,6}(?:\.\d+)?)\s*[x×X*:/_]\s*(\d{1,6}(?:\.\d+)?)(?![\d.])")
_LINES = re.compile(r"(?<![a-z0-9])(\d{3,4})p(?![a-z0-9])", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<![a-z0-9.])(\d{1,2}(?:\.\d)?)k(?![a-z0-9])", re.IGNORECASE)
# Lines of a video of so many thousand pixels width: 1440 is what is sold as 2K.
_VIDEO_LINES = {4.0: 2160, 2.0: 1440, 1.0: 540}
_DEFAULT = {"image": (1024, 1024), "video": (1280, 720), "audio": (0, 0)}
_LEAST_SIDE, _MOST_SIDE = 64, 8192


def size_of(kind: Kind, model_id: str, values: Values, source: tuple[int, int] | None = None) -> tuple[int, int]:
    """Width and height in pixels.

    Args:
        source: the size of the input picture or video, whose shape the output has where nothing else says.
    """
    if kind == "audio":
        return 0, 0
    request = _SizeRequest(source)
    # The least certain first: the model's name, then what the input says, then width and height.
    request.read(model_id.replace("/", " "), only_lines=True)
    for value in values.all("size"):
        request.take(value, kind)
    width, height = values.number("width"), values.number("height")
    request.take({"width": width, "height": height}, kind)
    return _fit_bounds(kind, *request.size(kind))


class _SizeRequest:
    """Collects what is known of the size."""

    def __init__(self, source: tuple[int, int] | None) -> None:
        self._exact: tuple[float, float] | None = None
        self._ratio = source[0] / source[1] if source and all(source) else None
        self._lines: float | None = None  # pixels of the shorter side
        self._thousands: float | None = None  # "2K": as many pixels as a square of that side

    def take(self, value: object, kind: Kind) -> None:
        if isinstance(value, str):
            self.read(value)
        elif isinstance(value, dict):
            sides = [float(side) for side in (value.get("width"), value.get("height")) if _is_side(side)]
            if sides:
                self._exact = (sides[0], sides[-1])
        elif isinstance(value, list) and len(value) == 2 and all(map(_is_side, value)):
            self._exact = (float(value[0]), float(value[1]))
        elif _is_side(value) and _LEAST_SIDE <= value <= _MOST_SIDE:
            if kind == "video":
                self._lines = float(value)
            else:
                self._thousands = value / 1024

    def read(self, text: str, *, only_lines: bool = False) -> None:
        if lines := _LINES.search(text):
            self._lines = int(lines[1])
        elif thousands := _THOUSANDS.search(text):
            self._thousands = float(thousands[1]) or None
        if only_lines:
            return
        word = text.strip().lower().replace(" ", "_")
        if word in _NAMED_SIZES:
            self._exact = _NAMED_SIZES[word]
            return
        self._ratio = _NAMED_RATIOS.get(word, self._ratio)
        self._lines = _NAMED_LINES.get(word, self._lines)
        for pair in _PAIR.finditer(text):
            first, second = float(pair[1]), float(pair[2])
            if not (first and second):
                continue
            # "2048x2048(1:1)" and "2560:1440 (16:9)" are pixels, "16:9" alone is a ratio.
            if min(first, second) >= _LEAST_SIDE:
                self._exact = (first, second)
                return
            self._ratio = first / second

    def size(self, kind: Kind) -> tuple[float, float]:
        if self._exact:
            return self._exact
        default = _DEFAULT[kind]
        ratio = self._ratio or default[0] / default[1]
        short = self._lines
        if kind == "video" and self._thousands:
            short = _VIDEO_LINES.get(self._thousands, self._thousands * 540)
        if kind == "video" and short is None:
            short = min(default)
        if short:
            return (short * ratio, short) if ratio >= 1 else (short, short / ratio)
        area = (self._thousands * 1024) ** 2 if self._thousands else default[0] * default[1]
        return math.sqrt(area * ratio), math.sqrt(area / ratio)


def _is_side(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _fit_bounds(kind: Kind, width: float, height: float) -> tuple[int, int]:
    # A picture a million pixels long and one high has few pixels, but no reader takes it.
    scale = min(1.0, math.sqrt(MOST_PIXELS[kind] / (width * height)), LONGEST_SIDE / max(width, height))
    sides = (max(1, round(width * scale)), max(1, round(height * scale)))
    if kind == "video":
        # Video is coded in pairs of pixels.
        sides = (max(SMALLEST_VIDEO_SIDE, sides[0] + sides[0] % 2), max(SMALLEST_VIDEO_SIDE, sides[1] + sides[1] % 2))
    return sides
