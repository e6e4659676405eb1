"""jsonschema, the standard schema that we write, and the check agree on every payload; so do the typed classes.

The written schema is compared on every payload. The API's own schema, read by jsonschema, is not compared on strings
at media fields that are no URLs: to jsonschema a file is any string. Where JSON Schema and the check differ by design,
docs/editors.md says so and why; the last tests here hold each of these differences.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from runcomfy_client.describe.json_schema import input_schema
from runcomfy_client.schema import Array, Integer, Media, ModelSpec, Number, Object, Property, String, check

from tests.support.oracle import MEDIA, Maker, Oracle

if TYPE_CHECKING:
    from runcomfy_client.schema import Node

    from .conftest import Models


def compare(models: Models, rounds: int) -> tuple[int, int]:
    """Judge payloads for every model; brings back how many were admitted and how many refused."""
    admitted = refused = 0
    for number, (model_id, schema) in enumerate(models.schemas.items()):
        oracle = Oracle(schema)
        spec = models.package.known_spec(model_id)
        Draft202012Validator.check_schema(input_schema(spec))
        standard = Draft202012Validator(input_schema(spec))
        for payload in Maker(schema, number).payloads(rounds):
            if not isinstance(payload, dict):
                assert not check(spec, payload).ok
                continue
            report = check(spec, payload)
            details = f"{model_id}\n{schema}\n{payload}\n{report}"
            # The schema for editors has a pattern for URLs, so it sees them as the check does.
            assert report.ok == standard.is_valid(payload), details
            if names_no_url(schema, payload):
                continue
            assert report.ok == oracle.admits(payload), details
            assert {finding.keys[0] for finding in report.errors} == oracle.faulty_keys(payload), details
            given = {key: value for key, value in payload.items() if value is not None}
            assert models.admitted_by_class(model_id, given) == check(spec, given).ok, details
            admitted, refused = admitted + report.ok, refused + (not report.ok)
    return admitted, refused


def names_no_url(schema: Any, value: object) -> bool:
    """Whether a media field somewhere below holds a string that is no URL: the one thing the two see differently."""
    if not isinstance(schema, dict):
        return False
    branches = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
    if isinstance(value, str):
        mine = schema.get("format") in MEDIA and not value.startswith("https://example.com/")
        return mine or any(names_no_url(branch, value) for branch in branches)
    if isinstance(value, list):
        items = {"format": "image_uri"} if schema.get("format") in MEDIA else schema.get("items")
        parts = [(items, item) for item in value]
    elif isinstance(value, dict):
        parts = [(schema.get("properties", {}).get(key), item) for key, item in value.items()]
    else:
        return False
    return any(names_no_url(part, item) for part, item in parts) or any(
        names_no_url(branch, value) for branch in branches
    )


def test_real_models(real_models: Models) -> None:
    admitted, refused = compare(real_models, 300)
    assert admitted > 400
    assert refused > 700


def test_drawn_models(drawn_models: Models) -> None:
    admitted, refused = compare(drawn_models, 80)
    assert admitted > 400
    assert refused > 500


@pytest.mark.long
def test_all_models_that_ship(all_models: Models) -> None:
    assert len(all_models.schemas) >= 59
    compare(all_models, 1500)


@pytest.mark.long
def test_many_drawn_models(many_drawn_models: Models) -> None:
    compare(many_drawn_models, 200)


def both(node: Node, value: object) -> tuple[bool, bool]:
    """Whether the check and the written schema take a value, for an input with this one property."""
    spec = ModelSpec("a/b", input=Object({"x": Property(node)}))
    payload = {"x": value}
    return check(spec, payload).ok, Draft202012Validator(input_schema(spec)).is_valid(payload)


DIFFERENCES: list[tuple[Node, object]] = [
    (Number(), math.nan),
    (Number(), 10**400),
    (Integer(), 10**400),
    (String(), "\ud800"),
    (Array(), json.loads("[" * 70 + "]" * 70)),
    (Media("image"), "data:image/png;base64,@"),
    (Media("image"), "data:text/plain,x"),
]


@pytest.mark.parametrize(("node", "value"), DIFFERENCES)
def test_what_json_schema_cannot_say_the_check_alone_refuses(node: Node, value: object) -> None:
    assert both(node, value) == (False, True)


def test_a_step_is_a_decimal_to_the_check_and_a_double_to_some_validators() -> None:
    assert both(Number(multiple_of=0.1), 0.3) == (True, False)
