"""A model's form: from a payload to the fields of a form and back, by the nodes of the model's schema.

Three functions over one representation, the form's data, which is what a browser sends: names and texts.

    write(node, payload)    a payload as form data; whatever a control cannot hold stands there as JSON
    read(node, data)        form data as a payload, with the place of each value
    fields(spec, data)      form data as fields for a template to show

A field is named by its position in the tree of nodes ("f.3.0"), never by the schema's texts: these may hold anything.
Beside the value stand, where needed, `:as` ("json"), `:rows` (how many rows a list shows), `:alt` (which alternative is
chosen), `:empty` (send it although it is empty) and `:more` (keys that the schema does not have, as JSON).

What is empty is not given, and what is not given is not sent.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from runcomfy_client.describe.parameters import parameters, rule_words, type_words
from runcomfy_client.schema import (
    MISSING,
    AllOf,
    AnyOf,
    AnyValue,
    Array,
    Boolean,
    Enum,
    ErrorFinding,
    Integer,
    Media,
    ModelSpec,
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
# A slider with more steps cannot be set by hand.
MOST_STEPS = 1000

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
            return kind_of(_shape(node))
        case _:
            return "json"


def _shape(node: Node | None) -> Node | None:
    """Of a node that several must fit, the one that says what it looks like."""
    if not isinstance(node, AllOf):
        return node
    kinds = (Media, Enum, Array, Object, Boolean, Number, String)
    shaped = (part for kind in kinds for part in node.nodes if isinstance(part, kind))
    return next(shaped, node.nodes[0] if node.nodes else None)


def _inner(node: Array) -> Node:
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
    node = _shape(node)
    if not _fits(node, value):
        data[f"{name}:as"] = "json"
        data[name] = _json_text(value)
        return
    match node:
        case Enum():
            data[name] = str(next(index for index, each in enumerate(node.values) if json_equal(value, each)))
        case Boolean() | Number() if not isinstance(value, str):
            data[name] = json.dumps(value)
        case Array() if isinstance(value, list):
            data[f"{name}:rows"] = str(len(value))
            if not value:
                data[f"{name}:empty"] = "1"
            for index, item in enumerate(value):
                _write(_inner(node), item, f"{name}.{index}", data)
        case Object() if node.properties and isinstance(value, dict):
            _write_object(node, value, name, data)
        case AnyOf() | OneOf():
            chosen = _alternative(node, value)
            data[f"{name}:alt"] = str(chosen)
            _write(node.nodes[chosen], value, f"{name}.{chosen}", data)
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
    match _shape(node):
        case Media():
            return isinstance(value, str) and value != "" and not _CHANGED.search(value) and "\n" not in value
        case Enum(values=values):
            return any(json_equal(value, each) for each in values)
        case Boolean():
            return isinstance(value, bool)
        case Number():
            if isinstance(value, str):  # what is no number is typed as it is, and judged as it is
                return value.strip() == value != "" and not _NUMBER.fullmatch(value) and _is_line(value)
            return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        case String():
            return isinstance(value, str) and not _CHANGED.search(value)
        case Null():
            return value is None
        case Array():
            return isinstance(value, list) and len(value) <= MOST_ROWS
        case Object() as found if found.properties:
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
        node = _shape(node)
        text = self._data.get(name, "")
        if self._data.get(f"{name}:as") == "json":
            return self._json(text, keys)
        match node:
            case Enum(values=values):
                return values[int(text)] if text.isdecimal() and int(text) < len(values) else MISSING
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
                chosen = self._data.get(f"{name}:alt", "")
                if not chosen.isdecimal() or int(chosen) >= len(nodes):
                    return MISSING
                return self.value(nodes[int(chosen)], f"{name}.{int(chosen)}", keys)
            case _:
                return self._json(text, keys)

    def _list(self, node: Array, name: str, keys: Keys) -> object:
        inner, found = _inner(node), list[object]()
        for row in range(rows_of(self._data, name)):
            self._rows += 1
            if self._rows > MOST_ROWS_IN_ALL:
                raise FormError(f"The form has more than {MOST_ROWS_IN_ALL} rows.")
            item = self.value(inner, f"{name}.{row}", (*keys, len(found)))
            if item is not MISSING:
                found.append(item)
        return found if found or self._is_empty(name) else MISSING

    def _object(self, node: Object, name: str, keys: Keys) -> object:
        found: dict[str, object] = {}
        for index, (wire, known) in enumerate(node.properties.items()):
            item = self.value(known.node, f"{name}.{index}", (*keys, wire))
            if item is not MISSING:
                found[wire] = item
        more = self._json(self._data.get(f"{name}:more", ""), keys)
        if isinstance(more, dict):
            for key in [key for key in more if key in node.properties]:
                self.findings.append(ErrorFinding("json", "has a field of its own", keys=(*keys, key)))
            found |= {key: item for key, item in more.items() if key not in node.properties}
        elif more is not MISSING:
            self.findings.append(ErrorFinding("json", "other keys are written as a JSON object", keys=keys))
        return found if found or name == ROOT or self._is_empty(name) else MISSING

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
    found = re.match(r"(\d+)([.:]?)(.*)", rest)
    return (found[1], found[2], found[3]) if found else ("", "", "")


# From form data to fields.


@dataclass(frozen=True, slots=True)
class Slider:
    low: str
    high: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field as a template shows it.

    ``kind`` is that of its control, "json" also where a control cannot hold the value; ``note`` then says why.
    ``text`` is what stands in the control, ``rows`` how high a text area is at least. ``empty`` says whether it is sent
    although it is empty; None if that is not offered. ``options`` are value, label and whether it is chosen.
    """

    name: str
    kind: str
    label: str
    wire: str = ""
    type: str = ""
    about: str = ""
    limits: tuple[str, ...] = ()
    required: bool = False
    default: str = ""
    text: str = ""
    rows: int = 1
    longest: int | None = None
    note: str = ""
    empty: bool | None = None
    options: tuple[tuple[str, str, bool], ...] = ()
    slider: Slider | None = None
    media: str = ""
    items: tuple[Field, ...] = ()
    more: str = ""
    can_add: bool = False
    can_clear: bool = False

    @property
    def id(self) -> str:
        return self.name.replace(".", "-")

    @property
    def is_group(self) -> bool:
        return self.kind in ("list", "object", "alternatives")


def fields(spec: ModelSpec, data: Mapping[str, str]) -> tuple[Field, ...]:
    """The fields of a model's form, required ones first."""
    if data.get(f"{ROOT}:as") == "json" or kind_of(spec.input) == "json":
        note = "This input cannot stand in the fields of a form."
        return (Field(name=ROOT, kind="json", label="Input", text=data.get(ROOT, ""), note=note, rows=12),)
    return _object_fields(spec.input, ROOT, data)


def field_at(spec: ModelSpec, data: Mapping[str, str], name: str) -> Field | None:
    """One field of the form, by its name."""

    def search(found: tuple[Field, ...]) -> Field | None:
        for each in found:
            if each.name == name:
                return each
            if name.startswith(f"{each.name}."):
                return search(each.items)
        return None

    return search(fields(spec, data))


def names_in(found: tuple[Field, ...]) -> list[str]:
    """The names of fields and of those inside, in the order in which they are shown."""
    return [name for each in found for name in (each.name, *names_in(each.items))]


def _object_fields(node: Object, name: str, data: Mapping[str, str]) -> tuple[Field, ...]:
    positions = {wire: index for index, wire in enumerate(node.properties)}
    found = []
    for one in parameters(node):
        default = "" if one.required or one.default is MISSING else _shown(one.default)
        made = _field(one.node, f"{name}.{positions[one.wire_name]}", data, default)
        title = one.title if one.title and len(one.title) <= 60 else _spoken(one.wire_name)
        label = title[:1].upper() + title[1:]
        about = "" if one.description == one.title else one.description
        limits = one.limits if made.kind != "choice" else ()
        found.append(
            replace(
                made, label=label, wire=one.wire_name, about=about, limits=limits, required=one.required, type=one.type
            )
        )
    more = data.get(f"{name}:more", "")
    if more or node.extra:
        note = "" if node.extra else "The schema does not have these keys."
        found.append(Field(name=f"{name}:more", kind="json", label="Other keys", text=more, note=note, rows=3))
    return tuple(found)


def _field(node: Node | None, name: str, data: Mapping[str, str], default: str = "", label: str = "") -> Field:
    """The field of a node; of a property, label and texts are added by ``_object_fields``."""
    node = _shape(node)
    text = data.get(name, "")
    kind = kind_of(node)
    make = Field(name=name, kind=kind, label=label or type_words(node).capitalize(), default=default, text=text)
    if data.get(f"{name}:as") == "json" and kind != "json":
        note = f"The field for {_article(type_words(node))} cannot hold this value, so it stands here as JSON."
        return replace(make, kind="json", note=note, rows=text.count("\n") + 1, can_clear=True)
    match node:
        case Enum(values=values):
            chosen = text if text.isdecimal() else ""
            options = [(str(index), _shown(value), str(index) == chosen) for index, value in enumerate(values)]
            return replace(make, options=tuple(options))
        case Boolean():
            usual = {"true": "Default (on)", "false": "Default (off)"}.get(default, "Not sent")
            options = [("", usual, text not in ("true", "false"))]
            options += [("true", "On", text == "true"), ("false", "Off", text == "false")]
            return replace(make, options=tuple(options))
        case Number():
            return replace(make, slider=_slider(node))
        case Media():
            limits = tuple(map(rule_words, node.rules))
            return replace(make, media=node.kind, limits=limits)
        case String():
            longest = node.max_length
            rows = 1 if longest is not None and longest <= 120 else 3
            return replace(make, rows=rows, longest=longest, empty=_offer(node, "", name, data))
        case Array():
            count = rows_of(data, name)
            items = [_field(_inner(node), f"{name}.{row}", data, label=f"Item {row + 1}") for row in range(count)]
            can_add = count < min(MOST_ROWS, MOST_ROWS if node.max_items is None else node.max_items)
            return replace(make, items=tuple(items), can_add=can_add, empty=_offer(node, [], name, data))
        case Object() if node.properties:
            return replace(make, items=_object_fields(node, name, data), empty=_offer(node, {}, name, data))
        case AnyOf(nodes=nodes) | OneOf(nodes=nodes):
            chosen = data.get(f"{name}:alt", "")
            options = [(str(index), _alternative_words(part), str(index) == chosen) for index, part in enumerate(nodes)]
            index = next((int(value) for value, _, is_chosen in options if is_chosen), None)
            items = [] if index is None else [_field(nodes[index], f"{name}.{index}", data)]
            return replace(make, options=tuple(options), items=tuple(items))
        case _:
            return replace(make, rows=3)


def _offer(node: Node, nothing: object, name: str, data: Mapping[str, str]) -> bool | None:
    """Whether the field is sent although it is empty; None where the schema would refuse that anyway."""
    ticked = bool(data.get(f"{name}:empty"))
    return ticked if ticked or not has_errors(node.check(nothing) or ()) else None


def _slider(node: Number) -> Slider | None:
    """The slider of a number with two bounds, with steps that people can hit."""
    low, high = node.minimum, node.maximum
    if low is None or high is None or not low < high or not math.isfinite(high - low):
        return None
    if node.multiple_of is not None:
        step: float = node.multiple_of
    elif isinstance(node, Integer):
        step = 1
    else:
        step = 10.0 ** (math.floor(math.log10(high - low)) - 2)
    if step <= 0 or (high - low) / step > MOST_STEPS:
        return None
    return Slider(f"{low:g}", f"{high:g}", f"{step:g}")


def _shown(value: object) -> str:
    """A value as an option or a default shows it."""
    if isinstance(value, str) and value:
        return value if len(value) <= 80 else f"{value[:77]}..."
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _spoken(wire: str) -> str:
    words = " ".join(wire.replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:60] if words else "(no name)"


def _alternative_words(node: Node) -> str:
    words = type_words(node)
    if isinstance(node, Enum) and len(node.values) == 1:
        words = _shown(node.values[0])
    elif isinstance(node, Enum):
        words = "one of a list"
    elif isinstance(node, Object) and node.properties:
        words = "object with " + ", ".join([*node.properties][:3])
    return words[:1].upper() + words[1:]


def _article(words: str) -> str:
    return f"{'an' if words[:1] in 'aeio' else 'a'} {words}"
