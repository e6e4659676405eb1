"""Reads a payload from JSON text or a file; what JSON forbids or leaves open becomes a finding with its place.

People write payload files by hand, so a syntax error says what they meant to write: a comma too many, a comment, single
quotes, Python's words, several documents in one text.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from .containers import MAX_DEPTH, MISSING
from .findings import ErrorFinding
from .messages import brief

if TYPE_CHECKING:
    from .findings import Finding, Key

# No payload is this large without being a mistake: media in it are URLs or data: URIs of a few megabytes.
_MOST_BYTES = 512 * 1024 * 1024

# What editors read in a file; it is no input, and never sent.
SCHEMA_KEY = "$schema"


class SyntaxFinding(ErrorFinding):
    """The text is not JSON, or whatever ``language`` it is read as.

    ``line`` and ``column`` count from 1; ``kind`` is "several" if the text holds several documents, else "".
    """

    __slots__ = ("column", "kind", "line")

    def __init__(self, message: str, line: int, column: int, kind: str = "", *, language: str = "JSON") -> None:
        super().__init__(language.lower(), f"is not {language}: line {line}, column {column}: {message}")
        self.line = line
        self.column = column
        self.kind = kind

    def to_dict(self) -> dict[str, object]:
        return {**super().to_dict(), "line": self.line, "column": self.column}


class EncodingFinding(SyntaxFinding):
    """A byte that the text's encoding does not have."""

    __slots__ = ()

    def __init__(self, error: UnicodeDecodeError, *, language: str = "JSON", first_line: int = 1) -> None:
        before = error.object[: error.start].decode(error.encoding, "replace").removeprefix("\ufeff")
        line, column = before.count("\n") + first_line, len(before) - before.rfind("\n")
        encoding = error.encoding.upper().removesuffix("-SIG")
        known = "" if encoding == "UTF-8" else ", which the file begins as"
        message = (
            f"the byte 0x{error.object[error.start]:02x} does not fit here in {encoding}{known}; save the file as UTF-8"
        )
        super().__init__(message, line, column, language=language)


class FileNameFinding(SyntaxFinding):
    """The name of a file where the text of one is expected."""

    __slots__ = ()
    cure = "to check a file, pass a pathlib.Path"


def read_payload(
    source: str | bytes | bytearray | os.PathLike[str], *, first_line: int = 1
) -> tuple[object, list[Finding]]:
    """The JSON value that ``source`` holds (MISSING if it holds none), and the errors that lie in the text itself.

    ``first_line`` is the line of its file that the text begins in. NaN, infinities and numbers beyond a double come
    back as such: the check finds them where they stand.
    """
    try:
        text = _text(source)
    except OSError as error:
        return MISSING, [ErrorFinding("no_file", f"cannot read {_source_name(source)}: {error.strerror or error}")]
    except UnicodeDecodeError as error:
        return MISSING, [EncodingFinding(error, first_line=first_line)]
    except ValueError as error:  # a path with a NUL, a file that is too large
        return MISSING, [ErrorFinding("json", f"cannot be read as text: {error}")]
    duplicates: list[_Duplicates] = []

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(items)
        if len(result) == len(items):
            return result
        marked = _Duplicates(items)
        duplicates.append(marked)
        return marked

    try:
        payload = json.loads(text, object_pairs_hook=pairs, parse_int=_integer)
    except json.JSONDecodeError as error:
        if not text.strip():
            return MISSING, [ErrorFinding("json", 'is empty; a payload is a JSON object such as {"prompt": "..."}')]
        return MISSING, [_syntax_finding(source, text, error, first_line)]
    except RecursionError:
        return MISSING, [ErrorFinding("too_deep", "is nested too deeply to be read")]
    return payload, _duplicate_errors(payload, ()) if duplicates else []


def without_schema_key(payload: object) -> object:
    """A payload from a file or a text, without the key that editors read."""
    if isinstance(payload, dict) and isinstance(payload.get(SCHEMA_KEY), str):
        return {key: item for key, item in payload.items() if key != SCHEMA_KEY}
    return payload


class _Duplicates(dict[str, object]):
    """An object of which a key stands in the text more than once."""

    def __init__(self, items: list[tuple[str, object]]) -> None:
        super().__init__(items)
        counts: dict[str, int] = {}
        for name, _ in items:
            counts[name] = counts.get(name, 0) + 1
        self.names = [name for name, count in counts.items() if count > 1]


def _source_name(source: str | bytes | bytearray | os.PathLike[str]) -> str:
    return brief(os.fsdecode(source)) if isinstance(source, os.PathLike) else "the text"


def _text(source: str | bytes | bytearray | os.PathLike[str]) -> str:
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    if isinstance(source, (bytes, bytearray)):
        return _decode(bytes(source))
    with open(source, "rb") as file:  # noqa: PTH123  # any PathLike, and pathlib need not be loaded for it
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES // (1024 * 1024)} MiB")
    return _decode(data)


def _decode(data: bytes) -> str:
    # What editors and shells write: UTF-8, with or without a mark, and UTF-16 of a redirection on Windows.
    return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")


def _integer(digits: str) -> int | float:
    # Python refuses to read integers of more than 4300 digits; a double could not hold one of 310.
    return int(digits) if len(digits) < 400 else float(digits)


def _syntax_finding(source: object, text: str, error: json.JSONDecodeError, first_line: int) -> SyntaxFinding:
    position, message, kind = _diagnosis(text, error)
    line = text.count("\n", 0, position) + first_line
    column = position - text.rfind("\n", 0, position)
    named = isinstance(source, str) and len(source) < 400 and source.rstrip().lower().endswith((".json", ".txt"))
    return (FileNameFinding if named else SyntaxFinding)(message, line, column, kind)


_PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}
_WORD = re.compile(r"\w+")


def _diagnosis(text: str, error: json.JSONDecodeError) -> tuple[int, str, str]:
    """Where the mistake is, what it is, and its kind; the parser itself only says what it expected."""
    position = error.pos
    before = text[:position].rstrip()
    here = text[position:].lstrip()[:20]
    if not here:
        # An opening quote is where a text that never ends begins.
        reason = "the text is not closed" if error.msg.startswith("Unterminated") else "it ends too early"
        return position, reason, ""
    # From Python 3.13 on the parser stops at the comma, before that behind it.
    if here[0] in "}]" and before.endswith(","):
        return len(before) - 1, "a comma follows the last item; remove it", ""
    after = text[position:].lstrip()[1:].lstrip()
    if here[0] == "," and after[:1] in ("}", "]") and before[-1:] not in (":", "[", "{", ","):
        return position, "a comma follows the last item; remove it", ""
    if here.startswith(("//", "/*", "#")):
        return position, "comments are not allowed", ""
    if here[0] in "'\u2018\u2019\u201c\u201d":
        return position, f'texts and keys stand in double quotes ("), and this is {here[0]}', ""
    word = _WORD.match(here)
    if word and word.group() in _PYTHON_WORDS:
        return position, f"{word.group()} is Python; JSON writes {_PYTHON_WORDS[word.group()]}", ""
    if error.msg == "Extra data":
        several = here[0] in '{["'
        reason = (
            "another value begins here; a payload is one JSON object" if several else "nothing may follow the value"
        )
        return position, reason, "several" if several else ""
    if error.msg.startswith("Expecting property name") and word:
        return position, "keys stand in double quotes", ""
    if error.msg.startswith("Expecting ',' delimiter"):
        return position, "a comma, or the end of the list or object, is missing before this", ""
    if error.msg.startswith("Invalid control character"):
        return position, "a line break or tab inside a text is written \\n or \\t", ""
    if error.msg.startswith("Invalid \\escape"):
        return position, "a backslash inside a text is written twice", ""
    if error.msg.startswith("Unterminated"):
        return position, "the text is not closed", ""
    return position, f"{error.msg[:1].lower()}{error.msg[1:]}", ""


def _duplicate_errors(value: object, keys: tuple[Key, ...]) -> list[Finding]:
    findings: list[Finding] = []
    if isinstance(value, _Duplicates):
        findings += [
            ErrorFinding("duplicate_key", f"the key {brief(name)} stands here more than once", keys=(*keys, name))
            for name in value.names
        ]
    if isinstance(value, (dict, list)) and len(keys) <= MAX_DEPTH:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            findings += _duplicate_errors(item, (*keys, key))
    return findings
