"""Nodes as a schema that datamodel-code-generator understands in full: Python's names, types it knows, no text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runcomfy_client.schema import (
    AllOf,
    AnyOf,
    Array,
    Boolean,
    Enum,
    Integer,
    Media,
    Null,
    Number,
    Object,
    OneOf,
    String,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runcomfy_client.schema import Node

    from ..lowering.model import ObjectClass
    from ..naming.identifiers import ClassName
    from ..reading.source import Json

    Names = Mapping[Object, ClassName]

# Where generated classes find what the client library defines; the real modules are written in the end.
CLIENT = "client"
_UNDERSCORE = "Underscore0x5F"
_MEDIA_TYPES = {"image": "ImageInput", "video": "VideoInput", "audio": "AudioInput", "file": "FileURL"}


def to_json_schema(classes: Sequence[ObjectClass]) -> dict[str, Json]:
    """The schema of the last class and of those below it, which stand before it.

    Properties have their Python names. Bounds stand only where a field can carry them: the items of a list and
    alternatives would get classes of their own for it. Texts, defaults, patterns and rules are left out: none of them
    changes a type.
    """
    names = {class_.node: class_.name for class_ in classes}
    *below, root = classes
    schema = _class_schema(root.node, names)
    definitions: dict[str, Json] = {definition(class_.name): _class_schema(class_.node, names) for class_ in below}
    return {**schema, "$defs": definitions} if definitions else schema


def definition(name: str) -> str:
    """What a class is called in the schema: datamodel-code-generator would remove an underscore at the end."""
    return f"{name[:-1]}{_UNDERSCORE}" if name.endswith("_") else name


def _class_schema(node: Object, names: Names) -> dict[str, Json]:
    fields = {wire: property_.name or wire for wire, property_ in node.properties.items()}
    return {
        "type": "object",
        "properties": {fields[wire]: _field(property_.node, names) for wire, property_ in node.properties.items()},
        "required": [name for wire, name in fields.items() if wire in node.required],
    }


def _field(node: Node, names: Names) -> dict[str, Json]:
    """A property's schema, with the bounds a field carries."""
    schema = _type(node, names)
    if schema == {"type": "null"}:
        # `None | None`, as an optional one would be, is no type to Python.
        return {}
    bounds: dict[str, int | float | None] = {}
    if isinstance(node, String):
        bounds = {"minLength": node.min_length, "maxLength": node.max_length}
    elif isinstance(node, Number):
        bounds = {
            "minimum": node.minimum,
            "maximum": node.maximum,
            "exclusiveMinimum": node.exclusive_minimum,
            "exclusiveMaximum": node.exclusive_maximum,
            # pydantic divides doubles: to it 0.3 is no multiple of 0.1.
            "multipleOf": node.multiple_of if isinstance(node.multiple_of, int) else None,
        }
    elif isinstance(node, Array):
        bounds = {"minItems": node.min_items, "maxItems": node.max_items}
    return {**schema, **{keyword: bound for keyword, bound in bounds.items() if bound is not None}}


def _type(node: Node, names: Names) -> dict[str, Json]:
    match node:
        case String():
            return {"type": "string"}
        case Number():
            return {"type": "integer" if isinstance(node, Integer) else "number"}
        case Boolean():
            return {"type": "boolean"}
        case Null():
            return {"type": "null"}
        case Enum():
            return _enum(node)
        case Media():
            return {"type": "string", "customTypePath": f"{CLIENT}.{_MEDIA_TYPES[node.kind]}"}
        case Array():
            return {"type": "array", **({"items": _type(node.items, names)} if node.items else {})}
        case Object():
            return {"$ref": f"#/$defs/{definition(names[node])}"} if node in names else {"type": "object"}
        case AnyOf() | OneOf():
            return _any_of([_type(part, names) for part in node.nodes])
        case AllOf():
            # Every node holds, so the type of any is right: the one with the fewest alternatives says most.
            schemas = [schema for schema in (_type(part, names) for part in node.nodes) if schema]
            return min(schemas, key=_alternatives, default={})
        case _:  # any value
            return {}


def _alternatives(schema: dict[str, Json]) -> int:
    parts = schema.get("anyOf")
    return len(parts) if isinstance(parts, list) else 1


def _any_of(parts: list[dict[str, Json]]) -> dict[str, Json]:
    """Alternatives without repetition; one that is anything makes the whole so."""
    if any(not part for part in parts):
        return {}
    unique = [part for number, part in enumerate(parts) if part not in parts[:number]]
    if len(unique) == 1:
        return unique[0]
    return {"anyOf": list(unique)}


def _enum(node: Enum) -> dict[str, Json]:
    """A `Literal` holds strings, integers and booleans; what else is listed stays a plain type."""
    plain: list[Json] = [value for value in node.values if isinstance(value, str | int)]
    others = [value for value in node.values if not isinstance(value, str | int) and value is not None]
    if any(isinstance(value, list | dict) for value in others):
        return {}
    parts: list[dict[str, Json]] = []
    if others:
        # Numbers with a fraction: people may then write 1.0 for 1 too.
        plain = [value for value in plain if isinstance(value, str | bool)]
        parts.append({"type": "number"})
    if plain:
        kinds = {
            "string" if isinstance(value, str) else "boolean" if isinstance(value, bool) else "integer"
            for value in plain
        }
        parts.insert(0, {"enum": plain, **({"type": next(iter(kinds))} if len(kinds) == 1 else {})})
    if None in node.values:
        parts.append({"type": "null"})
    return _any_of(parts)
