"""Where a JSON pointer stands in the text it was read from: line and column; the nearest parent if it is not there."""

from __future__ import annotations

import json
import re

_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,\]}]+', re.DOTALL)


def place_of(data: bytes, path: str) -> tuple[int, int]:
    """Line and column of the value at ``path`` (of its key, in an object); (1, 1) if the text is no JSON."""
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        return 1, 1
    keys = [key.replace("~1", "/").replace("~0", "~") for key in path.split("/")[1:]]
    try:
        at = _find(text, keys)
    except (IndexError, ValueError):
        at = 0
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _find(text: str, keys: list[str]) -> int:
    """The offset of the deepest part of the path that the text holds."""
    at = _skip_space(text, 1 if text.startswith("\ufeff") else 0)
    shown = at
    for key in keys:
        entry = _object_entry(text, at, key) if text[at] == "{" else _list_entry(text, at, key)
        if entry is None:
            break
        shown, at = entry
    return shown


def _object_entry(text: str, at: int, wanted: str) -> tuple[int, int] | None:
    """Where the key stands, and where its value does; the last one, which is the one that counts in Python."""
    found = None
    at = _skip_space(text, at + 1)
    while text[at] == '"':
        key_at = at
        match = _scalar(text, at)
        at = _skip_space(text, match.end())
        if text[at] != ":":
            raise ValueError
        value_at = _skip_space(text, at + 1)
        if json.loads(match.group()) == wanted:
            found = (key_at, value_at)
        at = _next(text, _end_of(text, value_at))
    return found


def _list_entry(text: str, at: int, wanted: str) -> tuple[int, int] | None:
    if text[at] != "[" or not wanted.isdecimal():
        return None
    at = _skip_space(text, at + 1)
    for _ in range(int(wanted)):
        if text[at] == "]":
            return None
        at = _next(text, _end_of(text, at))
    return None if text[at] == "]" else (at, at)


def _next(text: str, at: int) -> int:
    at = _skip_space(text, at)
    return _skip_space(text, at + 1) if text[at] == "," else at


def _end_of(text: str, at: int) -> int:
    """The offset after the value that begins at ``at``; counts brackets, so that depth costs nothing."""
    depth = 0
    while True:
        character = text[at]
        if character in "{[":
            depth += 1
            at += 1
        elif character in "}]":
            depth -= 1
            at += 1
        elif character in ",: \t\r\n":
            at += 1
            continue
        else:
            at = _scalar(text, at).end()
        if depth == 0:
            return at


def _scalar(text: str, at: int) -> re.Match[str]:
    match = _SCALAR.match(text, at)
    if match is None:
        raise ValueError
    return match


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()
