"""Fourth step: a checked schema becomes nodes, and its objects get their classes. Its input has passed the checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runcomfy_client.schema.dialect import NUMBER_KEYWORDS, STRING_KEYWORDS, SchemaReader

from .model import ObjectClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..naming.object_names import InputNames
    from ..reading.patching import PatchedDocument
    from ..reading.positions import Pointer
    from ..reading.source import Json

_CARRIED_BY_TYPE = frozenset({"type", "title", "description"})


def lower_input(document: PatchedDocument, names: InputNames) -> tuple[ObjectClass, ...]:
    """The classes of the input, innermost first; the last one is the input itself."""
    schema = document.value
    assert isinstance(schema, dict)
    reader = SchemaReader(lambda pointer: names.by_pointer[pointer].properties)
    reader.read_object(schema)
    return tuple(
        ObjectClass(
            node=node,
            name=names.by_pointer[pointer].class_name,
            constant=names.by_pointer[pointer].constant,
            extras={
                wire: _extras(property_schema, wire in node.required)
                for wire, property_schema in _properties(schema, pointer).items()
            },
        )
        for pointer, node in reader.objects
    )


def _properties(schema: Json, pointer: Pointer) -> Mapping[str, Mapping[str, Json]]:
    for part in pointer:
        schema = schema[part]  # type: ignore[index]  # the reader has been there
    assert isinstance(schema, dict)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    return {wire: _schema(property_) for wire, property_ in properties.items()}


def _schema(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _extras(schema: Mapping[str, Json], required: bool) -> Mapping[str, Json]:
    """What stays on the class as data: the schema's own words for what its types cannot carry."""
    kept: dict[str, Json] = {}
    if schema.get("default") is not None:
        # A required property's default is only an example, and called so.
        if required:
            kept["examples"] = [schema["default"]]
        else:
            kept["default"] = schema["default"]
    return kept | {keyword: value for keyword, value in schema.items() if _is_data(keyword, schema)}


def _is_data(keyword: str, schema: Mapping[str, Json]) -> bool:
    """Is a keyword one that neither the type of a field nor its bounds can say?"""
    value = schema[keyword]
    match keyword:
        case "format" | "pattern" | "validations" | "uniqueItems":
            return True
        case "multipleOf":
            return isinstance(value, float)
        case "enum":
            return isinstance(value, list) and any(isinstance(item, float | list | dict) for item in value)
        case "items":
            # Objects keep their bounds in a class of their own.
            return isinstance(value, dict) and bool(value.keys() - _CARRIED_BY_TYPE) and "properties" not in value
        case "oneOf" | "anyOf":
            return isinstance(value, list) and not any("properties" in _schema(branch) for branch in value)
        case _:
            # A field of several types carries no bounds.
            return isinstance(schema.get("type"), list) and keyword in {*NUMBER_KEYWORDS, *STRING_KEYWORDS}
