"""Reads a schema of RunComfy's dialect, as the API publishes it, into a tree of nodes.

The dialect looks like JSON Schema: ``float`` is a number, a media format says that a file stands here, ``validations``
hold rules for that file, keys that are not defined are refused, and a required property's default is only a sample.
docs/dialect.md has all of it.

A schema may come from anywhere, so reading never fails: a keyword whose value has the wrong shape says nothing, as an
unknown keyword does. Whether a schema is a good one is the generator's question, which answers with diagnostics.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final, Literal

from .containers import MISSING, AllOf, AnyOf, AnyValue, Array, Object, OneOf, Property
from .findings import has_errors
from .media_field import Media
from .nodes import Boolean, Enum, Integer, Node, Null, Number, String
from .rules import MediaRule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    # The way from the schema to one of its parts: keywords, names and numbers.
    Pointer: TypeAlias = tuple[str | int, ...]

MediaKind = Literal["image", "video", "audio"]

TYPES: Final = ("string", "integer", "float", "number", "boolean", "array", "object", "null")
# Singular on a string (or on an array's items), plural on an array. Either spelling is understood on both.
MEDIA_FORMATS: Final[Mapping[str, MediaKind]] = {
    "image_uri": "image",
    "video_uri": "video",
    "audio_uri": "audio",
    "image_uris": "image",
    "video_uris": "video",
    "audio_uris": "audio",
}
# What constrains values of one type only; on any other type it says nothing.
NUMBER_KEYWORDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
STRING_KEYWORDS: Final = ("minLength", "maxLength", "pattern", "format")
ARRAY_KEYWORDS: Final = ("items", "minItems", "maxItems", "uniqueItems")
OBJECT_KEYWORDS: Final = ("properties", "required", "additionalProperties")
# The keywords that list values, and those that list schemas.
VALUES: Final = frozenset({"enum", "const"})
ALTERNATIVES: Final = ("oneOf", "anyOf")

_TYPED_KEYWORDS = frozenset({*NUMBER_KEYWORDS, *STRING_KEYWORDS, *ARRAY_KEYWORDS, *OBJECT_KEYWORDS})
# "float" is "number" by then.
_KNOWN_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_EVERY_TYPE = tuple(type_ for type_ in _KNOWN_TYPES if type_ != "integer")


def read_schema(schema: object) -> Node:
    """The node of a schema, given as JSON values. Its properties have their wire names only."""
    return SchemaReader().read(schema)


class SchemaReader:
    """Reads a schema, and keeps which of its objects with properties became which node: the innermost first.

    ``names`` returns the Python names of the properties of the object at a pointer, by wire name.
    """

    def __init__(self, names: Callable[[Pointer], Mapping[str, str]] | None = None) -> None:
        self._names = names
        self.objects: list[tuple[Pointer, Object]] = []

    def read(self, schema: object, pointer: Pointer = ()) -> Node:
        """The node of a schema that stands at a pointer."""
        if not isinstance(schema, dict):
            return AnyValue()
        values = enum_values(schema)
        if values is not None:
            return Enum(fitting_values(schema, values))
        parts: list[Node] = []
        types = types_of(schema)
        if types or schema.keys() & _TYPED_KEYWORDS:
            # Without a type, a keyword still binds the values of its own type.
            nodes_by_type = [self._node_of_type(type_, schema, pointer) for type_ in (types or _EVERY_TYPE)]
            parts.append(nodes_by_type[0] if len(nodes_by_type) == 1 else AnyOf(*nodes_by_type))
        for keyword in sorted(schema.keys() & {*ALTERNATIVES}):
            branches = schema[keyword]
            if isinstance(branches, list) and branches:
                nodes = [self.read(branch, (*pointer, keyword, number)) for number, branch in enumerate(branches)]
                alternatives = OneOf if keyword == "oneOf" else AnyOf
                parts.append(nodes[0] if len(nodes) == 1 else alternatives(*nodes))
        if not parts:
            return AnyValue()
        return parts[0] if len(parts) == 1 else AllOf(*parts)

    def read_object(self, schema: Mapping[str, Any], pointer: Pointer = ()) -> Object:
        """The node of an object."""
        required, properties = _names(schema.get("required")), schema.get("properties")
        description = text_of(schema, "description")
        if not isinstance(properties, dict):
            extra = schema.get("additionalProperties") is not False
            return Object({}, required=required, extra=extra, description=description)
        names = self._names(pointer) if self._names else {}
        nodes = {
            wire: self._property(
                names.get(wire, wire), wire, property_schema, wire in required, (*pointer, "properties", wire)
            )
            for wire, property_schema in properties.items()
        }
        extra = schema.get("additionalProperties") is True
        node = Object(nodes, required=required, extra=extra, description=description)
        self.objects.append((pointer, node))
        return node

    def _property(self, name: str, wire: str, schema: object, required: bool, pointer: Pointer) -> Property:
        node = self.read(schema, pointer)
        # `"default": null` is how some schemas say that there is none.
        default = schema.get("default") if isinstance(schema, dict) else None
        if default is None:
            default = MISSING
        return Property(
            node,
            name=name if name != wire else None,
            title=text_of(schema, "title"),
            description=text_of(schema, "description"),
            default=MISSING if required else default,
            sample=default if required else MISSING,
            rules=() if _takes_rules(node) else rules_of(schema),
        )

    def _node_of_type(self, type: str, schema: Mapping[str, Any], pointer: Pointer) -> Node:
        match type:
            case "string":
                return _string(schema)
            case "integer":
                return Integer(**_bounds(schema))
            case "number":
                return Number(**_bounds(schema))
            case "boolean":
                return Boolean()
            case "null":
                return Null()
            case "array":
                return self._array(schema, pointer)
            case _:
                return self.read_object(schema, pointer)

    def _array(self, schema: Mapping[str, Any], pointer: Pointer) -> Array:
        inner = schema.get("items")
        kind = MEDIA_FORMATS.get(str(schema.get("format")))
        items: Node | None = None
        if isinstance(inner, dict) and (inner or not kind):
            # The plural format says of the items what the singular one says of a string.
            if kind and not is_media(inner) and types_of(inner) in (("string",), ()):
                inner = {"type": "string", **inner, "format": f"{kind}_uri"}
            items = self.read(inner, (*pointer, "items"))
        elif kind:
            items = Media(kind)
        return Array(
            items,
            min_items=_count(schema, "minItems"),
            max_items=_count(schema, "maxItems"),
            unique_items=schema.get("uniqueItems") is True,
            rules=rules_of(schema),
        )


def types_of(schema: Mapping[str, object]) -> tuple[str, ...]:
    """The types a schema names, "float" as "number"; empty if it names none."""
    value = schema.get("type")
    words = value if isinstance(value, list) else [value]
    types = [word for word in words if isinstance(word, str) and word in TYPES]
    return tuple(dict.fromkeys("number" if word == "float" else word for word in types))


def enum_values(schema: Mapping[str, object]) -> list[Any] | None:
    """The values that `enum` or `const` list; None if neither is there in its right shape."""
    listed = schema.get("enum")
    if isinstance(listed, list):
        return listed
    return [schema["const"]] if "const" in schema else None


def fitting_values(schema: Mapping[str, object], values: Sequence[object]) -> tuple[object, ...]:
    """Of the listed values those that the other keywords let pass, whole floats as integers, each once."""
    node = beside_values(schema)
    kept: dict[str, object] = {}
    for value in values:
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        if fits(node, value):
            # Unlike ==, their JSON texts distinguish true from 1.
            kept.setdefault(json.dumps(whole, sort_keys=True), whole)
    return tuple(kept.values())


def beside_values(schema: Mapping[str, object]) -> Node:
    """The node of what a schema with `enum` or `const` says besides; that a file stands there binds no listed value."""
    media = str(schema.get("format")) in MEDIA_FORMATS
    left_out = VALUES | {"format"} if media else VALUES
    return read_schema({keyword: value for keyword, value in schema.items() if keyword not in left_out})


def fits(node: Node, value: object) -> bool:
    """Whether there is no error in a value; what cannot be checked does not count."""
    return not has_errors(node.check(value) or ())


def is_media(schema: Mapping[str, object]) -> bool:
    """Whether a file stands here, or in each item."""
    format = schema.get("format")
    if isinstance(format, str) and format in MEDIA_FORMATS:
        return True
    items = schema.get("items")
    return isinstance(items, dict) and is_media(items)


def text_of(schema: object, keyword: str) -> str:
    """A title or description; empty if there is none, or one that is no text."""
    value = schema.get(keyword) if isinstance(schema, dict) else None
    return value if isinstance(value, str) else ""


def rules_of(schema: object) -> tuple[MediaRule, ...]:
    """The `validations` of a schema."""
    entries = schema.get("validations") if isinstance(schema, dict) else None
    return tuple(
        MediaRule.parse(entry["validation_rule"], entry.get("validation_value"), text_of(entry, "validation_error"))
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and isinstance(entry.get("validation_rule"), str)
    )


def _takes_rules(node: Node) -> bool:
    """Whether the validations of a schema of this node stand on the node itself."""
    if isinstance(node, (AnyOf, OneOf, AllOf)):
        return any(map(_takes_rules, node.nodes))
    return isinstance(node, (Media, Array))


def _string(schema: Mapping[str, Any]) -> Node:
    low, high = _count(schema, "minLength"), _count(schema, "maxLength")
    pattern, format = schema.get("pattern"), schema.get("format")
    kind = MEDIA_FORMATS.get(str(format))
    if kind:
        media = Media(kind, rules=rules_of(schema), min_length=low, max_length=high)
        return AllOf(media, String(pattern=pattern)) if isinstance(pattern, str) else media
    return String(
        min_length=low,
        max_length=high,
        pattern=pattern if isinstance(pattern, str) else None,
        format=format if isinstance(format, str) else None,
    )


def _bounds(schema: Mapping[str, Any]) -> dict[str, Any]:
    step = _number(schema, "multipleOf")
    return {
        "minimum": _number(schema, "minimum"),
        "maximum": _number(schema, "maximum"),
        "exclusive_minimum": _number(schema, "exclusiveMinimum"),
        "exclusive_maximum": _number(schema, "exclusiveMaximum"),
        "multiple_of": step if step is not None and step > 0 else None,
    }


def _number(schema: Mapping[str, Any], keyword: str) -> int | float | None:
    value = schema.get(keyword)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def _count(schema: Mapping[str, Any], keyword: str) -> int | None:
    value = _number(schema, keyword)
    # 800.0 is an integer to JSON.
    return int(value) if value is not None and value >= 0 and value == int(value) else None


def _names(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in (value if isinstance(value, list) else ()) if isinstance(name, str)))
