"""What a model takes, in words: type, default or sample, bounds, choices, media rules; read off the spec's nodes.

Docstrings, reference pages, `show`, completion and the studio say of a parameter what stands here, each in its own
layout. Texts of the schema are passed on as they are: whoever shows them escapes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..schema import MISSING, AllOf, AnyOf, Array, Boolean, Enum, Integer, Media, Null, Number, Object, OneOf, String
from ..schema.messages import brief
from ..schema.nodes import lengths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..schema import MediaRule, ModelSpec, Node, Property

# A sentence that ends so needs no full stop.
_ENDS = tuple(".!?:…。！？")
_PLURALS = {"any value": "any values", "audio": "audio files", "choice": "choices"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One property of an input, an output or an object inside one.

    ``wire_name`` goes over the wire and into JSON, ``name`` is the one in Python. ``default`` is what the server
    applies, ``sample`` the schema's example of a required input; MISSING if none. ``bounds`` are phrases such as "from
    1 to 10 items", ``choices`` the values it can be chosen from, ``rules`` the rules for its files, ``rule_phrases``
    these in words. ``objects`` are the objects with properties that may stand there.
    """

    node: Node
    wire_name: str
    name: str
    title: str
    description: str
    type: str
    required: bool
    default: object
    sample: object
    bounds: tuple[str, ...]
    rule_phrases: tuple[str, ...]
    rules: tuple[MediaRule, ...]
    choices: tuple[object, ...]
    objects: tuple[InnerObject, ...]

    @property
    def about(self) -> str:
        """Title and description as sentences; a title that only repeats the name is left out."""
        title = self.title if _adds_information(self.title, self.name) else ""
        return " ".join(
            filter(None, (sentence(title), sentence(self.description) if self.description != title else ""))
        )

    @property
    def limits(self) -> tuple[str, ...]:
        """Bounds and media rules as phrases."""
        return tuple(dict.fromkeys((*self.bounds, *self.rule_phrases)))

    @property
    def is_media(self) -> bool:
        """Whether a file stands here, or in each item."""
        return any(isinstance(node, Media) for node in within(self.node))

    def to_dict(self) -> dict[str, object]:
        """As JSON values; what does not apply is left out."""
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
        if self.objects:
            facts["properties"] = [parameter.to_dict() for inner in self.objects for parameter in inner.properties]
        return {**facts, "description": self.about}


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerObject:
    """An object inside a parameter; ``mark`` says how it is reached from there: "" or "[]" for each item of a list."""

    mark: str
    properties: tuple[Parameter, ...]


def parameters(model: ModelSpec | Object) -> tuple[Parameter, ...]:
    """Every property of a model's input, or of an object; the required ones first, else in the schema's order."""
    node = model if isinstance(model, Object) else model.input
    listed = [_parameter(wire, prop, wire in node.required) for wire, prop in node.properties.items()]
    return tuple(sorted(listed, key=lambda parameter: not parameter.required))


def _parameter(wire: str, prop: Property, required: bool) -> Parameter:
    node = prop.node
    inside = [part for part in within(node) if isinstance(part, (Media, Array))]
    return Parameter(
        node=node,
        wire_name=wire,
        name=prop.name or wire,
        title=prop.title,
        description=prop.description,
        type=type_words(node),
        required=required,
        default=prop.default,
        sample=prop.sample,
        bounds=tuple(dict.fromkeys(_bounds(node))),
        rules=(*prop.rules, *(rule for part in inside for rule in part.rules)),
        rule_phrases=(*map(rule_words, prop.rules), *_rule_phrases(node)),
        choices=choices_of(node),
        objects=tuple(_objects(node, "")),
    )


def type_words(node: Node | None) -> str:
    """A type as people say it: "integer", "list of images", "string or null"."""
    if isinstance(node, Array):
        return f"list of {' or '.join(map(_plural, type_words(node.items).split(' or ')))}"
    if isinstance(node, (AnyOf, OneOf)):
        return " or ".join(dict.fromkeys(type_words(part) for part in node.nodes))
    if isinstance(node, AllOf):
        return next((type_words(part) for part in node.nodes), "any value")
    if isinstance(node, Media):
        return "file URL" if node.kind == "file" else node.kind
    if isinstance(node, Enum):
        return "choice"
    if isinstance(node, (String, Integer, Number, Boolean, Null, Object)):
        return type(node).__name__.lower()
    return "any value"


def _plural(words: str) -> str:
    if words.startswith("list of "):
        return f"lists{words.removeprefix('list')}"
    return _PLURALS.get(words, f"{words}s")


def choices_of(node: Node | None) -> tuple[object, ...]:
    """The values a place, or the items of its list, can be chosen from; none if it is not a choice."""
    choices: dict[tuple[type, str], object] = {}
    for part in within(node):
        for value in part.values if isinstance(part, Enum) else ():
            choices.setdefault((type(value), repr(value)), value)
    return tuple(choices.values())


def rule_words(rule: MediaRule) -> str:
    """A media rule as people say it: "file size ≤ 15 MB"."""
    if not rule.is_known or rule.operand is None or rule.operator is None:
        return f"rule {rule} (not checked)"
    name, unit = _OPERANDS[rule.operand]
    value = rule.value
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return f"{name} {_SIGNS[rule.operator]} {whole}{unit}"


def sentence(text: str) -> str:
    """The text, ended by a full stop if by nothing else."""
    text = text.strip()
    return text if not text or text.rstrip("'\")»”’")[-1:] in _ENDS else text + "."


def within(node: Node | None) -> Iterator[Node]:
    """A node and those it is made of, up to the objects, whose properties are places of their own."""
    if node is None:
        return
    yield node
    if isinstance(node, Array):
        yield from within(node.items)
    elif isinstance(node, (AnyOf, OneOf, AllOf)):
        for part in node.nodes:
            yield from within(part)


def _objects(node: Node | None, mark: str) -> Iterator[InnerObject]:
    if isinstance(node, Array):
        yield from _objects(node.items, f"{mark}[]")
    elif isinstance(node, (AnyOf, OneOf, AllOf)):
        for part in node.nodes:
            yield from _objects(part, mark)
    elif isinstance(node, Object) and node.properties:
        yield InnerObject(mark=mark, properties=parameters(node))


def _bounds(node: Node | None) -> Iterator[str]:
    """What a node asks for beyond its type, its choices and its media rules."""
    if isinstance(node, Array):
        if node.min_items or node.max_items is not None:
            yield node.counts()
        if node.unique_items:
            yield "no item twice"
        if inner := tuple(_bounds(node.items)):
            yield f"each item: {', '.join(inner)}"
    elif isinstance(node, (AnyOf, OneOf, AllOf)):
        for part in node.nodes:
            yield from _bounds(part)
    elif isinstance(node, Number):
        if node.span() != "any number":
            yield node.span()
        if node.multiple_of is not None:
            yield f"a multiple of {brief(node.multiple_of)}"
    elif isinstance(node, (String, Media)):
        if node.min_length or node.max_length is not None:
            yield lengths(node.min_length, node.max_length)
        if isinstance(node, String) and node.pattern is not None:
            yield f"matching {node.pattern}"
        if isinstance(node, String) and node.format is not None:
            yield f"in the format {node.format}"


def _rule_phrases(node: Node | None) -> Iterator[str]:
    """The media rules of a place, in one phrase each for itself and for its items."""
    if isinstance(node, Array):
        inner = node.items
        own = [rule_words(rule) for rule in node.rules]
        what = inner.kind if isinstance(inner, Media) else "item"
        phrases = [*own, *_rule_phrases(inner)]
        if phrases:
            yield f"each {what}: {', '.join(dict.fromkeys(phrases))}"
    elif isinstance(node, (AnyOf, OneOf, AllOf)):
        for part in node.nodes:
            yield from _rule_phrases(part)
    elif isinstance(node, Media) and node.rules:
        yield ", ".join(dict.fromkeys(map(rule_words, node.rules)))


def _adds_information(title: str, name: str) -> bool:
    """Whether a title is more than the name again: most only say "Image Urls"."""
    return "".join(filter(str.isalnum, title)).lower() != name.replace("_", "")


_OPERANDS = {
    "file_size_mb": ("file size", " MB"),
    "width_pixels": ("width", " px"),
    "height_pixels": ("height", " px"),
    "shortest_side_pixels": ("shortest side", " px"),
    "width/height": ("width/height", ""),
}
_SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}
