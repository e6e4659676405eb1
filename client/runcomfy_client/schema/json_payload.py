"""Reads a payload from JSON text or a file; what JSON forbids or leaves open becomes a fault with its place."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from .containers import MAX_DEPTH, MISSING
from .findings import ErrorFinding
from .messages import shown

if TYPE_CHECKING:
    from .findings import Finding, Key

# No payload is this large without being a mistake: media in it are URLs or data: URIs of a few megabytes.
_MOST_BYTES = 512 * 1024 * 1024


def read_payload(source: str | bytes | bytearray | os.PathLike[str]) -> tuple[object, list[Finding]]:
    """The JSON value that ``source`` holds (MISSING if it holds none), and the faults that lie in the text itself.

    NaN, infinities and numbers beyond a double come back as such: the check finds them where they stand.
    """
    try:
        text = _text(source)
    except OSError as error:
        return MISSING, [ErrorFinding("no_file", f"cannot read {_named(source)}: {error.strerror or error}")]
    except ValueError as error:  # a path with a NUL, a text that is no UTF
        return MISSING, [ErrorFinding("json", f"cannot be read as text: {error}")]
    twins: list[_Twins] = []

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(items)
        if len(found) == len(items):
            return found
        marked = _Twins(items)
        twins.append(marked)
        return marked

    try:
        payload = json.loads(text, object_pairs_hook=pairs, parse_int=_integer)
    except json.JSONDecodeError as error:
        if not text.strip():
            return MISSING, [ErrorFinding("json", 'is empty; a payload is a JSON object such as {"prompt": "..."}')]
        return MISSING, [
            ErrorFinding(
                "json", f"is not JSON: {error.msg} in line {error.lineno}, column {error.colno}{_hint(source)}"
            )
        ]
    except RecursionError:
        return MISSING, [ErrorFinding("too_deep", "is nested too deeply to be read")]
    return payload, _twin_faults(payload, ()) if twins else []


class _Twins(dict[str, object]):
    """An object of which a key stands in the text more than once."""

    def __init__(self, items: list[tuple[str, object]]) -> None:
        super().__init__(items)
        counts: dict[str, int] = {}
        for name, _ in items:
            counts[name] = counts.get(name, 0) + 1
        self.names = [name for name, count in counts.items() if count > 1]


def _named(source: str | bytes | bytearray | os.PathLike[str]) -> str:
    return shown(os.fsdecode(source)) if isinstance(source, os.PathLike) else "the text"


def _text(source: str | bytes | bytearray | os.PathLike[str]) -> str:
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    if isinstance(source, (bytes, bytearray)):
        return _decoded(bytes(source))
    with open(source, "rb") as file:  # noqa: PTH123  # any PathLike, and pathlib need not be loaded for it
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES // (1024 * 1024)} MiB")
    return _decoded(data)


def _decoded(data: bytes) -> str:
    # What editors and shells write: UTF-8, with or without a mark, and UTF-16 of a redirection on Windows.
    return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")


def _integer(digits: str) -> int | float:
    # Python refuses to read integers of more than 4300 digits; a double could not hold one of 310.
    return int(digits) if len(digits) < 400 else float(digits)


def _hint(source: object) -> str:
    if isinstance(source, str) and len(source) < 400 and source.rstrip().lower().endswith((".json", ".txt")):
        return f"; to check a file, pass pathlib.Path({shown(source)})"
    return ""


def _twin_faults(value: object, keys: tuple[Key, ...]) -> list[Finding]:
    found: list[Finding] = []
    if isinstance(value, _Twins):
        found += [
            ErrorFinding("duplicate_key", f"the key {shown(name)} stands here more than once", keys=(*keys, name))
            for name in value.names
        ]
    if isinstance(value, (dict, list)) and len(keys) <= MAX_DEPTH:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            found += _twin_faults(item, (*keys, key))
    return found
