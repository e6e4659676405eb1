"""Whatever a schema file holds, the generator says what is wrong with it or makes code that runs. It never breaks."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runcomfy_codegen.building.unit import build_unit
from runcomfy_codegen.diagnostics.characters import all_visible
from runcomfy_codegen.diagnostics.diagnostic import has_errors, render

from tests.support.codegen import HOSTILE, Package, encoded, input_of, task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runcomfy_codegen.reading.source import Json

SEEDS = sorted((Path(__file__).parents[2] / "schemas").rglob("input.json"))
# What the long run does; the sample is a part of it.
WHOLE = 10_000
SAMPLE = 30

# The last two are words that our own class names end with.
_names = st.sampled_from([*HOSTILE, "input", "output"]) | st.text(max_size=8)
_texts = st.sampled_from(HOSTILE) | st.text(max_size=20)
_numbers = (
    st.integers(-5, 20) | st.floats(-2, 2).map(lambda x: round(x, 2)) | st.sampled_from([1e308, 10**40, -0.0, 0.1])
)
_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=5,
)
# Long enough to be broken into lines.
_choices = st.lists(st.text("abcdef |[(\"'", min_size=8, max_size=40), min_size=3, max_size=9)
_types = st.sampled_from(["string", "integer", "float", "number", "boolean", "array", "object", "null", "any"])
_rules = st.fixed_dictionaries(
    {
        "validation_rule": st.sampled_from(["file_size_mb<", "width/height≥", "width_pixels<=", "moon>="]) | _texts,
        "validation_value": st.sampled_from([15, "0.33", "1/3", "x"]) | _values,
        "validation_error": _texts,
    }
)


def _keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": _types | st.lists(_types, max_size=3) | _values,
            "title": _texts,
            "description": _texts,
            "default": _values,
            "enum": st.lists(_values, max_size=4) | _choices,
            "const": _values,
            "format": st.sampled_from(["image_uri", "image_uris", "video_uri", "audio_uris", "uri"]) | _texts,
            "minimum": _numbers,
            "maximum": _numbers,
            "exclusiveMinimum": _numbers,
            "multipleOf": _numbers,
            "minLength": _numbers,
            "maxLength": _numbers,
            "pattern": st.sampled_from(["^a+$", "(", "(?<=x)y", "\\d{3}"]) | _texts,
            "minItems": _numbers,
            "maxItems": _numbers,
            "uniqueItems": st.booleans(),
            "items": inner,
            "properties": st.dictionaries(_names, inner, max_size=4),
            "required": st.lists(_names, max_size=3),
            "additionalProperties": st.booleans(),
            "oneOf": st.lists(inner, max_size=3),
            "anyOf": st.lists(inner, max_size=3),
            "validations": st.lists(_rules | _values, max_size=2),
            "$ref": st.just("#/x"),
        },
    )


_schemas = st.recursive(_keywords(_values), _keywords, max_leaves=6)
_inputs = st.builds(input_of, st.dictionaries(_names, _schemas, max_size=5), st.lists(_names, max_size=2) | st.none())


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    made = Package(tmp_path_factory.mktemp("fuzz"), "fuzzed")
    yield made
    made.close()


def answered(data: bytes, package: Package) -> bool:
    """Build a unit of these bytes: True if it became code, which then ran; False if faults were told."""
    unit = build_unit(task(data))
    for each in unit.diagnostics:
        text = render(each)
        assert all(map(all_visible, text.split("\n"))), text
    if has_errors(unit.diagnostics):
        assert unit.rendered is None
        return False
    modules = package.load(unit)
    spec: Any = modules["specs/acme/family/task.py"]
    models: Any = modules["models/acme/family/task.py"]
    assert spec.MODEL.input.model is models.TaskInput
    return True


def long(examples: int) -> settings:
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=examples == SAMPLE
    )


@long(SAMPLE)
@given(schema=_inputs)
def test_any_schema_is_answered(schema: Json, package: Package) -> None:
    answered(encoded(schema), package)


@pytest.mark.long
@long(WHOLE)
@given(schema=_inputs)
def test_any_schema_is_answered_at_length(schema: Json, package: Package) -> None:
    answered(encoded(schema), package)


@long(SAMPLE)
@given(seed=st.integers(0))
def test_any_damaged_file_is_answered(seed: int, package: Package) -> None:
    answered(damaged(seed), package)


@pytest.mark.long
@long(WHOLE)
@given(seed=st.integers(0))
def test_any_damaged_file_is_answered_at_length(seed: int, package: Package) -> None:
    answered(damaged(seed), package)


def damaged(seed: int) -> bytes:
    """A real schema file, damaged: as text, as bytes, or in one of its values."""
    dice = random.Random(seed)
    data = dice.choice(SEEDS).read_bytes()
    for _ in range(dice.randint(1, 3)):
        data = dice.choice([_bytes_damaged, _value_replaced])(data, dice)
    return data


def _bytes_damaged(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data) + 1)
    length = dice.choice([0, 1, 1, 1, 5, 50])
    put = dice.choice(
        [b"", b"", b"\xff", b"\0", b'"', b"{", b"}", b",", b"[", b"1e999", b"NaN", bytes([dice.randrange(256)])]
    )
    return data[:place] + put + data[place + length :]


def _value_replaced(data: bytes, dice: random.Random) -> bytes:
    try:
        value = json.loads(data)
    except ValueError:
        return data
    holders: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, dict | list):
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            holders += [(here, key) for key in keys]
            stack += [here[key] for key in keys]
    if not holders:
        return data
    holder, key = dice.choice(holders)
    new = dice.choice([None, True, 0, -1, 1.5, 10**30, [], {}, [1], {"type": "string"}, *HOSTILE])
    if isinstance(holder, dict) and dice.random() < 0.4:
        holder[dice.choice(HOSTILE)] = holder.pop(key)
    else:
        holder[key] = new
    return encoded(value)


def test_the_fuzz_reaches_code_and_errors(package: Package) -> None:
    outcomes = [answered(damaged(seed), package) for seed in range(40)]
    assert {True, False} == set(outcomes)
