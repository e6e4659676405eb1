"""jsonschema, the standard schema that we write, and the check agree on every payload; so do the typed classes.

What is not compared, and why:

- strings at media fields are https URLs here: jsonschema sees any string, the check wants a URL or a data: URI;
- NaN, infinities, numbers beyond a double and lone surrogates: jsonschema lets them pass, the check refuses what JSON
  cannot carry (tests/validation/test_nodes.py);
- nesting beyond 64 levels: a fault here, nothing to jsonschema;
- multipleOf with a fraction: jsonschema divides doubles (0.3 is no multiple of 0.1 then), the check reads decimals;
- null at the top of a typed class: there it means "not given", in a payload it is a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from runcomfy_client.describe.json_schema import input_schema
from runcomfy_client.schema import check

from tests.support.oracle import MEDIA, Maker, Oracle

if TYPE_CHECKING:
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
            told = f"{model_id}\n{schema}\n{payload}\n{report}"
            # The schema for editors has a pattern for URLs, so it sees them as the check does.
            assert report.ok == standard.is_valid(payload), told
            if names_no_url(schema, payload):
                continue
            assert report.ok == oracle.admits(payload), told
            assert {finding.keys[0] for finding in report.errors} == oracle.faulty_keys(payload), told
            given = {key: value for key, value in payload.items() if value is not None}
            assert models.admitted_by_class(model_id, given) == check(spec, given).ok, told
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
    admitted, refused = compare(real_models, 150)
    assert len(real_models.schemas) >= 59
    assert admitted > 800
    assert refused > 1500


def test_drawn_models(drawn_models: Models) -> None:
    admitted, refused = compare(drawn_models, 80)
    assert admitted > 800
    assert refused > 1000


@pytest.mark.long
def test_many_drawn_models(real_models: Models, many_drawn_models: Models) -> None:
    compare(real_models, 1500)
    compare(many_drawn_models, 200)
