"""The meta-schema, the words of the dialect, the catalogue of faults and docs/dialect.md say the same."""

from __future__ import annotations

import keyword
from importlib import metadata
from pathlib import Path
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from runcomfy_codegen.checking import dialect
from runcomfy_codegen.checking.plain import plain
from runcomfy_codegen.cli import run
from runcomfy_codegen.faults.explained import catalogue
from runcomfy_codegen.faults.page_codes import PAGE_CODES
from runcomfy_codegen.naming import reserved

ROOT = Path(__file__).parents[2]
OWN_CODES = sorted(catalogue().keys() - {each.code for each in PAGE_CODES})
# Recorded elsewhere than in tests/cases/: they need a package that is there, or a file that cannot be read.
ELSEWHERE = {"E001", "E036", "E060", "E061", "E062"}


def definition(name: str) -> Draft202012Validator:
    definitions: Any = dialect.meta_schema()["$defs"]
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions})


def test_the_meta_schema_is_json_schema() -> None:
    Draft202012Validator.check_schema(dialect.meta_schema())


def test_the_meta_schema_knows_the_types() -> None:
    types: Any = dialect.meta_schema()["$defs"]
    assert types["type"]["enum"] == list(dialect.TYPES)
    assert set(dialect.KEYWORDS_OF_TYPE) == set(dialect.TYPES)


def test_every_keyword_is_told_in_the_documentation() -> None:
    text = (ROOT / "docs" / "dialect.md").read_text(encoding="utf-8")
    assert [word for word in sorted(dialect.keywords()) if f"`{word}`" not in text] == []


@given(
    st.text(alphabet="0123456789./ x-", max_size=8) | st.floats(allow_nan=False, allow_infinity=False) | st.integers()
)
def test_meta_schema_and_parser_agree_on_bounds(value: str | float) -> None:
    assert definition("bound").is_valid(value) is (dialect.parse_bound(value) is not None)


@pytest.mark.parametrize(
    ("value", "bound"),
    [(15, 15), (4.7, 4.7), ("0.33", 0.33), ("3", 3), (" 1 / 4 ", 0.25), ("6/2", 3), (0, 0), ("0/1", 0)],
)
def test_bounds(value: Any, bound: float) -> None:
    found = dialect.parse_bound(value)
    assert found == bound
    assert type(found) is type(bound)


@pytest.mark.parametrize("value", [True, None, -1, "", "-1", "1/0", "1/0.0", "15 MB", "1e3", "٣", "1" * 65, [], {}])
def test_no_bounds(value: Any) -> None:
    assert dialect.parse_bound(value) is None


def test_every_rule_in_every_spelling() -> None:
    for operand in dialect.OPERANDS:
        for spelling, plain_one in (("<", "<"), ("<=", "<="), ("≤", "<="), (">", ">"), (">=", ">="), ("≥", ">=")):
            assert dialect.parse_rule(operand + spelling) == (operand, plain_one)
            assert dialect.parse_rule(f" {operand} {spelling} ") == (operand, plain_one)
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
        assert dialect.parse_rule(text) is None


def test_a_schema_in_plain_words() -> None:
    schema: Any = {
        "type": "object",
        "properties": {
            "a": {"type": "float", "maximum": 1, "title": "x"},
            "b": {"type": "array", "format": "image_uris", "maxItems": 2},
            "c": {"type": ["integer", "float"], "unknown": 1, "minLength": "x"},
        },
        "required": ["a"],
    }
    assert plain(schema) == {
        "type": ["object"],
        "additionalProperties": False,
        "required": ["a"],
        "properties": {
            "a": {"type": ["number"], "maximum": 1},
            "b": {"type": ["array"], "maxItems": 2, "items": {"type": "string"}},
            "c": {"type": ["integer", "number"]},
        },
    }


@pytest.mark.parametrize("code", [code for code in OWN_CODES if code not in ELSEWHERE])
def test_every_code_has_a_case_of_its_own(code: str) -> None:
    (case,) = (ROOT / "tests" / "cases").glob(f"{code}-*")
    assert f" {code} " in (case / "stderr.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", [*OWN_CODES, "e031"])
def test_explain(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", code]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{code.upper()}: ")
    assert len(out.splitlines()) > 2


def test_explain_knows_no_other_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "E999"]) == 2
    assert "E031" in capsys.readouterr().err


def test_the_frozen_lists_of_names_are_what_python_and_pydantic_have() -> None:
    # A name that is new here must go on the list with care: it renames what is published.
    assert set(reserved.KEYWORDS) == {word for word in keyword.kwlist if word.islower()}
    public = {name for name in dir(pydantic.BaseModel) if not name.startswith("_")}
    assert public <= set(reserved.PROPERTIES)


def test_the_frozen_lists_of_names_are_what_the_client_has() -> None:
    from runcomfy_client.client import AsyncClient, SyncClient
    from runcomfy_client.models import InputModel
    from runcomfy_client.outputs import OutputModel
    from runcomfy_client.resources import AsyncResource, Resource

    def public(*classes: type) -> set[str]:
        return {name for each in classes for name in dir(each) if not name.startswith("_")}

    assert public(SyncClient, AsyncClient) <= set(reserved.CLIENT)
    assert public(Resource, AsyncResource) <= set(reserved.RESOURCES)
    assert public(InputModel) <= set(reserved.PROPERTIES)
    assert public(OutputModel) <= set(reserved.OUTPUT_PROPERTIES)


def test_no_package_hides_what_the_client_needs() -> None:
    """The frozen list has what the client's libraries, and theirs, install here."""
    needed: set[str] = set()
    waiting = [("runcomfy-client", {"", "cli", "fast"})]
    while waiting:
        name, extras = waiting.pop()
        for line in metadata.requires(name) or ():
            wanted = Requirement(line)
            chosen = any(not wanted.marker or wanted.marker.evaluate({"extra": extra}) for extra in extras)
            if chosen and canonicalize_name(wanted.name) not in needed:
                needed.add(canonicalize_name(wanted.name))
                waiting.append((wanted.name, {"", *wanted.extras}))
    owners = metadata.packages_distributions()
    modules = {module for module, names in owners.items() if needed & {*map(canonicalize_name, names)}}
    modules.discard("__pycache__")  # listed by a library that is a single file
    assert len(modules) > 20
    assert modules <= reserved.PACKAGES.keys()
