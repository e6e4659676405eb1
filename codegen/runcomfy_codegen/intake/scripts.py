"""What a page's scripts carry of an API page: sites keep the data they draw from as JSON, often escaped in strings."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from .blocks import find_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..reading.source import Json

_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
# Next.js sends its data in pieces, which may be cut anywhere; each line of the whole is `number:JSON`.
_NEXT_PUSH = re.compile(r'__next_f\.push\(\[\d+,\s*("(?:[^"\\\n]|\\.)*")\]\)')
_NEXT_LINE = re.compile(r"^[0-9a-f]+:(?=[\[{\"])", re.MULTILINE)
# A string without any of these is of no use.
_SIGNS = ("/v1/models/", '"properties"')


def carried_texts(scripts: list[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """The requests and schemas in scripts, each as an API page would show it. A script, and so what comes out of it,
    is given with its offset in the page.
    """
    pushes = [(push.group(1), at) for script, at in scripts for push in _NEXT_PUSH.finditer(script)]
    stream = "".join(str(_parsed(literal) or "") for literal, _ in pushes)
    for line in _NEXT_LINE.split(stream):
        for text in _flatten(line):
            yield text, pushes[0][1]
    for script, at in scripts:
        if "/v1/models/" in script or "properties" in script:
            for text in _of_script(_NEXT_PUSH.sub("", script)):
                yield text, at


def _of_script(script: str) -> Iterator[str]:
    value = _parsed(script)
    if value is not None:
        yield from _flatten(value)
        return
    for string in _STRING.finditer(script):
        if "/v1/models/" in string.group() or "properties" in string.group():
            yield from _flatten(_parsed(string.group()))
    # An object written out in JavaScript is JSON more often than not.
    for block in find_blocks(script):
        yield from _flatten(_parsed(block.text))


def _flatten(value: Json) -> Iterator[str]:
    """Walk a value, and JSON in its strings, in reading order, without recursion: the depth is the page's choice."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            inner = _parsed(each)
            if isinstance(inner, (dict, list)):
                waiting.append(inner)
            elif any(sign in each for sign in _SIGNS):
                yield each
        elif isinstance(each, list):
            waiting.extend(reversed(each))
        elif isinstance(each, dict):
            if isinstance(each.get("properties"), dict) or set(each) == {"output"}:
                yield json.dumps(each, ensure_ascii=False, indent=2)
                continue
            if isinstance(each.get("model_id"), str) and "input_schema" in each:
                yield f"--url https://model-api.runcomfy.net/v1/models/{each['model_id']}"
            waiting.extend(reversed(each.values()))


def _parsed(text: str) -> Json:
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value
