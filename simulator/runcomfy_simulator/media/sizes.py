"""How large, as an input tells in one of the many ways that schemas have for it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, TypeGuard

from .quantities import title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kinds import Kind

# Beyond this many pixels a file would cost more to make than it tells; larger ones are shrunk in proportion.
MOST_PIXELS = {"image": 36_000_000, "video": 8_847_360, "audio": 1}
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
_PAIR = re.compile(r"(?<![\d.])(\d{1,6}(?:\.\d+)?)\s*[x×X*:/]\s*(\d{1,6}(?:\.\d+)?)(?![\d.])")
_LINES = re.compile(r"(?<![a-z0-9])(\d{3,4})p(?![a-z0-9])", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<![a-z0-9.])(\d{1,2})k(?![a-z0-9])", re.IGNORECASE)
_SIZE_NAMES = re.compile(r"size|resolution|ratio|dimension|width.?height|^aspect|^quality$", re.IGNORECASE)
_USUAL = {"image": (1024, 1024), "video": (1280, 720), "audio": (0, 0)}


def size_of(kind: Kind, model_id: str, schema: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height in pixels of what is asked for."""
    if kind == "audio":
        return 0, 0
    hints = _Hints()
    # The model's own name says the least, the input the most.
    hints.read(model_id.replace("/", " "), only_lines=True)
    for name, part in (schema.get("properties") or {}).items():
        if name in body and (_SIZE_NAMES.search(name) or _SIZE_NAMES.search(title_of(part))):
            hints.take(body[name])
    hints.take({"width": body.get("width"), "height": body.get("height")})
    return _bounded(kind, *hints.size(kind))


class _Hints:
    """Collects what is said of the size, from vague to exact."""

    def __init__(self) -> None:
        self._exact: tuple[float, float] | None = None
        self._ratio: float | None = None
        self._lines: int | None = None  # pixels of the shorter side
        self._thousands: int | None = None  # "2K": as many pixels as a square of that side

    def take(self, value: object) -> None:
        if isinstance(value, str):
            self.read(value)
        elif isinstance(value, dict):
            sides = [float(side) for side in (value.get("width"), value.get("height")) if _is_side(side)]
            if sides:
                self._exact = (sides[0], sides[-1])

    def read(self, text: str, *, only_lines: bool = False) -> None:
        if lines := _LINES.search(text):
            self._lines = int(lines[1])
        elif thousands := _THOUSANDS.search(text):
            self._thousands = int(thousands[1])
        if only_lines:
            return
        if text in _NAMED_SIZES:
            self._exact = _NAMED_SIZES[text]
            return
        for pair in _PAIR.finditer(text):
            first, second = float(pair[1]), float(pair[2])
            if not (first and second):
                continue
            # "2048x2048(1:1)" and "2560:1440 (16:9)" are pixels, "16:9" alone is a ratio.
            if min(first, second) >= 64:
                self._exact = (first, second)
                return
            self._ratio = first / second

    def size(self, kind: Kind) -> tuple[float, float]:
        if self._exact:
            return self._exact
        usual = _USUAL[kind]
        ratio = self._ratio or usual[0] / usual[1]
        short = self._lines
        if kind == "video" and self._thousands:
            short = {4: 2160, 2: 1440}.get(self._thousands, self._thousands * 540)
        if short:
            return (short * ratio, short) if ratio >= 1 else (short, short / ratio)
        area = (self._thousands * 1024) ** 2 if self._thousands else usual[0] * usual[1]
        return math.sqrt(area * ratio), math.sqrt(area / ratio)


def _is_side(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _bounded(kind: Kind, width: float, height: float) -> tuple[int, int]:
    # A picture a million pixels long and one high has few pixels, but no reader takes it.
    scale = min(1.0, math.sqrt(MOST_PIXELS[kind] / (width * height)), LONGEST_SIDE / max(width, height))
    sides = (max(1, round(width * scale)), max(1, round(height * scale)))
    if kind == "video":
        # Video is coded in pairs of pixels.
        sides = (max(SMALLEST_VIDEO_SIDE, sides[0] + sides[0] % 2), max(SMALLEST_VIDEO_SIDE, sides[1] + sides[1] % 2))
    return sides
