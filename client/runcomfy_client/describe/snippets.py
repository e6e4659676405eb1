"""Ready lines to paste: one job in Python, sync and async, on the command line and with curl; its input is a good one.

Where a file is meant to be sent, a `LocalFile` stands in the input: the lines then read it from the folder they run in.
Nothing in a snippet hides: what cannot be seen stands as its escape. Addresses, package and method are arguments, so
that a snippet names the package it stands in.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..schema import MISSING, AllOf, AnyOf, Array, Boolean, Enum, Media, Null, Number, Object, OneOf, String, check
from ..schema.findings import has_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..schema import ModelSpec, Node, Property

_WIDTH = 80
_FILES = {"image": "image.png", "video": "video.mp4", "audio": "audio.mp3"}
_WORDS = "a red fox in the snow"
_TOKEN_HEADER = '-H "Authorization: Bearer $RUNCOMFY_API_TOKEN"'


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to be sent, in the input of a snippet: its name in the folder the lines run in, and its MIME type."""

    name: str
    mime: str


def example_input(spec: ModelSpec) -> dict[str, object]:
    """The API page's own request body if it has one that passes; else the required inputs with the schema's samples."""
    if spec.example and check(spec, spec.example).ok:
        return dict(spec.example)
    return _required_of(spec.input)


def sync_call(package: str, method: str, spec: ModelSpec, values: Mapping[str, object]) -> str:
    """Submit, wait, fetch. ``method`` is the path from the client, such as "bytedance.dreamina_4_0.edit"."""
    return f"""\
{_path_import(values)}from {package} import RunComfy

with RunComfy() as client:
    job = {_call(f"client.{method}", spec, values, 4)}
    result = job.wait(timeout=600)
    print(result.download("out/"))
"""


def async_call(package: str, method: str, spec: ModelSpec, values: Mapping[str, object]) -> str:
    """The same with ``await``."""
    return f"""\
import asyncio
{_path_import(values) or chr(10)}from {package} import AsyncRunComfy


async def main() -> None:
    async with AsyncRunComfy() as client:
        job = await {_call(f"client.{method}", spec, values, 8)}
        result = await job.wait(timeout=600)
        print(await result.download("out/"))


asyncio.run(main())
"""


def offline_check(package: str, spec: ModelSpec, values: Mapping[str, object]) -> str:
    """Every error of a payload, without a token and without the network."""
    return f"""\
{_path_import(values)}import {package}

payload = {_literal(dict(values), 0)}
report = {package}.validate({_literal(spec.model_id, 0)}, payload)
print(report.ok, report.errors, report.unchecked)
"""


def run_line(command: str, spec: ModelSpec, values: Mapping[str, object]) -> str:
    """The same on the command line; ``command`` is how it is called, such as "runcomfy-client"."""
    words = [word for wire, value in values.items() for word in _words(spec.input.properties[wire], wire, value)]
    return _wrap([f"{command} run {spec.model_id}", *words])


def curl_submit(url: str, values: Mapping[str, object]) -> str:
    """The one POST that a submit is. It is paid for each time it is sent."""
    head = [f"curl {shlex.quote(url)}", _TOKEN_HEADER, '-H "Content-Type: application/json"']
    files = list(_files(values))
    if not files:
        return _wrap([*head, f"-d {shlex.quote(visible_json(values, indent=2))}"])
    # A file is too long for an argument, so the body is made on the way: text, file, text.
    mark = "FILE"
    while mark in visible_json(_with_marks(values, "")):
        mark += "E"
    texts = visible_json(_with_marks(values, mark), indent=2).split(f'"{mark}"')
    lines = [f"printf %s {shlex.quote(_text_around(texts, index, files))}" for index in range(len(texts))]
    for index, file in reversed(list(enumerate(files, 1))):
        lines.insert(index, f"base64 < {shlex.quote(file.name)} | tr -d '\\n'")
    inner = "".join([f"  {line}\n" for line in lines])
    return f"{{\n{inner}}} | {_wrap([*head, '--data-binary @-'])}"


def curl_follow(requests_url: str) -> str:
    """Ask for the state and the result of the job whose id is in ``$REQUEST_ID``."""
    calls = [_wrap([f"curl {requests_url}/$REQUEST_ID/{what}", _TOKEN_HEADER]) for what in ("status", "result")]
    return "\n".join(calls)


def visible_json(value: object, *, indent: int | None = None) -> str:
    """JSON text in which nothing hides: what cannot be seen stands as its escape, all else as it is."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return "".join([char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text])


def _files(value: object) -> Iterator[LocalFile]:
    if isinstance(value, LocalFile):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _files(item)


def _with_marks(value: object, mark: str) -> object:
    """The value with a mark in the place of each file."""
    if isinstance(value, LocalFile):
        return mark
    if isinstance(value, dict):
        return {key: _with_marks(item, mark) for key, item in value.items()}
    return [_with_marks(item, mark) for item in value] if isinstance(value, list) else value


def _text_around(texts: list[str], index: int, files: list[LocalFile]) -> str:
    """The part of a body before, between or after its files, with the quotes of their data: URIs."""
    before = '"' if index else ""
    after = f'"data:{files[index].mime};base64,' if index < len(files) else ""
    return f"{before}{texts[index]}{after}"


def _path_import(values: Mapping[str, object]) -> str:
    return "from pathlib import Path\n\n" if any(_files(values)) else ""


def _call(function: str, spec: ModelSpec, values: Mapping[str, object], indent: int) -> str:
    """A call with each argument on a line of its own."""
    properties = spec.input.properties
    names = {wire: properties[wire].name or wire for wire in values if wire in properties}
    margin = " " * (indent + 4)
    lines = [f"{margin}{name}={_literal(values[wire], indent + 4)},\n" for wire, name in names.items()]
    return f"{function}(\n{''.join(lines)}{' ' * indent})" if lines else f"{function}()"


def _literal(value: object, indent: int) -> str:
    """A value as Python code; what would make a long line has a line for each item."""
    if isinstance(value, LocalFile):
        return f"Path({_literal(value.name, 0)})"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if value.isprintable() else repr(value)
    if isinstance(value, (list, tuple)):
        opening, closing = "[]"
        items = [_literal(item, indent + 4) for item in value]
    elif isinstance(value, dict):
        opening, closing = "{}"
        items = [f"{_literal(key, 0)}: {_literal(item, indent + 4)}" for key, item in value.items()]
    else:
        return repr(value)
    line = f"{opening}{', '.join(items)}{closing}"
    if "\n" not in line and len(line) <= _WIDTH - indent - 8:
        return line
    inner = " " * (indent + 4)
    return f"{opening}\n" + "".join([f"{inner}{item},\n" for item in items]) + " " * indent + closing


def _wrap(parts: list[str]) -> str:
    return " \\\n  ".join(parts)


def _words(prop: Property, wire: str, value: object) -> list[str]:
    name = prop.name or wire
    values = value if isinstance(value, (list, tuple)) else [value]
    if any(_files(value)):
        if all(isinstance(item, (str, LocalFile)) for item in values):
            return [f"{name}={_argument(item)}" for item in values]
        return [word for place, item in _leaves(name, value) for word in _leaf_words(place, item)]
    if values and all(isinstance(item, str) and item[:1] != "[" for item in values):
        return [f"{name}={_argument(item)}" for item in values]
    if isinstance(value, (bool, int, float)):
        return [f"{name}={json.dumps(value)}"]
    return [f"{name}:={shlex.quote(visible_json(value))}"]


def _argument(value: object) -> str:
    """A text, or a file, behind ``key=``."""
    if isinstance(value, LocalFile):
        return shlex.quote(f"@{value.name}")
    text = str(value)
    return shlex.quote(f"@{text}" if text.startswith("@") else text)


def _leaves(place: str, value: object) -> Iterator[tuple[str, object]]:
    """Every place inside a value with what stands there, as `key[0].inner`."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(f"{place}.{key}", item)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(f"{place}[{index}]", item)
    else:
        yield place, value


def _leaf_words(place: str, value: object) -> list[str]:
    if isinstance(value, LocalFile):
        return [f"{shlex.quote(place)}={_argument(value)}"]
    return [f"{shlex.quote(place)}:={shlex.quote(visible_json(value))}"]


def _required_of(node: Object) -> dict[str, object]:
    return {wire: _sample(node.properties[wire]) for wire in node.required if wire in node.properties}


def _sample(prop: Property) -> object:
    value = prop.default if prop.sample is MISSING else prop.sample
    # An empty text is how schemas say that there is no sample.
    if value is MISSING or value == "" or has_errors(prop.node.check(value) or ()):
        return _placeholder(prop.node)
    return value


def _placeholder(node: Node | None) -> object:
    """A small value of the right kind; patterns and media rules are not looked at."""
    if isinstance(node, Media):
        return f"https://example.com/{_FILES.get(node.kind, node.kind)}"
    if isinstance(node, Enum):
        return node.values[0]
    if isinstance(node, (AnyOf, OneOf, AllOf)):
        return _placeholder(node.nodes[0] if node.nodes else None)
    if isinstance(node, Array):
        return [_placeholder(node.items)] * max(node.min_items or 1, 1)
    if isinstance(node, Object):
        return _required_of(node)
    if isinstance(node, Boolean):
        return True
    if isinstance(node, Null):
        return None
    if isinstance(node, Number):
        return _number(node)
    if isinstance(node, String):
        return _WORDS.ljust(node.min_length or 0, ".")[: node.max_length]
    return "..."


def _number(node: Number) -> float:
    step = node.multiple_of or 1
    if node.minimum is not None:
        return node.minimum
    if node.exclusive_minimum is not None:
        return node.exclusive_minimum + step
    if node.maximum is not None:
        return min(node.maximum, step)
    if node.exclusive_maximum is not None:
        return min(node.exclusive_maximum - step, step)
    return step
