"""From words to a payload: `key=value` typed by the schema, `key=@file` and `key:=json`, over `--input`.

A key may lead inside: `keyframes[0].image_url=@first.png`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from ..errors import InvalidInputError
from ..schema import MISSING, AllOf, AnyOf, Array, Media, Object, OneOf, Report
from ..schema.json_payload import read_payload, without_schema_key
from ..text_values import item_node, kinds_in, typed_value
from .errors import CommandError, NoFileError
from .payload_files import YAML_SUFFIXES, read_yaml_bytes
from .text import write_place
from .validation import other_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..schema import Finding, ModelSpec, Node

# Keys and indexes that lead from the payload to a value.
Place: TypeAlias = "tuple[str | int, ...]"

_PATH = re.compile(r"[^.\[\]]+(?:\[\d{1,4}\]|\.[^.\[\]]+)+")
_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


class Stdin:
    """Standard input, which can be read only once."""

    def __init__(self) -> None:
        self._taken = False

    def read(self) -> bytes:
        if self._taken:
            raise CommandError("standard input is named twice, but can be read only once")
        self._taken = True
        return sys.stdin.buffer.read()


def read_inputs(
    model_id: str, spec: ModelSpec | None, words: Sequence[str], base: str | None
) -> tuple[dict[str, object], list[Finding]]:
    """The payload that ``words`` and ``--input`` (``base``) ask for, with wire names; local media are paths or bytes.

    The findings are what the values alone cannot show of ``--input``: keys that stand there twice, and a "$schema" of
    another model.
    Raises CommandError for words that have no meaning, NoFileError for files that are not there, InvalidInputError for
    an ``--input`` that is not JSON.
    """
    stdin = Stdin()
    payload: dict[str, object] = {}
    findings: list[Finding] = []
    if base is not None:
        payload, findings = _base(model_id, base, stdin)
        findings = [*findings, *other_model(model_id, payload)]
        payload = cast("dict[str, object]", without_schema_key(payload))
    for (place, node), values in _grouped(spec, words):
        put(payload, place, _value(write_place(place), node, values, stdin))
    return payload, findings


def read_extra(text: str | None) -> dict[str, object]:
    """The keys of ``--extra-input``: JSON, or @FILE. Raises CommandError or NoFileError for what is neither."""
    if text is None:
        return {}
    source: str | bytes = _file(text[1:], "--extra-input") if text.startswith("@") else text
    extra, findings = read_payload(source)
    if findings or not isinstance(extra, dict):
        reason = f": it {findings[0].message}" if findings else ""
        raise CommandError(f'--extra-input takes a JSON object such as {{"lora": {{...}}}}, or @FILE{reason}')
    return extra


def _base(model_id: str, base: str, stdin: Stdin) -> tuple[dict[str, object], list[Finding]]:
    source: str | bytes = base
    if base in ("-", "@-"):
        source = stdin.read()
    elif base.startswith("@"):
        source = _file(base[1:], "--input")
    if base.lower().endswith(YAML_SUFFIXES) and isinstance(source, bytes):
        documents = read_yaml_bytes(source)
        if len(documents) > 1:
            raise CommandError(f"--input takes one payload, and {base[1:]} holds {len(documents)}")
        payload, findings, _ = documents[0]
    else:
        payload, findings = read_payload(source)
    if payload is MISSING:
        raise InvalidInputError(Report(model_id, findings))
    if not isinstance(payload, dict):
        raise CommandError('--input must be a JSON object such as {"prompt": "..."}, or @FILE, or - for standard input')
    return payload, findings


def _grouped(
    spec: ModelSpec | None, words: Sequence[str]
) -> Iterator[tuple[tuple[Place, Node | None], list[tuple[bool, str]]]]:
    """The values of each place, in order; True with those given as JSON. Python names become wire names."""
    groups: dict[Place, list[tuple[bool, str]]] = {}
    nodes: dict[Place, Node | None] = {}
    for word in words:
        key, equals, text = word.partition("=")
        is_json = key.endswith(":")
        key = key.removesuffix(":")
        if not equals or not key:
            text = "-" if word == "@-" else word  # the parser takes no bare "-"
            raise CommandError(f"{text!r} is not key=value; inputs look like prompt='a red fox' or seed=7")
        place, node = read_place(spec, key)
        nodes[place] = node
        groups.setdefault(place, []).append((is_json, text))
    yield from (((place, nodes[place]), values) for place, values in groups.items())


def _value(key: str, node: Node | None, values: list[tuple[bool, str]], stdin: Stdin) -> object:
    if len(values) == 1:
        is_json, text = values[0]
        return _json(key, text) if is_json else typed_value(node, _read(key, node, text, stdin))
    items = item_node(node)
    if items is None or any(is_json for is_json, _ in values):
        raise CommandError(
            f"{key} is given {len(values)} times" + ("" if items is None else "; use := once, for the whole list")
        )
    return [typed_value(items[0], _read(key, items[0], text, stdin)) for _, text in values]


def _read(key: str, node: Node | None, text: str, stdin: Stdin) -> object:
    """The text, or what the file it names holds: the bytes of media (as a path), JSON for objects, else text."""
    if text.startswith("@@"):
        return text[1:]
    if not text.startswith("@"):
        return text
    place = text[1:]
    kinds = set(kinds_in(node))
    if Media in kinds or node is None:
        if place == "-":
            return stdin.read()
        path = Path(place).expanduser()
        _file_is_there(path, key, text)
        return path
    data = stdin.read() if place == "-" else _file(place, key, text)
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(f"{key}: {place} is not UTF-8 text") from None
    if kinds <= {Object, Array}:
        return _json(key, content)
    # An editor ends the last line; a prompt does not end with a line break.
    return content.removesuffix("\n").removesuffix("\r")


def _json(key: str, text: str) -> object:
    value, findings = read_payload(text)
    if findings:
        raise CommandError(f"{key}:= takes JSON, but the value {findings[0].message}; for plain text write {key}=...")
    return value


def _file(place: str, key: str, text: str = "") -> bytes:
    path = Path(place).expanduser()
    _file_is_there(path, key, text)
    try:
        return path.read_bytes()
    except OSError as error:
        raise NoFileError(f"{key}: cannot read {place}: {error.strerror or error}") from None


def _file_is_there(path: Path, key: str, text: str) -> None:
    try:
        is_file = path.is_file()
    except (OSError, ValueError):  # a name no file can have
        is_file = False
    if not is_file:
        # Prompts may well start with "@": models call their reference images @Image1.
        cure = f"; for text that begins with @, write {key}=@{text}" if text else ""
        raise NoFileError(f"{key}: no such file: {str(path)!r}{cure}")


def read_place(spec: ModelSpec | None, key: str) -> tuple[Place, Node | None]:
    """Where `key` leads, by wire names, and what the schema takes there; None if that is unknown.

    A key that is a property's own name is that property, dots and brackets included.
    """
    here: Node | None = spec.input if spec else None
    name, node = _step(here, key)
    if node is not None or not _PATH.fullmatch(key):
        return (name,), node
    place: list[str | int] = []
    for index, word in _PART.findall(key):
        part, here = _step(here, int(index) if index else word)
        place.append(part)
    return tuple(place), here


def put(payload: dict[str, object], place: Place, value: object) -> None:
    """Set the value at a place; lists and objects on the way are made. Raises CommandError if the place cannot be."""
    container: object = payload
    for depth, part in enumerate(place):
        last = depth == len(place) - 1
        child: object = value if last else [] if isinstance(place[depth + 1], int) else {}
        if isinstance(container, dict) and isinstance(part, str):
            container[part] = child if last else container.get(part, child)
        elif isinstance(container, list) and isinstance(part, int):
            if part > len(container):
                before = write_place((*place[:depth], part - 1))
                raise CommandError(f"{write_place(place)} is given, but {before} is not; lists are filled in order")
            if part == len(container):
                container.append(child)
            elif last:
                container[part] = child
        else:
            kind = "a list" if isinstance(part, int) else "an object"
            raise CommandError(f"{write_place(place)} is given, but {write_place(place[:depth])} is not {kind}")
        container = container[part]  # type: ignore[index]  # the branches above have looked


def _step(node: Node | None, part: str | int) -> tuple[str | int, Node | None]:
    """One step down: the wire name or the index, and what is there."""
    if isinstance(node, (AnyOf, OneOf, AllOf)):
        steps = (_step(branch, part) for branch in node.nodes)
        return next((step for step in steps if step[1] is not None), (part, None))
    if isinstance(node, Array) and isinstance(part, int):
        return part, node.items
    if isinstance(node, Object) and isinstance(part, str):
        for wire, prop in node.properties.items():
            if part in (wire, prop.name):
                return wire, prop.node
    return part, None
