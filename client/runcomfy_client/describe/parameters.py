"""What a model takes, as words for people: type, default or sample, bounds, media rules; read off the spec's nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..schema import MISSING, AllOf, AnyOf, Array, Enum, Media, Null, Number, Object, OneOf, String
from ..schema.messages import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..schema import MediaRule, ModelSpec, Node, Property


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One input of a model. ``wire_name`` goes over the wire and into JSON, ``name`` is the one in Python.

    ``default`` is what the server applies, ``sample`` the schema's example of a required input; MISSING if none.
    """

    wire_name: str
    name: str
    type: str
    required: bool
    default: object
    sample: object
    limits: tuple[str, ...]
    choices: tuple[object, ...]

    def to_dict(self) -> dict[str, object]:
        facts: dict[str, object] = {
            "wire_name": self.wire_name,
            "name": self.name,
            "type": self.type,
            "required": self.required,
            "limits": list(self.limits),
        }
        if self.choices:
            facts["choices"] = list(self.choices)
        if self.default is not MISSING:
            facts["default"] = self.default
        if self.sample is not MISSING:
            facts["sample"] = self.sample
        return facts


def parameters(spec: ModelSpec) -> list[Parameter]:
    """Every input, the required ones first, else in the schema's order."""
    found = [_parameter(wire, known, wire in spec.input.required) for wire, known in spec.input.properties.items()]
    return sorted(found, key=lambda one: not one.required)


def choices_of(node: Node | None) -> tuple[object, ...]:
    """The values a place, or the items of its list, can be chosen from; none if it is not a choice."""
    if isinstance(node, Enum):
        return node.values
    if isinstance(node, Array):
        return choices_of(node.items)
    if isinstance(node, (AnyOf, OneOf, AllOf)):
        return tuple(dict.fromkeys(value for part in node.nodes for value in choices_of(part)))
    return ()


def _parameter(wire: str, known: Property, required: bool) -> Parameter:
    return Parameter(
        wire_name=wire,
        name=known.name or wire,
        type=_type(known.node),
        required=required,
        default=known.default,
        sample=known.sample,
        limits=tuple(dict.fromkeys(_limits(known.node))),
        choices=choices_of(known.node),
    )


def _type(node: Node | None) -> str:
    if isinstance(node, Array):
        return f"list of {_type(node.items)}"
    if isinstance(node, (AnyOf, OneOf)):
        return " or ".join(dict.fromkeys(_type(part) for part in node.nodes))
    if isinstance(node, AllOf):
        return next((_type(part) for part in node.nodes), "any")
    if isinstance(node, Media):
        return node.kind
    if isinstance(node, Enum):
        return "choice"
    return "any" if node is None else type(node).__name__.removesuffix("Value").lower()


def _limits(node: Node | None) -> Iterator[str]:
    if isinstance(node, Array):
        if node.min_items is not None or node.max_items is not None:
            yield node.counts()
        if node.unique_items:
            yield "all different"
        yield from (_rule(rule) for rule in node.rules)
        yield from _limits(node.items)
    elif isinstance(node, (AnyOf, OneOf, AllOf)):
        for part in node.nodes:
            yield from _limits(part)
    elif isinstance(node, Media):
        yield from (_rule(rule) for rule in node.rules)
    elif isinstance(node, Enum):
        yield ", ".join(value if isinstance(value, str) else shown(value) for value in node.values)
    elif isinstance(node, Number):
        if node.span() != "any number":
            yield node.span()
        if node.multiple_of is not None:
            yield f"a multiple of {shown(node.multiple_of)}"
    elif isinstance(node, String):
        yield from _text_limits(node)
    elif isinstance(node, Object):
        yield from _members(node)
    elif isinstance(node, Null):
        yield "may be null"


def _text_limits(node: String) -> Iterator[str]:
    if node.min_length is not None and node.max_length is not None:
        yield f"{node.min_length} to {node.max_length} characters"
    elif node.max_length is not None:
        yield f"at most {node.max_length} characters"
    elif node.min_length is not None:
        yield f"at least {node.min_length} characters"
    if node.pattern is not None:
        yield f"matches {node.pattern}"
    if node.format is not None:
        yield node.format


def _members(node: Object) -> Iterator[str]:
    for wire, known in node.properties.items():
        words = [_type(known.node), *_limits(known.node)]
        mark = "" if wire in node.required else "?"
        yield f"{wire}{mark}: {', '.join(words)}"


_OPERANDS = {
    "file_size_mb": ("", " MB"),
    "width_pixels": ("width ", " px"),
    "height_pixels": ("height ", " px"),
    "shortest_side_pixels": ("shortest side ", " px"),
    "width/height": ("width/height ", ""),
}
_SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}


def _rule(rule: MediaRule) -> str:
    if not rule.known or rule.operand is None or rule.operator is None:
        return f"{rule} (not checked here)"
    before, after = _OPERANDS[rule.operand]
    value = rule.value
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return f"{before}{_SIGNS[rule.operator]} {whole}{after}"
