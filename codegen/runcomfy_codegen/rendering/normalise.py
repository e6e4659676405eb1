"""Nodes as a schema that datamodel-code-generator understands in full: Python's names, types it knows, no text."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from ..lowering import ir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..checking.dialect import MediaKind
    from ..naming.identifiers import ClassName
    from ..reading.source import Json

# Where generated classes find what the client library defines; the real modules are written in the end.
CLIENT = "client"
_UNDERSCORE = "Underscore0x5F"
_MEDIA_TYPES: dict[MediaKind, str] = {"image": "ImageInput", "video": "VideoInput", "audio": "AudioInput"}


def normalised(root: ir.ObjectNode) -> dict[str, Json]:
    """The schema of a class and of those below it.

    Properties have their Python names. Bounds stand only where a field can carry them: the items of a list and
    alternatives would get classes of their own for it. Texts, defaults, patterns and rules are left out: none of them
    changes a type.
    """
    schema = _class_schema(root)
    definitions: dict[str, Json] = {definition(each.class_name): _class_schema(each) for each in classes_below(root)}
    return {**schema, "$defs": definitions} if definitions else schema


def definition(name: ClassName | None) -> str:
    """What a class is called in the schema: datamodel-code-generator would take an underscore at the end away."""
    text = str(name)
    return f"{text[:-1]}{_UNDERSCORE}" if text.endswith("_") else text


def classes_below(node: ir.Node | None) -> Iterator[ir.ObjectNode]:
    """The objects with classes inside a node, the innermost first."""
    match node:
        case ir.ObjectNode():
            for each in node.properties:
                yield from classes_below(each.node)
                if isinstance(each.node, ir.ObjectNode) and each.node.class_name:
                    yield each.node
        case ir.ArrayNode():
            yield from _with_itself(node.items)
        case ir.AlternativesNode() | ir.AllNode():
            for inner in node.nodes:
                yield from _with_itself(inner)
        case _:
            return


def _with_itself(node: ir.Node | None) -> Iterator[ir.ObjectNode]:
    yield from classes_below(node)
    if isinstance(node, ir.ObjectNode) and node.class_name:
        yield node


def _class_schema(node: ir.ObjectNode) -> dict[str, Json]:
    return {
        "type": "object",
        "properties": {each.name: _field(each.node) for each in node.properties},
        "required": [each.name for each in node.properties if each.required],
    }


def _field(node: ir.Node) -> dict[str, Json]:
    """A property's schema, with the bounds a field carries."""
    schema = _type(node)
    if schema == {"type": "null"}:
        # `None | None`, as an optional one would be, is no type to Python.
        return {}
    bounds: dict[str, int | float | None] = {}
    match node:
        case ir.StringNode():
            bounds = {"minLength": node.min_length, "maxLength": node.max_length}
        case ir.NumberNode():
            bounds = {
                "minimum": node.minimum,
                "maximum": node.maximum,
                "exclusiveMinimum": node.exclusive_minimum,
                "exclusiveMaximum": node.exclusive_maximum,
                # pydantic divides doubles: by it 0.3 is no multiple of 0.1.
                "multipleOf": node.multiple_of if isinstance(node.multiple_of, int) else None,
            }
        case ir.ArrayNode():
            bounds = {"minItems": node.min_items, "maxItems": node.max_items}
        case _:
            pass
    return {**schema, **{keyword: bound for keyword, bound in bounds.items() if bound is not None}}


def _type(node: ir.Node) -> dict[str, Json]:
    match node:
        case ir.StringNode():
            return {"type": "string"}
        case ir.NumberNode():
            return {"type": "integer" if node.integer else "number"}
        case ir.BooleanNode():
            return {"type": "boolean"}
        case ir.NullNode():
            return {"type": "null"}
        case ir.AnyNode():
            return {}
        case ir.EnumNode():
            return _enum(node)
        case ir.MediaNode():
            return {"type": "string", "customTypePath": f"{CLIENT}.{_MEDIA_TYPES[node.kind]}"}
        case ir.FileNode():
            return {"type": "string", "customTypePath": f"{CLIENT}.FileURL"}
        case ir.ArrayNode():
            return {"type": "array", **({"items": _type(node.items)} if node.items else {})}
        case ir.ObjectNode():
            return {"$ref": f"#/$defs/{definition(node.class_name)}"} if node.class_name else {"type": "object"}
        case ir.AlternativesNode():
            return _any_of([_type(each) for each in node.nodes])
        case ir.AllNode():
            # Every node holds, so the type of any is right: the one with the fewest alternatives says most.
            made = [each for each in map(_type, node.nodes) if each]
            return min(made, key=_alternatives, default={})
        case _:
            assert_never(node)


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


def _enum(node: ir.EnumNode) -> dict[str, Json]:
    """A `Literal` holds strings, integers and booleans; what else is listed stays a plain type."""
    plain: list[Json] = [each for each in node.values if isinstance(each, str | int)]
    others = [each for each in node.values if not isinstance(each, str | int) and each is not None]
    if any(isinstance(each, list | dict) for each in others):
        return {}
    parts: list[dict[str, Json]] = []
    if others:
        # Numbers with a fraction: people may then write 1.0 for 1 too.
        plain = [each for each in plain if isinstance(each, str | bool)]
        parts.append({"type": "number"})
    if plain:
        kinds = {
            "string" if isinstance(each, str) else "boolean" if isinstance(each, bool) else "integer" for each in plain
        }
        parts.insert(0, {"enum": plain, **({"type": next(iter(kinds))} if len(kinds) == 1 else {})})
    if None in node.values:
        parts.append({"type": "null"})
    return _any_of(parts)
