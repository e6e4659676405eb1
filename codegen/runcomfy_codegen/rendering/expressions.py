"""Nodes as the Python expressions of a spec module."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from ..lowering import ir
from .literals import call, literal, string, tuple_of

if TYPE_CHECKING:
    from ..reading.source import Json


def node_expression(node: ir.Node) -> str:
    """What stands for a node in a spec. An object with a class stands under its constant."""
    match node:
        case ir.StringNode():
            return call(
                "String",
                min_length=_given(node.min_length),
                max_length=_given(node.max_length),
                pattern=_given(node.pattern),
                format=_given(node.format),
            )
        case ir.NumberNode():
            return call(
                "Integer" if node.integer else "Number",
                minimum=_given(node.minimum),
                maximum=_given(node.maximum),
                exclusive_minimum=_given(node.exclusive_minimum),
                exclusive_maximum=_given(node.exclusive_maximum),
                multiple_of=_given(node.multiple_of),
            )
        case ir.BooleanNode():
            return "Boolean()"
        case ir.NullNode():
            return "Null()"
        case ir.AnyNode():
            return "AnyValue()"
        case ir.EnumNode():
            return call("Enum", tuple_of(map(literal, node.values)))
        case ir.MediaNode():
            return call(
                "Media",
                string(node.kind),
                rules=_rules(node.rules),
                min_length=_given(node.min_length),
                max_length=_given(node.max_length),
            )
        case ir.ArrayNode():
            return call(
                "Array",
                *([node_expression(node.items)] if node.items else []),
                min_items=_given(node.min_items),
                max_items=_given(node.max_items),
                unique_items="True" if node.unique_items else None,
                rules=_rules(node.rules),
            )
        case ir.ObjectNode():
            return node.constant or object_expression(node)
        case ir.FileNode():
            raise AssertionError("an input holds no result file")
        case ir.AlternativesNode():
            return call("OneOf" if node.exactly_one else "AnyOf", *map(node_expression, node.nodes))
        case ir.AllNode():
            return call("AllOf", *map(node_expression, node.nodes))
        case _:
            assert_never(node)


def object_expression(node: ir.ObjectNode) -> str:
    """An object in full, as its constant is defined."""
    properties = ", ".join(f"{string(each.wire)}: {_property(each)}" for each in node.properties)
    return call(
        "Object",
        f"{{{properties}}}",
        required=tuple_of(map(string, node.required)) if node.required else None,
        extra="True" if node.extra else None,
    )


def names_used(node: ir.Node) -> set[str]:
    """The names that a node's expression needs from the client library."""
    match node:
        case ir.ObjectNode():
            found = {"Object"}.union(*(names_used(each.node) for each in node.properties))
            ruled = any(each.rules for each in node.properties)
            return found | ({"Property"} if node.properties else set()) | ({"MediaRule"} if ruled else set())
        case ir.ArrayNode():
            return (
                {"Array"} | ({"MediaRule"} if node.rules else set()) | (names_used(node.items) if node.items else set())
            )
        case ir.MediaNode():
            return {"Media"} | ({"MediaRule"} if node.rules else set())
        case ir.AlternativesNode() | ir.AllNode():
            return {node_expression(node).partition("(")[0]}.union(*map(names_used, node.nodes))
        case _:
            return {node_expression(node).partition("(")[0]}


def _property(each: ir.Property) -> str:
    return call(
        "Property",
        node_expression(each.node),
        rules=_rules(each.rules),
        name=string(each.name) if each.name != each.wire else None,
        default=None if each.default is ir.MISSING else literal(each.default),
        sample=None if each.sample is ir.MISSING else literal(each.sample),
    )


def _given(value: Json) -> str | None:
    return None if value is None else literal(value)


def _rules(rules: tuple[ir.Rule, ...]) -> str | None:
    return tuple_of(map(_rule, rules)) if rules else None


def _rule(rule: ir.Rule) -> str:
    return call(
        "MediaRule",
        _or_none(rule.operand),
        _or_none(rule.operator),
        literal(rule.value),
        string(rule.message),
        raw=_given(rule.raw),
    )


def _or_none(text: str | None) -> str:
    return "None" if text is None else string(text)
