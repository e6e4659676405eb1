"""The only way for a schema's text into Markdown: running text with its punctuation escaped, values as code."""

from __future__ import annotations

import json
import re

from ..diagnostics.characters import is_visible
from .literals import prose

# What CommonMark, HTML, entities and MyST's roles, targets and substitutions begin with.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>#~$^&@=:]")
# What is markup only where a line begins: lists, quotes, rules, comments, setext underlines, numbers of lists (but no
# decimal fractions).
_LINE_START = re.compile(r"(?P<before>\s*[0-9]*)(?P<mark>[-+)(%!]|\.(?![0-9]))")
_BACKTICKS = re.compile(r"`+")
_MAX_VALUE_LENGTH = 100


def text(value: str) -> str:
    """A schema's text as one line of Markdown that shows exactly these words."""
    # A bar would end a table's cell. How it is escaped there differs between readers of Markdown; an entity does not.
    escaped = _MARKUP.sub(r"\\\g<0>", prose(value)).replace("|", "&#124;")
    return _LINE_START.sub(r"\g<before>\\\g<mark>", escaped) if _LINE_START.match(escaped) else escaped


def code(value: str) -> str:
    """A span of code, which needs no escape but a fence longer than any inside."""
    line = printable(value).replace("\n", "\\n")
    if "|" in line or not line.strip():
        return text(line)
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" or (line[0] == " " and line[-1] == " ") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def value_code(value: object) -> str:
    """A JSON value as a span of code, cut if it is long."""
    line = json.dumps(value, ensure_ascii=False)
    return code(line if len(line) <= _MAX_VALUE_LENGTH else line[:_MAX_VALUE_LENGTH] + "…")


def block(language: str, body: str) -> str:
    """A block of code in a fence that nothing inside can close."""
    fence = "`" * max(3, _longest_run(body) + 1)
    return f"{fence}{language}\n{body.rstrip()}\n{fence}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A table; empty columns are left out. The cells are Markdown."""
    kept = [number for number in range(len(header)) if any(row[number] for row in rows)]
    lines = [[header[number] for number in kept], ["---"] * len(kept)]
    lines += [[row[number] for number in kept] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def printable(value: str) -> str:
    """A text in which every character is visible: invisible ones are escaped as in JSON and Python."""
    return "".join(
        character if is_visible(character) or character == "\n" else _escape(character) for character in value
    )


def _escape(char: str) -> str:
    return json.dumps(char)[1:-1] if not char.isascii() or ord(char) < 0x20 else f"\\u{ord(char):04x}"


def _longest_run(value: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(value)), default=0)
