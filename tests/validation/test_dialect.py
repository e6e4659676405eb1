"""Schemas of the dialect become nodes, whatever they hold; rules and bounds are read in every spelling."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runcomfy_client.schema import (
    AllOf,
    AnyOf,
    AnyValue,
    Array,
    Enum,
    Integer,
    Media,
    Node,
    Null,
    Number,
    Object,
    String,
)
from runcomfy_client.schema.dialect import fits, read_schema
from runcomfy_client.schema.rules import OPERANDS, MediaRule, parse_bound, parse_rule


@pytest.mark.parametrize(
    ("value", "bound"),
    [(15, 15), (4.7, 4.7), ("0.33", 0.33), ("3", 3), (" 1 / 4 ", 0.25), ("6/2", 3), (0, 0), ("0/1", 0)],
)
def test_bounds(value: Any, bound: float) -> None:
    found = parse_bound(value)
    assert found == bound
    assert type(found) is type(bound)


@pytest.mark.parametrize("value", [True, None, -1, "", "-1", "1/0", "1/0.0", "15 MB", "1e3", "٣", "1" * 65, [], {}])
def test_no_bounds(value: Any) -> None:
    assert parse_bound(value) is None


def test_every_rule_in_every_spelling() -> None:
    for operand in OPERANDS:
        for spelling, operator in (("<", "<"), ("<=", "<="), ("≤", "<="), (">", ">"), (">=", ">="), ("≥", ">=")):
            assert parse_rule(operand + spelling) == (operand, operator)
            assert parse_rule(f" {operand} {spelling} ") == (operand, operator)
    for text in (
        "",
        "<",
        "width_pixels",
        "width_pixels==",
        "Width_pixels<",
        "width_pixels<<",
        "moon<",
        "width_pixels<\n1",
    ):
        assert parse_rule(text) is None


@pytest.mark.parametrize(("rule", "value"), [("moon<", 3), ("width_pixels<", "wide"), ("width_pixels<", -1)])
def test_a_rule_that_cannot_be_read_keeps_its_spelling(rule: str, value: object) -> None:
    made = MediaRule.parse(rule, value, "text")
    assert (made.is_known, made.raw, made.value, made.message) == (False, rule, value, "text")


def test_a_schema_becomes_nodes() -> None:
    schema = {
        "type": "object",
        "description": "what it is",
        "properties": {
            "a": {"type": "float", "maximum": 1, "title": "x", "default": 0.5},
            "b": {"type": "array", "format": "image_uris", "maxItems": 2},
            "c": {"type": ["integer", "null"], "unknown": 1, "minLength": "x"},
        },
        "required": ["a"],
    }
    node = read_schema(schema)
    assert isinstance(node, Object)
    assert (node.required, node.extra, node.description) == (("a",), False, "what it is")
    assert repr(node.properties["a"]) == "Property(node=Number(maximum=1), title='x', sample=0.5)"
    assert repr(node.properties["b"].node) == "Array(items=Media(kind='image'), max_items=2)"
    assert repr(node.properties["c"].node) == "AnyOf(nodes=(Integer(), Null()))"


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (None, AnyValue),
        ({}, AnyValue),
        ({"type": "colour"}, AnyValue),
        ({"type": 5}, AnyValue),
        ({"enum": [1]}, Enum),
        ({"const": None}, Enum),
        ({"enum": 5, "type": "string"}, String),
        ({"minimum": 3}, AnyOf),
        ({"type": "string", "minLength": -1, "maxLength": True, "pattern": 5}, String),
        ({"type": "number", "multipleOf": 0}, Number),
        ({"type": "integer", "maximum": float("nan")}, Integer),
        ({"type": "array", "items": []}, Array),
        ({"type": "object", "properties": 5, "required": "a"}, Object),
        ({"anyOf": []}, AnyValue),
        ({"anyOf": [{"type": "null"}]}, Null),
        ({"type": "string", "oneOf": [{}, {}]}, AllOf),
        ({"type": "string", "format": "image_uri", "validations": [5, {}, {"validation_rule": "moon<"}]}, Media),
    ],
)
def test_what_has_the_wrong_shape_says_nothing(schema: object, kind: type[Node]) -> None:
    assert type(read_schema(schema)) is kind


def test_of_an_enum_only_what_fits_the_rest_is_left() -> None:
    node = read_schema({"type": "integer", "enum": [1, 2.0, 2, True, "3", 1.5], "maximum": 5})
    assert node.arguments() == {"values": (1, 2)}
    assert read_schema({"type": "string", "format": "image_uri", "enum": ["a.png"]}).arguments() == {
        "values": ("a.png",)
    }


keywords = st.sampled_from(
    ["type", "enum", "const", "minimum", "maxLength", "pattern", "format", "items", "properties", "required", "anyOf"]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["string", "array", "object", "image_uri"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keywords, inner, max_size=4),
    max_leaves=12,
)


@given(values, values)
def test_no_schema_breaks_the_reader(schema: object, value: object) -> None:
    assert fits(read_schema(schema), value) in (True, False)
