"""Whatever is given, a report comes back: one that can be printed, and one that can be sent as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runcomfy_client.packages import validate_spec

if TYPE_CHECKING:
    from runcomfy_client.schema import ModelSpec

KEYS = st.one_of(
    st.sampled_from(["image_urls", "prompt", "width×height", "duration", "scale", "seed", "loras", "size", "extra"]),
    st.text(st.characters(), max_size=5),
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=30), st.binary(max_size=9)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=20,
)
many = settings(
    max_examples=75, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def look(spec: ModelSpec, payload: object) -> None:
    report = validate_spec(spec, payload)
    str(report).encode()
    repr(report).encode("utf-8", "backslashreplace")
    assert json.loads(json.dumps(report.to_dict()))["ok"] is report.ok
    assert report.ok is not bool(report.errors)


@many
@given(payload=VALUES)
def test_any_value(spec: ModelSpec, payload: object) -> None:
    look(spec, payload)


@many
@given(payload=st.dictionaries(KEYS, VALUES, max_size=8))
def test_any_object(spec: ModelSpec, payload: dict[str, object]) -> None:
    look(spec, payload)


@many
@given(payload=st.one_of(st.binary(max_size=60), st.text(st.characters(), max_size=60)))
def test_any_text(spec: ModelSpec, payload: bytes | str) -> None:
    look(spec, payload)


@many
@given(payload=st.dictionaries(KEYS, VALUES.filter(lambda value: value != b""), max_size=8), place=st.integers(0, 200))
def test_any_damaged_json(spec: ModelSpec, payload: dict[str, object], place: int) -> None:
    text = json.dumps(payload, default=repr)
    look(spec, text[:place] + text[place + 1 :])
