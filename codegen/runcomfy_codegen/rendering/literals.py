"""The only way for a schema's text into code: values as literals, prose through one docstring filter."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from ..diagnostics.characters import is_visible

if TYPE_CHECKING:
    from collections.abc import Iterable

# A longer string is written in pieces, so that lines stay readable at any depth of indentation.
_STRING_WIDTH = 84
# How much of one text a docstring takes; the class has it whole.
_MAX_PROSE_LENGTH = 1200
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
# A triple quote as a docstring holds it.
_TRIPLE = '\\"\\"\\"'
_PIECES = re.compile(r"\S+\s*|\s+")


def literal(value: object) -> str:
    """A JSON value, or a tuple of them, as a Python expression."""
    if isinstance(value, str):
        return string(value)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(name)}: {literal(item)}' for name, item in value.items())}}}"
    return repr(value)


def string(text: str) -> str:
    """A string as a Python expression; a long one as pieces in parentheses, broken between words."""
    if len(text) <= _STRING_WIDTH:
        return quote_string(text)
    pieces = [""]
    for word in _PIECES.findall(text):
        if pieces[-1] and len(pieces[-1]) + len(word) > _STRING_WIDTH:
            pieces.append("")
        pieces[-1] += word
    return quote_string(text) if len(pieces) == 1 else f"({' '.join(map(quote_string, pieces))})"


def quote_string(text: str) -> str:
    """A string literal: repr, but the same on every Python, and in the quotes that black would choose."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_ESCAPES.get(char) or _escape_char(char, quote) for char in text) + quote


def _escape_char(char: str, quote: str) -> str:
    if char == quote:
        return "\\" + char
    if is_visible(char):
        return char
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def tuple_of(expressions: Iterable[str]) -> str:
    """`(a, b)`, `(a,)`, `()`."""
    values = list(expressions)
    return f"({', '.join(values)}{',' if len(values) == 1 else ''})"


def call(name: str, /, *arguments: str, **keywords: str | None) -> str:
    """`name(arguments, keyword=...)`; a keyword of None is left out."""
    written = [*arguments, *(f"{key}={value}" for key, value in keywords.items() if value is not None)]
    return f"{name}({', '.join(written)})"


def prose(text: str) -> str:
    """A schema's text as running words: one line, nothing unprintable, cut if it is very long."""
    words = " ".join("".join(char if is_visible(char) else " " for char in text).split())
    if len(words) <= _MAX_PROSE_LENGTH:
        return words
    return words[:_MAX_PROSE_LENGTH].rsplit(" ", 1)[0] + " …"


def docstring(lines: Iterable[str], indent: int) -> str:
    """Lines of prose as a docstring that stands at an indentation, in quotes that no text can close."""
    margin = " " * indent
    body = "\n".join(f"{margin}{_harmless(line)}" if line else "" for line in lines)
    text = body.strip()
    ending = f"\n{margin}" if "\n" in text else ""
    # A quote at the end would run into the closing ones, unless it is escaped already; the space is black's.
    if text.endswith('"'):
        text = (text if text.endswith(_TRIPLE) else text[:-1] + '\\"') + ("" if ending else " ")
    return f'"""{text}{ending}"""'


def wrap(text: str, width: int, *, hanging: str = "") -> list[str]:
    """Prose broken into lines; all but the first begin with `hanging`."""
    return textwrap.wrap(text, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False) or [""]


def _harmless(line: str) -> str:
    return line.replace("\\", "\\\\").replace('"""', _TRIPLE)
