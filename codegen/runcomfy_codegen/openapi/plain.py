"""A schema of the dialect as JSON Schema 2020-12, as OpenAPI 3.1 has it; what it has no word for is kept under `x-`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..checking.dialect import MEDIA_FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Plain JSON; `object` because a schema's parts are taken as they come.
Schema: TypeAlias = "dict[str, object]"

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}
_NODES = ("items", "additionalProperties", "not")
_LISTS = ("anyOf", "oneOf", "allOf")
_KEPT = {
    *("type", "title", "description", "enum", "const", "format", "pattern", "minLength", "maxLength"),
    *(
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minItems",
        "maxItems",
        "uniqueItems",
    ),
    *("required", "properties", "default", "examples", *_NODES, *_LISTS),
}


def plain_schema(node: object, *, closed: bool = True) -> Schema:
    """A node and all below it.

    Args:
        closed: unknown keys are refused where an object has `properties`, as the API does with input; outputs are open.
    """
    if not isinstance(node, dict):
        return {}
    made: Schema = {key if key in _KEPT else f"x-{key}": value for key, value in node.items()}
    _set_type(made)
    for key in _NODES:
        if isinstance(made.get(key), dict):
            made[key] = plain_schema(made[key], closed=closed)
    for key in _LISTS:
        parts = made.get(key)
        if isinstance(parts, list):
            made[key] = [plain_schema(part, closed=closed) for part in parts]
    properties = made.get("properties")
    if isinstance(properties, dict):
        _set_properties(made, properties, closed=closed)
    _set_media(made)
    if "default" in made and not _fits(made, made["default"]):
        # `null` stands for "none" in the wild; as a default it would contradict the type.
        del made["default"]
    return made


def _set_type(made: Schema) -> None:
    given = made.get("type")
    words = given if isinstance(given, list) else [given]
    types = ["number" if word == "float" else word for word in words if word in _TYPES or word in ("float", "null")]
    made.pop("type", None)
    if types:
        made["type"] = types[0] if len(types) == 1 else types


def _set_properties(made: Schema, properties: Mapping[str, object], *, closed: bool) -> None:
    required = made.get("required")
    names = [name for name in required if name in properties] if isinstance(required, list) else []
    made.pop("required", None)
    if names:
        made["required"] = names
    plain: Schema = {}
    for name, part in properties.items():
        schema = plain_schema(part, closed=closed)
        if name in names and "default" in schema:
            # The default of what is required anyway is a sample; no client may send it unasked.
            schema["examples"] = [schema.pop("default")]
        plain[name] = schema
    made["properties"] = plain
    if closed:
        made.setdefault("additionalProperties", False)


def _set_media(made: Schema) -> None:
    kind = MEDIA_FORMATS.get(str(made.get("format")))
    if kind is None:
        return
    if made.get("type") == "array":
        del made["format"]
        items = made.get("items")
        made["items"] = {"type": "string", "format": f"{kind}_uri", **(items if isinstance(items, dict) else {})}


def _fits(schema: Schema, value: object) -> bool:
    """Is a default of the type that the schema names, and one of its values?"""
    enum = schema.get("enum")
    if isinstance(enum, list) and not any(
        value == each and isinstance(value, bool) == isinstance(each, bool) for each in enum
    ):
        return False
    words = schema.get("type")
    names: Iterable[object] = words if isinstance(words, list) else [words] if words else []
    if not names:
        return True
    return any(_is(value, str(name)) for name in names)


def _is(value: object, name: str) -> bool:
    if name == "null":
        return value is None
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[name])
