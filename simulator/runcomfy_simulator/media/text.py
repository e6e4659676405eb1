"""Draws any text, wrapped, with one font; a character that the font lacks becomes a box with its code point.

The font comes from a package, not from the system, so that the same words make the same pixels on every machine.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import ImageFont

if TYPE_CHECKING:
    from PIL import ImageDraw

    Color = tuple[int, int, int]

_MISSING = "\U000fffff"  # private use: no font has it


@lru_cache(maxsize=1)
def _font_file() -> bytes:
    return (files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf").read_bytes()


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font at `size` pixels."""
    # BASIC layout: the shaping library is not in every Pillow, and pixels must not depend on it.
    return ImageFont.truetype(BytesIO(_font_file()), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=1)
def _nothing() -> bytes:
    return bytes(font(16).getmask(_MISSING))


@lru_cache(maxsize=4096)
def has_glyph(character: str) -> bool:
    """Does the font know this character?"""
    return character.isspace() or bytes(font(16).getmask(character)) != _nothing()


class TextPainter:
    """Draws lines of text at one size."""

    def __init__(self, draw: ImageDraw.ImageDraw, size: int, color: Color) -> None:
        self._draw = draw
        self._color = color
        self.size = size
        self.line_height = round(size * 1.35)

    def width(self, text: str) -> float:
        return sum(self._width(character) for character in text)

    def wrap(self, text: str, width: float, lines: int) -> list[str]:
        """`text` as at most `lines` lines that fit into `width`; what is too much ends in an ellipsis."""
        wrapped: list[str] = []
        for paragraph in _clean(text).split("\n"):
            line = ""
            for word in paragraph.split():
                longer = f"{line} {word}" if line else word
                if self.width(longer) <= width:
                    line = longer
                    continue
                if line:
                    wrapped.append(line)
                *full, line = self._broken(word, width)
                wrapped += full
                if len(wrapped) > lines:
                    break
            if line:
                wrapped.append(line)
            if len(wrapped) > lines:
                return [*wrapped[: lines - 1], self._shorten(wrapped[lines - 1], width)]
        return wrapped

    def write(self, text: str, x: float, y: float) -> None:
        """One line, its upper left corner at x, y."""
        run = ""
        for character in text:
            if has_glyph(character):
                run += character
                continue
            x = self._flush(run, x, y)
            run = ""
            self._box(character, x, y)
            x += self._width(character)
        self._flush(run, x, y)

    def _flush(self, run: str, x: float, y: float) -> float:
        if run:
            self._draw.text((x, y), run, font=font(self.size), fill=self._color)
        return x + self.width(run)

    def _box(self, character: str, x: float, y: float) -> None:
        """The code point in hex, two rows in a frame, as browsers show what they cannot draw."""
        code = f"{ord(character):04X}"
        upper, lower = code[: len(code) // 2], code[len(code) // 2 :]
        side = self._width(character)
        small = max(4, round(self.size * 0.42))
        top = y + self.size * 0.22
        self._draw.rectangle((x + 1, top, x + side - 2, top + self.size * 0.98), outline=self._color)
        for row, text in enumerate((upper, lower)):
            left = x + (side - font(small).getlength(text)) / 2
            self._draw.text(
                (left, top + row * self.size * 0.44 - small * 0.12), text, font=font(small), fill=self._color
            )

    def _width(self, character: str) -> float:
        return font(self.size).getlength(character) if has_glyph(character) else self.size * 1.1

    def _broken(self, word: str, width: float) -> list[str]:
        parts = [""]
        for character in word:
            if parts[-1] and self.width(parts[-1] + character) > width:
                parts.append("")
            parts[-1] += character
        return parts

    def _shorten(self, line: str, width: float) -> str:
        while line and self.width(f"{line}…") > width:
            line = line[:-1]
        return f"{line}…"


def _clean(text: str) -> str:
    """Without characters that have no glyph: control characters, halves of surrogate pairs, stray combining marks."""
    kept = (character for character in unicodedata.normalize("NFC", text) if character == "\n" or _visible(character))
    return "".join(kept)


def _visible(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Cn", "Mn", "Me")
