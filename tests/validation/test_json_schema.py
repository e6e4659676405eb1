"""The standard schema of an input: what it says for editors and forms. Its verdict is compared in tests/oracle."""

from __future__ import annotations

import pytest
import runcomfy
from jsonschema import Draft202012Validator
from runcomfy._index import PACKAGE
from runcomfy_client.describe.json_schema import input_schema, schema_of
from runcomfy_client.schema import (
    AnyOf,
    Array,
    Enum,
    Integer,
    Media,
    MediaRule,
    ModelSpec,
    Node,
    Null,
    Number,
    Object,
    OneOf,
    Property,
    String,
)

EDIT = "bytedance/dreamina-4-0/edit"


@pytest.mark.parametrize(
    ("node", "schema"),
    [
        (AnyOf(Number(), Null()), {"type": ["number", "null"]}),
        (AnyOf(Null(), Null()), {"type": ["null"]}),
        (AnyOf(Number(minimum=1), Null()), {"anyOf": [{"type": "number", "minimum": 1}, {"type": "null"}]}),
        (OneOf(Integer(), String()), {"oneOf": [{"type": "integer"}, {"type": "string"}]}),
        (Enum((1, 2)), {"type": "integer", "enum": [1, 2]}),
        (Enum((1, 2.5)), {"type": "number", "enum": [1, 2.5]}),
        (Enum(("a", 1, None)), {"enum": ["a", 1, None]}),
        (Array(unique_items=True), {"type": "array", "uniqueItems": True}),
        (Object({}, extra=True), {"type": "object"}),
        (Object({}), {"type": "object", "properties": {}, "additionalProperties": False}),
    ],
)
def test_nodes(node: Node, schema: dict[str, object]) -> None:
    assert schema_of(node) == schema
    Draft202012Validator.check_schema(schema)


def test_a_property_has_its_texts_and_only_a_default_that_fits() -> None:
    fields = {
        "a": Property(Integer(), title="A", description="An a.", default=3),
        "b": Property(Integer(), default="three"),
        "c": Property(String(), sample="a fox"),
        "d": Property(Media("image"), sample="https://example.com/sample.png"),
    }
    made = input_schema(ModelSpec("a/b", Object(fields, required=("c", "d"))))
    assert made["required"] == ["c", "d"]
    assert made["properties"]["a"] == {"title": "A", "description": "An a.", "type": "integer", "default": 3}
    assert made["properties"]["b"] == {"type": "integer"}
    assert made["properties"]["c"] == {"type": "string", "examples": ["a fox"]}
    assert "examples" not in made["properties"]["d"]  # a sample file is not the user's


def test_media_rules_are_kept_for_those_who_read_them() -> None:
    node = Media("image", rules=(MediaRule("width/height", ">=", 0.5, "Too narrow."), MediaRule.parse("moon<", 3)))
    assert schema_of(node)["x-validations"] == [
        {"validation_rule": "width/height>=", "validation_value": 0.5, "validation_error": "Too narrow."},
        {"validation_rule": "moon<", "validation_value": 3},
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "HTTPS://e.example",
        "data:image/png;base64,iVBORw0KGgo=",
        "cat.png",
        "https://",
        "https:///a",
        "https://a b",
        "http://a.example/x",
        "",
        "https://a.example/\n",
        "https://:80",
    ],
)
def test_a_media_string_fits_the_pattern_if_it_fits_the_check(url: str) -> None:
    fits = Draft202012Validator(schema_of(Media("image"))).is_valid(url)
    refused = {finding.code for finding in Media("image").check(url) or ()} & {"media_source"}
    assert fits == (not refused)


def test_every_model_has_a_schema_that_takes_its_example() -> None:
    for model_id in PACKAGE.model_ids():
        spec = PACKAGE.known_spec(model_id)
        schema = input_schema(spec)
        Draft202012Validator.check_schema(schema)
        if spec.example is not None:
            assert Draft202012Validator(schema).is_valid(spec.example) == runcomfy.validate(model_id, spec.example).ok


def test_outputs_refuse_nothing() -> None:
    made = schema_of(Object({"image": Property(Media("file"))}, extra=True), lenient=True)
    assert made == {"type": "object", "properties": {"image": {"type": "string", "format": "uri"}}}
