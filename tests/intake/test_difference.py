"""What counts as a change, and which changes may refuse a payload that was good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_codegen.intake.difference import differences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runcomfy_codegen.reading.source import Json

RULE = {"validation_rule": "width_pixels<=", "validation_value": 4096, "validation_error": "Too wide."}


def of(**prompt: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"prompt": prompt}}


def shown(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [str(change) for change in differences(dict(old), dict(new))]


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (of(maxLength=8), of(maxLength=7), "breaking  /properties/prompt/maxLength: 8 -> 7"),
        (of(maxLength=7), of(maxLength=8), "harmless  /properties/prompt/maxLength: 7 -> 8"),
        (of(minimum=1), of(minimum=0), "harmless  /properties/prompt/minimum: 1 -> 0"),
        (of(minimum=0), of(minimum=1), "breaking  /properties/prompt/minimum: 0 -> 1"),
        (of(), of(maxLength=8), "breaking  /properties/prompt/maxLength: new: 8"),
        (of(maxLength=8), of(), "harmless  /properties/prompt/maxLength: gone: 8"),
        (of(type="integer"), of(type="float"), 'harmless  /properties/prompt/type: "integer" -> "float"'),
        (of(type="float"), of(type="number"), 'harmless  /properties/prompt/type: "float" -> "number"'),
        (of(type="float"), of(type="integer"), 'breaking  /properties/prompt/type: "float" -> "integer"'),
        (of(default=1), of(default=2), "harmless  /properties/prompt/default: 1 -> 2"),
        (of(default=1), of(default=True), "harmless  /properties/prompt/default: 1 -> true"),
        (of(enum=["a"]), of(enum=["b", "a"]), 'harmless  /properties/prompt/enum: new value: "b"'),
        (of(enum=["a", "b"]), of(enum=["b"]), 'breaking  /properties/prompt/enum: no longer a value: "a"'),
        (of(), of(enum=["b"]), 'breaking  /properties/prompt/enum: new: ["b"]'),
        (of(), of(validations=[RULE]), 'breaking  /properties/prompt/validations: new rule: "width_pixels<= 4096"'),
        (of(validations=[RULE]), of(), 'harmless  /properties/prompt/validations: rule gone: "width_pixels<= 4096"'),
        (of(pattern="a"), of(pattern="b"), 'breaking  /properties/prompt/pattern: "a" -> "b"'),
        (of(items={"type": "string"}), of(items={"type": "integer"}), "breaking  /properties/prompt/items/type: "),
        (of(anyOf=[{"minimum": 1}]), of(anyOf=[{"minimum": 2}]), "breaking  /properties/prompt/anyOf/0/minimum: "),
        (of(oneOf=[{}]), of(oneOf=[{}, {}]), "breaking  /properties/prompt/oneOf: "),
        ({"properties": {}}, of(), "breaking  /type: "),
    ],
)
def test_a_change(old: Mapping[str, Any], new: Mapping[str, Any], change: str) -> None:
    assert any(each.startswith(change) for each in shown(old, new)), shown(old, new)


def test_properties_come_and_go() -> None:
    old = {"properties": {"a": {}, "b": {}}, "required": ["a"]}
    new = {"properties": {"b": {}, "c": {}, "d": {}}, "required": ["c", "b"]}
    assert shown(old, new) == [
        "breaking  /properties/a: property gone",
        "breaking  /properties/c: new property, required",
        "harmless  /properties/d: new property, optional",
        'breaking  /required: required: "c"',
        'breaking  /required: required: "b"',
        'harmless  /required: no longer required: "a"',
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(of(title="A", description="B"), of(title="C"), id="texts"),
        pytest.param({"title": "A", **of()}, of(), id="title of the whole"),
        pytest.param({"required": ["a", "b"]}, {"required": ["b", "a"]}, id="order of required"),
        pytest.param(of(enum=[1, 2]), of(enum=[2, 1]), id="order of values"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, id="order of keys"),
        pytest.param(of(oneOf=[{"title": "A"}]), of(oneOf=[{"title": "B"}]), id="texts in alternatives"),
        pytest.param({"output": of(title="A")}, {"output": of(title="B")}, id="output documents"),
    ],
)
def test_no_change(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert differences(one, other) == ()


def test_a_property_named_title_is_a_fact() -> None:
    old = {"properties": {"title": {"type": "string"}}}
    new = {"properties": {"description": {"type": "string"}}}
    assert len(shown(old, new)) == 2


def test_texts_within_values_are_facts() -> None:
    assert shown(of(default={"title": "A"}), of(default={"title": "B"}))


def test_an_output_breaks_when_something_goes() -> None:
    old: Json = {"output": {"properties": {"image": {"type": "string"}}}}
    new: Json = {"output": {"properties": {"image": {"type": "string"}, "audio": {"type": "string"}}}}
    assert [change.breaking for change in differences(old, new, "output")] == [False]
    assert [change.breaking for change in differences(new, old, "output")] == [True]
