"""A spec as a standard JSON Schema (2020-12), for editors, forms, agents and the OpenAPI document.

Its verdict is that of the check wherever JSON Schema can say it. It cannot say what is measured on a file: media rules
stand under ``x-validations``, in the words of the API's own schemas, for those who read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from ..schema import (
    MISSING,
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
from ..schema.findings import has_errors
from .parameters import within

if TYPE_CHECKING:
    from ..schema import MediaRule, ModelSpec, Node, Property

Schema: TypeAlias = "dict[str, Any]"

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# An https URL that names a host and holds no white space, or a data: URI; the scheme in any case. The end is not "$",
# which some engines also find before a line break.
_MEDIA_PATTERN = r"^([Hh][Tt][Tt][Pp][Ss]://[^\s/?#:@]\S*(?![\s\S])|[Dd][Aa][Tt][Aa]:)"

_SCHEMA_KEY = {"type": "string", "description": "This file's schema. It names the model and is not sent."}


def input_schema(spec: ModelSpec) -> Schema:
    """The schema of a model's whole input."""
    return {"$schema": DIALECT, "title": spec.model_id, **schema_of(spec.input)}


def file_schema(spec: ModelSpec) -> Schema:
    """The schema of a payload file, for editors and other checkers: that of the input, and the key that names it.

    `runcomfy-client schema` and `runcomfy-codegen jsonschema` write this one.
    """
    schema = input_schema(spec)
    _add_messages(schema)
    schema["properties"] = {"$schema": _SCHEMA_KEY, **schema.get("properties", {})}  # editors offer keys in this order
    return schema


def _add_messages(schema: object) -> None:
    """Say in words what a pattern of media means; VS Code and editors with its language service show that text."""
    if isinstance(schema, list):
        for item in schema:
            _add_messages(item)
    elif isinstance(schema, dict):
        if schema.get("pattern") == _MEDIA_PATTERN:
            schema["patternErrorMessage"] = "Expected an https:// URL or a data: URI."
        for value in [*schema.values()]:
            _add_messages(value)


def schema_of(node: Node, *, lenient: bool = False) -> Schema:
    """The schema of a node.

    Args:
        lenient: for outputs, of which nothing is refused: unknown keys pass, and any text passes for a file.
    """
    match node:
        case Object():
            return _object(node, lenient)
        case Array():
            schema: Schema = {"type": "array"}
            if node.items is not None:
                schema["items"] = schema_of(node.items, lenient=lenient)
            schema |= _without_none(
                minItems=node.min_items, maxItems=node.max_items, uniqueItems=node.unique_items or None
            )
            return schema | _validations(node.rules)
        case Media():
            format = "uri" if node.kind == "file" else f"{node.kind}_uri"
            schema = {"type": "string", "format": format, **({} if lenient else {"pattern": _MEDIA_PATTERN})}
            return (
                schema | _without_none(minLength=node.min_length, maxLength=node.max_length) | _validations(node.rules)
            )
        case String():
            lengths = _without_none(minLength=node.min_length, maxLength=node.max_length)
            return {"type": "string"} | lengths | _without_none(pattern=node.pattern, format=node.format)
        case Number():
            return {"type": "integer" if isinstance(node, Integer) else "number"} | _without_none(
                minimum=node.minimum,
                maximum=node.maximum,
                exclusiveMinimum=node.exclusive_minimum,
                exclusiveMaximum=node.exclusive_maximum,
                multipleOf=node.multiple_of,
            )
        case Boolean():
            return {"type": "boolean"}
        case Null():
            return {"type": "null"}
        case Enum():
            return {**_type_of_values(node.values), "enum": list(node.values)}
        case AnyOf():
            parts = [schema_of(part, lenient=lenient) for part in node.nodes]
            types = [part["type"] for part in parts if part.keys() == {"type"} and isinstance(part["type"], str)]
            if len(types) == len(parts):
                return {"type": list(dict.fromkeys(types))}
            return {"anyOf": parts}
        case OneOf():
            return {"oneOf": [schema_of(part, lenient=lenient) for part in node.nodes]}
        case AllOf():
            return {"allOf": [schema_of(part, lenient=lenient) for part in node.nodes]}
        case _:  # any value
            return {}


def _object(node: Object, lenient: bool) -> Schema:
    schema: Schema = {"type": "object"}
    if node.description:
        schema["description"] = node.description
    if node.properties or not node.extra:
        schema["properties"] = {wire: _property(prop, lenient) for wire, prop in node.properties.items()}
    if node.required:
        schema["required"] = list(node.required)
    if not node.extra and not lenient:
        schema["additionalProperties"] = False
    return schema


def _property(prop: Property, lenient: bool) -> Schema:
    schema: Schema = {}
    if prop.title:
        schema["title"] = prop.title
    if prop.description:
        schema["description"] = prop.description
    schema |= schema_of(prop.node, lenient=lenient)
    # A default that its own schema refuses would be filled in by forms, and a sample file is not the user's.
    if prop.default is not MISSING and not has_errors(prop.node.check(prop.default) or ()):
        schema["default"] = prop.default
    is_media = any(isinstance(node, Media) for node in within(prop.node))
    if prop.sample not in (MISSING, "") and not is_media and not has_errors(prop.node.check(prop.sample) or ()):
        schema["examples"] = [prop.sample]
    return schema | _validations(prop.rules)


def _without_none(**keywords: object) -> Schema:
    return {keyword: value for keyword, value in keywords.items() if value is not None}


def _validations(rules: tuple[MediaRule, ...]) -> Schema:
    if not rules:
        return {}
    entries = []
    for rule in rules:
        entry = {"validation_rule": rule.raw or f"{rule.operand}{rule.operator}", "validation_value": rule.value}
        entries.append({**entry, "validation_error": rule.message} if rule.message else entry)
    return {"x-validations": entries}


def _type_of_values(values: tuple[object, ...]) -> Schema:
    """The one type that listed values have, for readers that look at types only."""
    kinds = {
        "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else _KINDS.get(type(value), "")
        for value in values
    }
    kinds -= {"integer"} if "number" in kinds else set()
    kind = next(iter(kinds)) if len(kinds) == 1 else ""
    return {"type": kind} if kind else {}


_KINDS = {str: "string", float: "number", type(None): "null"}
