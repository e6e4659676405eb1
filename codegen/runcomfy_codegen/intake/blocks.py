"""Find the JSON objects in running text, whatever surrounds them and however they run together."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..reading.source import MAX_DEPTH, Json

if TYPE_CHECKING:
    from collections.abc import Iterator

# What begins JSON rather than prose or a template: a brace, then a quoted key and a colon, or the closing brace.
# `{request_id}` and `{prompt: "x"}` begin otherwise. Strings may run over a line break here, to see broken ones.
_OPENING = re.compile(r'\{[\s\u200b\u2060\ufeff]*(?:"(?:[^"\\]|\\.){0,500}"[\s\u200b\u2060\ufeff]*:|\})')
# A text with more is not a page, and the search for the end of each reads the rest of the text.
_MAX_BROKEN = 100
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}]')
ENDS_INSIDE = "the page ends inside it"
TOO_DEEP = f"it is nested more than {MAX_DEPTH} levels deep"
# Shells end a quoted string, add an escaped quote and go on: 'it'\''s'. In JSON that is only a quote.
_SHELL_QUOTE = "'\\''"
# Browsers copy layout as no-break and zero-width spaces, which JSON does not know; within a string they are text.
_LAYOUT = re.compile(r'("(?:[^"\\\n]|\\.)*")|[\u00a0\u2007\u200b\u202f\u2060\u3000\ufeff]')


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of text that is a JSON object, or begins as one and breaks off with `reason` at offset `broken`.

    `text` is its JSON; `value` shows its shape only: all its numbers are 0.
    """

    start: int
    end: int
    text: str
    value: dict[str, Json] | None
    reason: str = ""
    broken: int = 0


def find_blocks(text: str) -> Iterator[Block]:
    """Each block in reading order. A block that never closes is the last one: its end is not known."""
    at = broken = 0
    while broken < _MAX_BROKEN and (opening := _OPENING.search(text, at)):
        block = _read(text, opening.start())
        yield block
        at = block.end
        broken += block.value is None


def _read(text: str, start: int) -> Block:
    try:
        value, end = _DECODER.raw_decode(text, start)
        return Block(start, end, text[start:end], value)
    except (json.JSONDecodeError, RecursionError):
        end = _balanced_end(text, start)
    plain = _LAYOUT.sub(lambda match: match.group(1) or " ", text[start:end])
    reason, broken = "", 0
    for body in (plain, plain.replace(_SHELL_QUOTE, "'")):
        try:
            return Block(start, end, body, _DECODER.decode(body))
        except RecursionError:
            reason = TOO_DEEP
        except json.JSONDecodeError as error:
            if not reason:
                reason, broken = _explain(error)
    return Block(start, end, text[start:end], None, reason, start + broken)


def _explain(error: json.JSONDecodeError) -> tuple[str, int]:
    """Reason and place, with our own words and places where Python's versions differ."""
    before, after = error.doc[: error.pos].rstrip(), error.doc[error.pos :]
    if not after.strip():
        return ENDS_INSIDE, max(0, error.pos - 1)
    if error.msg.startswith("Illegal trailing comma"):
        return "a comma too many", error.pos
    if after[0] in "}]" and before.endswith(","):
        return "a comma too many", len(before) - 1
    if error.msg.startswith("Unterminated string"):
        return ("a string is never closed" if "\n" in after else ENDS_INSIDE), error.pos
    return (error.msg[:1].lower() + error.msg[1:]).removesuffix(" at"), error.pos


def _balanced_end(text: str, start: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token.group() == "{":
            depth += 1
        elif token.group() == "}":
            depth -= 1
            if depth == 0:
                return token.end()
    return len(text)


# Only the shape counts here; the strict reader checks the numbers and the keys of a block that is used.
_DECODER = json.JSONDecoder(parse_int=lambda literal: 0, parse_float=lambda literal: 0.0)
