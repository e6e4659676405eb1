"""Fourth step: a checked schema becomes frozen nodes. It reads only what the checks let pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..checking.dialect import (
    ALTERNATIVES,
    ARRAY_KEYWORDS,
    MEDIA_FORMATS,
    NUMBER_KEYWORDS,
    OBJECT_KEYWORDS,
    STRING_KEYWORDS,
    VALUES,
    enum_values,
    is_media,
    parse_bound,
    parse_rule,
    text_of,
    types_of,
)
from ..checking.plain import validator
from . import ir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..naming.identifiers import PythonName
    from ..naming.object_names import InputNames, ObjectNames
    from ..reading.patching import PatchedDocument
    from ..reading.positions import Pointer
    from ..reading.source import Json

_ALL_TYPES = ("null", "boolean", "number", "string", "array", "object")
_SAID_BY_TYPE = frozenset({"type", "title", "description"})


def lower_input(document: PatchedDocument, names: InputNames) -> ir.ObjectNode:
    """The input as nodes."""
    assert isinstance(document.value, dict)
    return _Lowering(names.by_pointer).object(document.value, ())


@dataclass(frozen=True, slots=True)
class _Lowering:
    _names: Mapping[Pointer, ObjectNames]

    def _node(self, schema: Mapping[str, Json], pointer: Pointer) -> ir.Node:
        values = enum_values(schema)
        if values is not None:
            return ir.EnumNode(values=_fitting(schema, values))
        parts: list[ir.Node] = []
        types = types_of(schema)
        said = schema.keys() & {*NUMBER_KEYWORDS, *STRING_KEYWORDS, *ARRAY_KEYWORDS, *OBJECT_KEYWORDS}
        if types or said:
            # Without a type, a keyword still binds the values of its own type.
            made = [self._typed(each, schema, pointer) for each in (types or _ALL_TYPES)]
            parts.append(made[0] if len(made) == 1 else ir.AlternativesNode(exactly_one=False, nodes=tuple(made)))
        for keyword in sorted(schema.keys() & {*ALTERNATIVES}):
            branches = schema[keyword]
            assert isinstance(branches, list)
            nodes = [self._node(_schema(branch), (*pointer, keyword, number)) for number, branch in enumerate(branches)]
            exactly_one = keyword == "oneOf"
            parts.append(
                nodes[0] if len(nodes) == 1 else ir.AlternativesNode(exactly_one=exactly_one, nodes=tuple(nodes))
            )
        if not parts:
            return ir.AnyNode()
        return parts[0] if len(parts) == 1 else ir.AllNode(nodes=tuple(parts))

    def _typed(self, type: str, schema: Mapping[str, Json], pointer: Pointer) -> ir.Node:
        match type:
            case "string":
                return _string(schema)
            case "integer" | "number":
                return _number(schema, integer=type == "integer")
            case "boolean":
                return ir.BooleanNode()
            case "null":
                return ir.NullNode()
            case "array":
                return self._array(schema, pointer)
            case _:
                return self.object(schema, pointer)

    def _array(self, schema: Mapping[str, Json], pointer: Pointer) -> ir.ArrayNode:
        inner = schema.get("items")
        kind = MEDIA_FORMATS.get(str(schema.get("format")))
        items: ir.Node | None = None
        if isinstance(inner, dict) and (inner or not kind):
            # The plural format says of the items what the singular one says of a string.
            if kind and not is_media(inner) and types_of(inner) in (("string",), ()):
                inner = {"type": "string", **inner, "format": f"{kind}_uri"}
            items = self._node(inner, (*pointer, "items"))
        elif kind:
            items = ir.MediaNode(kind=kind)
        return ir.ArrayNode(
            items=items,
            min_items=_count(schema, "minItems"),
            max_items=_count(schema, "maxItems"),
            unique_items=schema.get("uniqueItems") is True,
            rules=_rules(schema),
        )

    def object(self, schema: Mapping[str, Json], pointer: Pointer) -> ir.ObjectNode:
        properties, required = schema.get("properties"), schema.get("required")
        needed = tuple(dict.fromkeys(str(each) for each in (required if isinstance(required, list) else ())))
        if not isinstance(properties, dict):
            return ir.ObjectNode(required=needed, extra=schema.get("additionalProperties") is not False)
        names = self._names[pointer]
        return ir.ObjectNode(
            properties=tuple(
                self._property(
                    wire, names.properties[wire], _schema(each), wire in needed, (*pointer, "properties", wire)
                )
                for wire, each in properties.items()
            ),
            required=needed,
            extra=schema.get("additionalProperties") is True,
            class_name=names.class_name,
            constant=names.constant,
            description=text_of(schema, "description"),
        )

    def _property(
        self, wire: str, name: PythonName, schema: Mapping[str, Json], required: bool, pointer: Pointer
    ) -> ir.Property:
        # `"default": null` is how some schemas say that there is none.
        default: Json | ir.Missing = ir.MISSING if schema.get("default") is None else schema["default"]
        node = self._node(schema, pointer)
        return ir.Property(
            wire=wire,
            name=name,
            node=node,
            rules=() if _takes_rules(node) else _rules(schema),
            required=required,
            title=text_of(schema, "title"),
            description=text_of(schema, "description"),
            default=ir.MISSING if required else default,
            sample=default if required else ir.MISSING,
            extras=_extras(schema, required),
        )


def _schema(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _fitting(schema: Mapping[str, Json], values: list[Json]) -> tuple[Json, ...]:
    """The listed values that everything else said here lets pass, whole floats as integers, each once."""
    judge = validator(dict(schema), without=VALUES)
    kept: list[Json] = []
    for value in values:
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        # A list compares True and 1 as equal; their types tell them apart.
        if judge.is_valid(value) and not any(type(whole) is type(each) and whole == each for each in kept):
            kept.append(whole)
    return tuple(kept)


def _string(schema: Mapping[str, Json]) -> ir.Node:
    low, high = _count(schema, "minLength"), _count(schema, "maxLength")
    pattern, format = schema.get("pattern"), schema.get("format")
    kind = MEDIA_FORMATS.get(str(format))
    if kind:
        media = ir.MediaNode(kind=kind, rules=_rules(schema), min_length=low, max_length=high)
        return ir.AllNode(nodes=(media, ir.StringNode(pattern=pattern))) if isinstance(pattern, str) else media
    return ir.StringNode(
        min_length=low,
        max_length=high,
        pattern=pattern if isinstance(pattern, str) else None,
        format=format if isinstance(format, str) else None,
    )


def _number(schema: Mapping[str, Json], *, integer: bool) -> ir.NumberNode:
    def bound(keyword: str) -> int | float | None:
        value = schema.get(keyword)
        assert value is None or isinstance(value, int | float)
        return value

    return ir.NumberNode(
        integer=integer,
        minimum=bound("minimum"),
        maximum=bound("maximum"),
        exclusive_minimum=bound("exclusiveMinimum"),
        exclusive_maximum=bound("exclusiveMaximum"),
        multiple_of=bound("multipleOf"),
    )


def _takes_rules(node: ir.Node) -> bool:
    """Do the validations of a schema of this node stand on the node itself?"""
    match node:
        case ir.MediaNode() | ir.ArrayNode():
            return True
        case ir.AlternativesNode() | ir.AllNode():
            return any(map(_takes_rules, node.nodes))
        case _:
            return False


def _rules(schema: Mapping[str, Json]) -> tuple[ir.Rule, ...]:
    rules = schema.get("validations")
    return tuple(_rule(_schema(each)) for each in (rules if isinstance(rules, list) else ()))


def _rule(entry: Mapping[str, Json]) -> ir.Rule:
    text, message = str(entry["validation_rule"]), text_of(entry, "validation_error")
    known = parse_rule(text)
    if known is None:
        return ir.Rule(operand=None, operator=None, value=entry["validation_value"], message=message, raw=text)
    operand, operator = known
    return ir.Rule(operand=operand, operator=operator, value=parse_bound(entry["validation_value"]), message=message)


def _extras(schema: Mapping[str, Json], required: bool) -> tuple[tuple[str, Json], ...]:
    """What stays on the class as data: the schema's own words for what its types cannot carry."""
    kept: list[tuple[str, Json]] = []
    if schema.get("default") is not None:
        # A required property's default is only an example, and called so.
        kept.append(("examples", [schema["default"]]) if required else ("default", schema["default"]))
    kept += [(keyword, schema[keyword]) for keyword in schema if _is_data(keyword, schema)]
    return tuple(kept)


def _is_data(keyword: str, schema: Mapping[str, Json]) -> bool:
    """Is a keyword one that neither the type of a field nor its bounds can say?"""
    value = schema[keyword]
    match keyword:
        case "format" | "pattern" | "validations" | "uniqueItems":
            return True
        case "multipleOf":
            return isinstance(value, float)
        case "enum":
            return isinstance(value, list) and any(isinstance(each, float | list | dict) for each in value)
        case "items":
            # Objects keep their bounds in a class of their own.
            return isinstance(value, dict) and bool(value.keys() - _SAID_BY_TYPE) and "properties" not in value
        case "oneOf" | "anyOf":
            return isinstance(value, list) and not any("properties" in _schema(each) for each in value)
        case _:
            # A field of several types carries no bounds.
            return isinstance(schema.get("type"), list) and keyword in {*NUMBER_KEYWORDS, *STRING_KEYWORDS}


def _count(schema: Mapping[str, Json], keyword: str) -> int | None:
    value = schema.get(keyword)
    # 800.0 is an integer to JSON.
    return int(value) if isinstance(value, int | float) else None
