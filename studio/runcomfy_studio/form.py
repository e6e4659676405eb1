"""A model's form: from a payload to what a browser sends and back, by the nodes of the model's schema.

Two functions over one representation, the form's data, which is what a browser sends: names and texts.

    write(node, payload)    a payload as form data; whatever a control cannot hold stands there as JSON
    read(node, data)        form data as a payload, with the place of each value

`fields` shows the same data as fields of a page.

A field is named by its position in the tree of nodes ("f.3.0"), never by the schema's texts: these may hold anything.
Beside the value stand, where needed, `:as` ("json"), `:rows` (how many rows a list shows), `:alt` (which alternative is
chosen), `:empty` (send it although it is empty) and `:more` (keys that the schema does not have, as JSON).

What is empty is not given, and what is not given is not sent.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from runcomfy_client.schema import (
    MISSING,
    AllOf,
    AnyOf,
    AnyValue,
    Array,
    Boolean,
    Enum,
    ErrorFinding,
    Media,
    Node,
    Null,
    Number,
    Object,
    OneOf,
    String,
)
from runcomfy_client.schema.findings import Finding, has_errors
from runcomfy_client.schema.json_payload import read_payload
from runcomfy_client.schema.nodes import json_equal

if TYPE_CHECKING:
    from collections.abc import Mapping

Data: TypeAlias = "dict[str, str]"
Keys: TypeAlias = "tuple[str | int, ...]"

ROOT = "f"
# Rows of one list, and of all lists of a form together: a browser may name any number.
MOST_ROWS = 100
MOST_ROWS_IN_ALL = 2000

_NAME = re.compile(r"f(?:\.\d{1,5})*(?::(?:as|rows|alt|empty|more))?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
# What a text area or an input would change: line ends are made one kind, and these are dropped.
_CHANGED = re.compile(r"[\r\0\ud800-\udfff]")


class FormError(Exception):
    """Form data that no form of ours sends."""


def clean(pairs: list[tuple[str, str]]) -> Data:
    """The fields of a form among what a browser has sent, with the line ends that people typed."""
    return {name: text.replace("\r\n", "\n") for name, text in pairs if _NAME.fullmatch(name)}


def kind_of(node: Node | None) -> str:
    """The control that stands for a node."""
    match node:
        case Media():
            return "media"
        case Enum():
            return "choice"
        case Boolean():
            return "switch"
        case Number():
            return "number"
        case String():
            return "text"
        case Null():
            return "null"
        case Array():
            return "list"
        case Object() if node.properties:
            return "object"
        case AnyOf() | OneOf():
            return "alternatives"
        case AllOf() if node.nodes:
            return kind_of(shape_of(node))
        case _:
            return "json"


def shape_of(node: Node | None) -> Node | None:
    """Of a node that several must fit, the one that says what it looks like."""
    if not isinstance(node, AllOf):
        return node
    kinds = (Media, Enum, Array, Object, Boolean, Number, String)
    shaped = (part for kind in kinds for part in node.nodes if isinstance(part, kind))
    return next(shaped, node.nodes[0] if node.nodes else None)


def item_node(node: Array) -> Node:
    """The node of a list's items, with the media rules of the list."""
    inner = node.items or AnyValue()
    return inner.with_rules(node.rules) if isinstance(inner, Media) and node.rules else inner


# From a payload to form data.


def write(node: Object, payload: Mapping[str, object]) -> Data:
    """The payload as form data; ``read`` gives it back as it was."""
    data: Data = {}
    _write(node, dict(payload), ROOT, data)
    return data


def _write(node: Node | None, value: object, name: str, data: Data) -> None:
    node = shape_of(node)
    if not _fits(node, value):
        data[f"{name}:as"] = "json"
        data[name] = _json_text(value)
        return
    match node:
        case Enum():
            data[name] = str(next(index for index, option in enumerate(node.values) if json_equal(value, option)))
        case Boolean() | Number() if not isinstance(value, str):
            data[name] = json.dumps(value)
        case Array() if isinstance(value, list):
            data[f"{name}:rows"] = str(len(value))
            if not value:
                data[f"{name}:empty"] = "1"
            for index, item in enumerate(value):
                _write(item_node(node), item, f"{name}.{index}", data)
        case Object() if node.properties and isinstance(value, dict):
            _write_object(node, value, name, data)
        case AnyOf() | OneOf():
            index = _alternative(node, value)
            data[f"{name}:alt"] = str(index)
            _write(node.nodes[index], value, f"{name}.{index}", data)
        case Media() | String() | Number() if isinstance(value, str):
            data[name] = value
            if not value:
                data[f"{name}:empty"] = "1"
        case Null():
            pass
        case _:
            data[name] = _json_text(value)


def _write_object(node: Object, value: Mapping[str, object], name: str, data: Data) -> None:
    for index, (wire, known) in enumerate(node.properties.items()):
        if wire in value:
            _write(known.node, value[wire], f"{name}.{index}", data)
    more = {key: item for key, item in value.items() if key not in node.properties}
    if more:
        data[f"{name}:more"] = _json_text(more)
    if not value:
        data[f"{name}:empty"] = "1"


def _fits(node: Node | None, value: object) -> bool:
    """Whether the node's control can hold the value and give it back."""
    match shape_of(node):
        case Media():
            return isinstance(value, str) and value != "" and not _CHANGED.search(value) and "\n" not in value
        case Enum(values=values):
            return any(json_equal(value, option) for option in values)
        case Boolean():
            return isinstance(value, bool)
        case Number():
            if isinstance(value, str):  # what is no number is typed as it is, and checked as it is
                return value.strip() == value != "" and not _NUMBER.fullmatch(value) and _is_line(value)
            return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        case String():
            return isinstance(value, str) and not _CHANGED.search(value)
        case Null():
            return value is None
        case Array():
            return isinstance(value, list) and len(value) <= MOST_ROWS
        case Object() as shape if shape.properties:
            return isinstance(value, dict)
        case AnyOf(nodes=nodes) | OneOf(nodes=nodes):
            return any(_fits(part, value) for part in nodes)
        case _:
            return True


def _is_line(text: str) -> bool:
    return not _CHANGED.search(text) and "\n" not in text


def _alternative(node: AnyOf | OneOf, value: object) -> int:
    """The alternative that a value is meant for: the first that it fits, else the first whose control can hold it."""
    able = [index for index, part in enumerate(node.nodes) if _fits(part, value)]
    return next((index for index in able if not has_errors(node.nodes[index].check(value) or ())), able[0])


def _json_text(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return json.dumps(value, indent=2) if _CHANGED.search(text) else text


# From form data to a payload.


@dataclass(frozen=True, slots=True)
class Reading:
    """What a form says.

    ``places`` has the field of each place of the payload, also of those that are not given. ``findings`` are about
    texts that stand for JSON and are none; what they stand at is not in the payload.
    """

    payload: dict[str, object]
    places: dict[Keys, str]
    findings: list[Finding]

    def field_of(self, keys: Keys) -> str:
        """The field that is, or holds, a place of the payload."""
        while keys and keys not in self.places:
            keys = keys[:-1]
        return self.places.get(keys, ROOT)


def read(node: Object, data: Mapping[str, str]) -> Reading:
    """Form data as a payload. Raises FormError for what no form of ours sends."""
    reader = _Reader(data)
    payload = reader.value(node, ROOT, ())
    if not isinstance(payload, dict):
        if payload is not MISSING:
            reader.findings.append(ErrorFinding("json", "the input is a JSON object"))
        payload = {}
    return Reading(payload, reader.places, reader.findings)


class _Reader:
    def __init__(self, data: Mapping[str, str]) -> None:
        self._data = data
        self._rows = 0
        self.places: dict[Keys, str] = {}
        self.findings: list[Finding] = []

    def value(self, node: Node | None, name: str, keys: Keys) -> object:
        """What stands at a field; MISSING if nothing is given."""
        self.places[keys] = name
        node = shape_of(node)
        text = self._data.get(name, "")
        if self._data.get(f"{name}:as") == "json":
            return self._json(text, keys)
        match node:
            case Enum(values=values):
                index = index_in(text, len(values))
                return MISSING if index is None else values[index]
            case Boolean():
                return {"true": True, "false": False}.get(text, MISSING)
            case Number():
                return _number(text.strip())
            case Media() | String():
                return text if text or self._is_empty(name) else MISSING
            case Null():
                return None
            case Array():
                return self._list(node, name, keys)
            case Object() if node.properties:
                return self._object(node, name, keys)
            case AnyOf(nodes=nodes) | OneOf(nodes=nodes):
                index = index_in(self._data.get(f"{name}:alt", ""), len(nodes))
                return MISSING if index is None else self.value(nodes[index], f"{name}.{index}", keys)
            case _:
                return self._json(text, keys)

    def _list(self, node: Array, name: str, keys: Keys) -> object:
        inner, items = item_node(node), list[object]()
        for row in range(rows_of(self._data, name)):
            self._rows += 1
            if self._rows > MOST_ROWS_IN_ALL:
                raise FormError(f"The form has more than {MOST_ROWS_IN_ALL} rows.")
            item = self.value(inner, f"{name}.{row}", (*keys, len(items)))
            if item is not MISSING:
                items.append(item)
        return items if items or self._is_empty(name) else MISSING

    def _object(self, node: Object, name: str, keys: Keys) -> object:
        payload: dict[str, object] = {}
        for index, (wire, known) in enumerate(node.properties.items()):
            item = self.value(known.node, f"{name}.{index}", (*keys, wire))
            if item is not MISSING:
                payload[wire] = item
        more = self._json(self._data.get(f"{name}:more", ""), keys)
        if isinstance(more, dict):
            for key in [key for key in more if key in node.properties]:
                self.findings.append(ErrorFinding("json", "has a field of its own", keys=(*keys, key)))
            for key in [key for key in more if key not in node.properties]:
                payload[key] = more[key]
                self.places[(*keys, key)] = f"{name}:more"
        elif more is not MISSING:
            self.findings.append(ErrorFinding("json", "other keys are written as a JSON object", keys=keys))
        return payload if payload or name == ROOT or self._is_empty(name) else MISSING

    def _json(self, text: str, keys: Keys) -> object:
        if not text.strip():
            return MISSING
        value, findings = read_payload(text)
        for finding in findings:
            finding.keys = (*keys, *finding.keys)
        self.findings += findings
        return value

    def _is_empty(self, name: str) -> bool:
        return bool(self._data.get(f"{name}:empty"))


def index_in(text: str, count: int) -> int | None:
    """The place in a list that a browser names, if there is one."""
    index = int(text) if text.isdecimal() and len(text) < 9 else count
    return index if index < count else None


def rows_of(data: Mapping[str, str], name: str) -> int:
    """How many rows a list shows."""
    text = data.get(f"{name}:rows", "")
    return min(int(text), MOST_ROWS) if text.isdecimal() and len(text) < 9 else MOST_ROWS if text.isdecimal() else 0


def _number(text: str) -> object:
    """The number that was typed; what is none stays the text it is, for the check to refuse."""
    if not text:
        return MISSING
    if not _NUMBER.fullmatch(text) or len(text) > 400:
        return text
    if text.lstrip("+-").isdecimal():
        return int(text)
    value = float(text)
    return value if math.isfinite(value) else text


# What the buttons of a form change.


def add_row(data: Data, name: str) -> Data:
    return {**data, f"{name}:rows": str(min(rows_of(data, name) + 1, MOST_ROWS))}


def remove_row(data: Data, name: str, row: int) -> Data:
    """The form without a row; those below it move up."""
    rows = rows_of(data, name)
    if not 0 <= row < rows:
        return data
    changed: Data = {f"{name}:rows": str(rows - 1)}
    for key, text in data.items():
        rest = key.removeprefix(f"{name}.")
        number, mark, tail = _split(rest) if rest != key else ("", "", "")
        if not number:
            changed.setdefault(key, text)
        elif int(number) != row:
            changed[f"{name}.{int(number) - (int(number) > row)}{mark}{tail}"] = text
    return changed


def clear(data: Data, name: str) -> Data:
    """The form with a field left empty."""
    return {key: text for key, text in data.items() if key != name and not key.startswith((f"{name}.", f"{name}:"))}


def _split(rest: str) -> tuple[str, str, str]:
    """ "12.3:as" as "12", ".", "3:as"."""
    match = re.match(r"(\d+)([.:]?)(.*)", rest)
    return (match[1], match[2], match[3]) if match else ("", "", "")
