"""Find the JSON objects in running text, whatever stands around them and however they run together."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..source import MAX_DEPTH, Json

if TYPE_CHECKING:
    from collections.abc import Iterator

# What begins JSON rather than prose or a template: a brace, then a quoted key and a colon, or the closing brace.
# `{request_id}` and `{prompt: "x"}` begin otherwise. Strings may run over a line break here, to see broken ones.
_OPENING = re.compile(r'\{\s*(?:"(?:[^"\\]|\\.){0,500}"\s*:|\})')
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}]')
# Shells end a quoted string, add an escaped quote and go on: 'it'\''s'. In JSON that is only a quote.
_SHELL_QUOTE = "'\\''"
# Browsers copy an indent as no-break spaces. At a line's start they are layout: no JSON string holds a line break.
_INDENT = re.compile(r"^[ \t]*[\u00a0\u2007\u202f\u3000][ \t\u00a0\u2007\u202f\u3000]*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of text that is a JSON object, or begins as one and breaks off with `reason` at offset `broken`.

    `text` is its JSON; `value` tells its shape only, its numbers are not read.
    """

    start: int
    end: int
    text: str
    value: dict[str, Json] | None
    reason: str = ""
    broken: int = 0


def plain_indents(text: str) -> str:
    """The text with ordinary spaces for indents; each offset stays what it was."""
    return _INDENT.sub(lambda indent: " " * len(indent.group()), text)


def find_blocks(text: str) -> Iterator[Block]:
    """Each block in reading order. After one that never closes nothing can be told from its inside: it is the last."""
    at = 0
    while opening := _OPENING.search(text, at):
        block = _read(text, opening.start())
        yield block
        at = block.end


def _read(text: str, start: int) -> Block:
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        end = _balanced_end(text, start)
        if (repaired := _without_shell_quotes(text, start, end)) is not None:
            return repaired
        cut_off = not text[error.pos :].strip()
        reason = "the page ends inside it" if cut_off else error.msg[:1].lower() + error.msg[1:]
        return Block(start, end, text[start:end], None, reason, min(error.pos, len(text) - 1))
    except RecursionError:
        end = _balanced_end(text, start)
        return Block(start, end, text[start:end], None, f"it is nested more than {MAX_DEPTH} levels deep", start)
    return Block(start, end, text[start:end], value)


def _without_shell_quotes(text: str, start: int, end: int) -> Block | None:
    body = text[start:end].replace(_SHELL_QUOTE, "'")
    try:
        value = _DECODER.decode(body)
    except (json.JSONDecodeError, RecursionError):
        return None
    return Block(start, end, body, value)


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


# Only the shape counts here; the strict reader judges the numbers and the keys of a block that matters.
_DECODER = json.JSONDecoder(parse_int=lambda literal: 0, parse_float=lambda literal: 0.0)
