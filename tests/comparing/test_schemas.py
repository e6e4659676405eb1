"""What counts as a change, and which changes may refuse a payload that was good: docs/upgrades.md, case by case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.schema.dialect import fits, read_schema
from runcomfy_codegen.comparing import schemas
from runcomfy_codegen.comparing.schemas import differences
from runcomfy_codegen.intake import pull_report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runcomfy_codegen.reading.source import Json

B, C = "breaking", "compatible"


def rule(text: str, value: object) -> dict[str, Any]:
    return {"validation_rule": text, "validation_value": value, "validation_error": "No."}


def of(**prompt: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"prompt": prompt}}


def inputs(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": [*required]}


LORAS = {"type": "array", "items": {"type": "object", "properties": {"path": {"type": "string", "maxLength": 9}}}}
SHORT = {"type": "array", "items": {"type": "object", "properties": {"path": {"type": "string", "maxLength": 8}}}}
# (old, new, the change from old to new, the change from new to old)
CASES = [
    # required
    (inputs({"a": {}}), inputs({"a": {}}, "a"), (B, "a: now required"), (C, "a: no longer required")),
    (inputs({}), inputs({"a": {}}), (C, "a: new property, optional"), (B, "a: property gone")),
    (inputs({}), inputs({"a": {}}, "a"), (B, "a: new property, required"), (B, "a: property gone")),
    # enum values
    (of(enum=["a", "b"]), of(enum=["b"]), (B, 'prompt: value "a" gone'), (C, 'prompt: new value "a"')),
    (of(), of(enum=["b"]), (B, 'prompt: new enum ["b"]'), (C, 'prompt: enum ["b"] gone')),
    # bounds
    (of(maximum=2), of(maximum=1), (B, "prompt: maximum 2 -> 1"), (C, "prompt: maximum 1 -> 2")),
    (of(minimum=0), of(minimum=1), (B, "prompt: minimum 0 -> 1"), (C, "prompt: minimum 1 -> 0")),
    (of(), of(exclusiveMaximum=1), (B, "prompt: new exclusiveMaximum 1"), (C, "prompt: exclusiveMaximum 1 gone")),
    (of(maxLength=8), of(maxLength=7), (B, "prompt: maxLength 8 -> 7"), (C, "prompt: maxLength 7 -> 8")),
    (of(minItems=1), of(minItems=2), (B, "prompt: minItems 1 -> 2"), (C, "prompt: minItems 2 -> 1")),
    (of(), of(minItems=0), (C, "prompt: new minItems 0"), (C, "prompt: minItems 0 gone")),
    (of(multipleOf=0.1), of(multipleOf=0.3), (B, "prompt: multipleOf"), (C, "prompt: multipleOf 0.3 -> 0.1")),
    (of(multipleOf=2), of(multipleOf=3), (B, "prompt: multipleOf 2 -> 3"), (B, "prompt: multipleOf 3 -> 2")),
    (of(), of(uniqueItems=True), (B, "prompt: new uniqueItems true"), (C, "prompt: uniqueItems true gone")),
    (of(), of(pattern="a"), (B, 'prompt: new pattern "a"'), (C, 'prompt: pattern "a" gone')),
    (of(pattern="a"), of(pattern="b"), (B, "prompt: pattern"), (B, "prompt: pattern")),
    # types
    (of(type="float"), of(type="integer"), (B, 'prompt: type "float" -> "integer"'), (C, "prompt: type")),
    (of(type="float"), of(type="number"), (C, "prompt: type"), (C, "prompt: type")),
    (of(type="string"), of(type="integer"), (B, "prompt: type"), (B, "prompt: type")),
    (of(type=["string", "null"]), of(type="string"), (B, "prompt: type"), (C, "prompt: type")),
    (of(), of(type="string"), (B, 'prompt: new type "string"'), (C, 'prompt: type "string" gone')),
    # media
    (of(format="image_uri"), of(format="video_uri"), (B, "prompt: format"), (B, "prompt: format")),
    (of(format="image_uri"), of(), (B, 'prompt: format "image_uri" gone'), (B, "prompt: new format")),
    (of(format="image_uri"), of(format="image_uris"), (B, "prompt: format"), (B, "prompt: format")),
    # rules
    (of(), of(validations=[rule("width_pixels<=", 9)]), (B, "prompt: new rule width_pixels<= 9"), (C, "prompt: rule")),
    (
        of(validations=[rule("width_pixels<=", 9)]),
        of(validations=[rule("width_pixels≤", "8")]),
        (B, "prompt: rule width_pixels<= 9 -> width_pixels≤ 8"),
        (C, "prompt: rule width_pixels≤ 8 -> width_pixels<= 9"),
    ),
    (
        of(validations=[rule("width/height>=", "1/3")]),
        of(validations=[rule("width/height>", "1/3")]),
        (B, "prompt: rule width/height>= 1/3 -> width/height> 1/3"),
        (C, "prompt: rule"),
    ),
    # what is inside
    (of(**LORAS), of(**SHORT), (B, "prompt[].path: maxLength 9 -> 8"), (C, "prompt[].path: maxLength 8 -> 9")),
    (of(anyOf=[{"minimum": 1}]), of(anyOf=[{"minimum": 2}]), (B, "prompt: minimum 1 -> 2"), (C, "prompt: minimum")),
    (of(anyOf=[{}]), of(anyOf=[{}, {"type": "null"}]), (C, "prompt: anyOf: 1 -> 2"), (B, "prompt: anyOf: 2 -> 1")),
    (of(oneOf=[{}]), of(oneOf=[{}, {}]), (B, "prompt: oneOf: 1 -> 2"), (B, "prompt: oneOf: 2 -> 1")),
    (
        of(type="object", properties={}, additionalProperties=True),
        of(type="object", properties={}),
        (B, "prompt: keys of other names are refused"),
        (C, "prompt: keys of any name are taken"),
    ),
    # what judges nothing
    (of(default=1), of(default=2), (C, "prompt: default 1 -> 2"), (C, "prompt: default 2 -> 1")),
    (of(default=1), of(default=True), (C, "prompt: default 1 -> true"), (C, "prompt: default true -> 1")),
    (of(default=1), of(), (C, "prompt: default 1 gone"), (C, "prompt: new default 1")),
]


def shown(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [str(change) for change in differences(dict(old), dict(new))]


@pytest.mark.parametrize(("old", "new", "there", "back"), CASES)
def test_a_change_in_both_directions(
    old: dict[str, Any], new: dict[str, Any], there: tuple[str, str], back: tuple[str, str]
) -> None:
    for one, other, (kind, text) in ((old, new, there), (new, old, back)):
        (found,) = shown(one, other)
        assert found.startswith(f"{kind}  {text}"), found


VALUES: list[Any] = [
    None, True, 0, 1, 2, 3, 0.1, 0.3, 0.6, 1.5, "", "a", "b", "ab", "aaaaaaaa", "aaaaaaaaa", [], [1], [1, 1], [1, 2],
    [1, 2, 3], {}, {"x": 1}, [{"path": "a" * 9}], [{"path": "a" * 8}],
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "there", "back"), CASES)
def test_what_is_called_compatible_refuses_nothing_that_was_taken(
    old: dict[str, Any], new: dict[str, Any], there: tuple[str, str], back: tuple[str, str]
) -> None:
    payloads = [{}, *({name: value} for value in VALUES for name in ("a", "prompt"))]
    for one, other, (kind, _) in ((old, new, there), (new, old, back)):
        before, after = read_schema(one), read_schema(other)
        if kind == C:
            assert [each for each in payloads if fits(before, each) and not fits(after, each)] == []


def test_every_change_says_what_it_means() -> None:
    for old, new, *_ in CASES:
        for change in (*differences(old, new), *differences(new, old)):
            assert change.meaning.endswith(".")


def test_every_meaning_is_documented() -> None:
    documented = (Path(__file__).parents[2] / "docs/upgrades.md").read_text(encoding="utf-8")
    effects = [each for each in vars(schemas).values() if isinstance(each, schemas.Effect)]
    of_inputs = [each for each in effects if each not in (schemas.READERS_STAY, schemas.READERS_BREAK)]
    assert len(of_inputs) > 10
    for effect in of_inputs:
        kind = "breaking" if effect.breaking else "compatible"
        assert f"| {kind} | {effect.meaning} |" in documented
        assert f"| {'compatible' if effect.breaking else 'breaking'} | {effect.meaning} |" not in documented
    for text in (pull_report._REMOVED, pull_report._REFUSED):
        assert f"| breaking | {text} |" in documented


def test_a_property_that_goes_or_comes_is_one_change() -> None:
    old = inputs({"a": {}, "b": {}}, "a")
    new = inputs({"b": {}, "c": {}, "d": {}}, "c", "b")
    assert shown(old, new) == [
        "breaking  a: property gone",
        "breaking  c: new property, required",
        "compatible  d: new property, optional",
        "breaking  b: now required",
    ]


def test_a_requirement_of_what_is_not_defined_is_a_change() -> None:
    assert shown(inputs({}), inputs({}, "ghost")) == ["breaking  ghost: now required"]


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
        pytest.param(
            of(validations=[rule("width_pixels<=", 9)]), of(validations=[rule("width_pixels≤", "9")]), id="spelling"
        ),
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
