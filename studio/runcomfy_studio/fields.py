"""The fields of a model's form as a template shows them: the schema's texts, controls and what these hold."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runcomfy_client.describe.parameters import parameters, rule_words, type_words
from runcomfy_client.schema import (
    MISSING,
    AnyOf,
    Array,
    Boolean,
    Enum,
    Integer,
    Media,
    Number,
    Object,
    OneOf,
    String,
)
from runcomfy_client.schema.findings import has_errors

from .form import MOST_ROWS, ROOT, index_in, item_node, kind_of, rows_of, shape_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runcomfy_client.schema import ModelSpec, Node

# A slider with more steps cannot be set by hand.
MOST_STEPS = 1000


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
        return element_id(self.name)

    @property
    def is_group(self) -> bool:
        return self.kind in ("list", "object", "alternatives")


def fields(spec: ModelSpec, data: Mapping[str, str]) -> tuple[Field, ...]:
    """The fields of a model's form, required ones first."""
    if data.get(f"{ROOT}:as") == "json" or kind_of(spec.input) == "json":
        note = "This input cannot stand in the fields of a form."
        return (Field(name=ROOT, kind="json", label="Input", text=data.get(ROOT, ""), note=note, rows=12),)
    return _object_fields(spec.input, ROOT, data)


def element_id(name: str) -> str:
    """What the element of a field is called: in a selector "." and ":" mean something."""
    return name.replace(".", "-").replace(":", "-")


def field_at(spec: ModelSpec, data: Mapping[str, str], name: str) -> Field | None:
    """One field of the form, by its name."""

    def search(tree: tuple[Field, ...]) -> Field | None:
        for field in tree:
            if field.name == name:
                return field
            if name.startswith(f"{field.name}."):
                return search(field.items)
        return None

    return search(fields(spec, data))


def names_in(tree: tuple[Field, ...]) -> list[str]:
    """The names of fields and of those inside, in the order in which they are shown."""
    return [name for field in tree for name in (field.name, *names_in(field.items))]


def _object_fields(node: Object, name: str, data: Mapping[str, str]) -> tuple[Field, ...]:
    positions = {wire: index for index, wire in enumerate(node.properties)}
    rows = []
    for one in parameters(node):
        default = "" if one.required or one.default in (MISSING, "") else _shown(one.default)
        field = _field(one.node, f"{name}.{positions[one.wire_name]}", data, default)
        title = one.title if one.title and len(one.title) <= 60 else _spoken(one.wire_name)
        label = title[:1].upper() + title[1:]
        about = "" if one.description == one.title else one.description
        limits = one.limits if field.kind != "choice" else ()
        rows.append(replace(field, label=label, wire=one.wire_name, about=about, limits=limits, required=one.required))
    more = data.get(f"{name}:more", "")
    if more or node.extra:
        note = "" if node.extra else "The schema does not have these keys."
        rows.append(Field(name=f"{name}:more", kind="json", label="Other keys", text=more, note=note, rows=3))
    return tuple(rows)


def _field(node: Node | None, name: str, data: Mapping[str, str], default: str = "", label: str = "") -> Field:
    """The field of a node; of a property, label and texts are added by ``_object_fields``."""
    node = shape_of(node)
    text = data.get(name, "")
    kind = kind_of(node)
    field = Field(name=name, kind=kind, label=label or type_words(node).capitalize(), default=default, text=text)
    if data.get(f"{name}:as") == "json" and kind != "json":
        note = f"The field for {_article(type_words(node))} cannot hold this value, so it stands here as JSON."
        return replace(field, kind="json", note=note, rows=text.count("\n") + 1, can_clear=True)
    match node:
        case Enum(values=values):
            selected = text if text.isdecimal() else ""
            options = [(str(index), _shown(value), str(index) == selected) for index, value in enumerate(values)]
            return replace(field, options=tuple(options))
        case Boolean():
            usual = {"true": "Default (on)", "false": "Default (off)"}.get(default, "Not sent")
            options = [("", usual, text not in ("true", "false"))]
            options += [("true", "On", text == "true"), ("false", "Off", text == "false")]
            return replace(field, options=tuple(options))
        case Number():
            return replace(field, slider=_slider(node))
        case Media():
            limits = tuple(map(rule_words, node.rules))
            return replace(field, media=node.kind, limits=limits)
        case String():
            longest = node.max_length
            rows = 1 if longest is not None and longest <= 120 else 3
            return replace(field, rows=rows, longest=longest, empty=_offer(node, "", name, data))
        case Array():
            count = rows_of(data, name)
            items = [_field(item_node(node), f"{name}.{row}", data, label=f"Item {row + 1}") for row in range(count)]
            can_add = count < min(MOST_ROWS, MOST_ROWS if node.max_items is None else node.max_items)
            return replace(field, items=tuple(items), can_add=can_add, empty=_offer(node, [], name, data))
        case Object() if node.properties:
            return replace(field, items=_object_fields(node, name, data), empty=_offer(node, {}, name, data))
        case AnyOf(nodes=nodes) | OneOf(nodes=nodes):
            selected = data.get(f"{name}:alt", "")
            options = [
                (str(index), _alternative_words(part), str(index) == selected) for index, part in enumerate(nodes)
            ]
            index = index_in(selected, len(nodes))
            items = [] if index is None else [_field(nodes[index], f"{name}.{index}", data)]
            return replace(field, options=tuple(options), items=tuple(items))
        case _:
            return replace(field, rows=3)


def _offer(node: Node, nothing: object, name: str, data: Mapping[str, str]) -> bool | None:
    """Whether the field is sent although it is empty; None where the schema would refuse that anyway."""
    is_ticked = bool(data.get(f"{name}:empty"))
    return is_ticked if is_ticked or not has_errors(node.check(nothing) or ()) else None


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
