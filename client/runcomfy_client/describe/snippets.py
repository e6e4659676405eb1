"""Ready lines to paste: one job in Python, on this command line, and with curl; its input passes the check."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from ..schema import MISSING, AllOf, AnyOf, Array, Boolean, Enum, Media, Number, Object, OneOf, String, check
from ..schema.findings import raised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..schema import ModelSpec, Node, Property

_LONGEST_LINE = 72


def example_input(spec: ModelSpec) -> dict[str, object]:
    """The API page's own request body if it has one that passes; else the required inputs with the schema's samples."""
    if spec.example and check(spec, spec.example).ok:
        return dict(spec.example)
    return {wire: _sample(spec.input.properties[wire]) for wire in spec.input.required}


def python_snippet(method: str, spec: ModelSpec, given: Mapping[str, object]) -> str:
    """The call in Python. ``method`` is the path from the client, such as "bytedance.dreamina_4_0.edit"."""
    lines = ["from runcomfy import RunComfy", "", "with RunComfy() as client:", f"    job = client.{method}("]
    for wire, value in given.items():
        name = spec.input.properties[wire].name or wire
        lines.append(f"        {name}={_literal(value, 8)},")
    lines += ["    )", '    paths = job.wait().download("out/")']
    return "\n".join(lines)


def run_line(spec: ModelSpec, given: Mapping[str, object]) -> str:
    """The same as a command of this command line."""
    words = [word for wire, value in given.items() for word in _words(spec.input.properties[wire], wire, value)]
    return _wrapped(["runcomfy-client run " + spec.model_id, *words])


def curl_line(url: str, given: Mapping[str, object]) -> str:
    """The one POST that a submit is. It is paid for each time it is sent."""
    body = json.dumps(given, ensure_ascii=False)
    return _wrapped(
        [
            f"curl {shlex.quote(url)}",
            '-H "Authorization: Bearer $RUNCOMFY_API_TOKEN"',
            '-H "Content-Type: application/json"',
            f"-d {shlex.quote(body)}",
        ]
    )


def _literal(value: object, indent: int) -> str:
    """A value as Python code; a list that would make a long line has a line for each item."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if value.isprintable() else repr(value)
    if not isinstance(value, list):
        return repr(value)
    items = [_literal(item, indent + 4) for item in value]
    line = f"[{', '.join(items)}]"
    if len(line) <= _LONGEST_LINE - indent:
        return line
    inner = " " * (indent + 4)
    return "[\n" + "".join([f"{inner}{item},\n" for item in items]) + " " * indent + "]"


def _wrapped(parts: list[str]) -> str:
    return " \\\n  ".join(parts)


def _words(known: Property, wire: str, value: object) -> list[str]:
    name = known.name or wire
    values = value if isinstance(value, (list, tuple)) else [value]
    if values and all(isinstance(item, str) and item[:1] != "[" for item in values):
        texts = [f"@{item}" if str(item).startswith("@") else str(item) for item in values]
        return [f"{name}={shlex.quote(text)}" for text in texts]
    if isinstance(value, (bool, int, float)):
        return [f"{name}={json.dumps(value)}"]
    return [f"{name}:={shlex.quote(json.dumps(value, ensure_ascii=False))}"]


def _sample(known: Property) -> object:
    given = known.default if known.sample is MISSING else known.sample
    if given is MISSING or given == "":
        return _made_up(known.node)
    sample = _plain(given)
    found = known.node.judge(sample)
    return _made_up(known.node) if found and raised(found) else sample


def _made_up(node: Node | None) -> object:
    """A small value of the right kind; the schema says no more than that."""
    if isinstance(node, Media):
        return f"https://example.com/{_FILES.get(node.kind, node.kind)}"
    if isinstance(node, Enum):
        return node.values[0]
    if isinstance(node, (AnyOf, OneOf, AllOf)):
        return _made_up(node.nodes[0] if node.nodes else None)
    if isinstance(node, Array):
        return [_made_up(node.items)] * max(node.min_items or 1, 1)
    if isinstance(node, Object):
        return {wire: _sample(node.properties[wire]) for wire in node.required}
    if isinstance(node, Boolean):
        return True
    if isinstance(node, Number):
        return next((bound for bound in (node.minimum, node.maximum) if bound is not None), 1)
    if isinstance(node, String):
        return "a red fox in the snow".ljust(node.min_length or 0, ".")[: node.max_length]
    return "..."


_FILES = {"image": "image.png", "video": "video.mp4", "audio": "audio.mp3"}


def _plain(value: object) -> object:
    """A spec's frozen sample as JSON has it: lists for tuples."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
