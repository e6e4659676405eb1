"""The meta-schema, the words of the dialect, the catalog of faults and docs/dialect.md say the same."""

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
from runcomfy_client.schema.dialect import TYPES
from runcomfy_client.schema.rules import parse_bound
from runcomfy_codegen.checking import dialect
from runcomfy_codegen.cli import run
from runcomfy_codegen.diagnostics.codes import PAGE_CODES, all_codes
from runcomfy_codegen.naming import reserved

ROOT = Path(__file__).parents[2]
OWN_CODES = sorted(all_codes().keys() - {each.code for each in PAGE_CODES})
# Recorded elsewhere than in tests/cases/: they need a package that is there, or a file that cannot be read.
ELSEWHERE = {"E001", "E036", "E060", "E061", "E062"}


def definition(name: str) -> Draft202012Validator:
    definitions: Any = dialect.meta_schema()["$defs"]
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions})


def test_the_meta_schema_is_json_schema() -> None:
    Draft202012Validator.check_schema(dialect.meta_schema())


def test_the_meta_schema_knows_the_types() -> None:
    types: Any = dialect.meta_schema()["$defs"]
    assert types["type"]["enum"] == list(TYPES)
    assert set(dialect.KEYWORDS_OF_TYPE) == set(TYPES)


def test_every_keyword_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "dialect.md").read_text(encoding="utf-8")
    assert [word for word in sorted(dialect.keywords()) if f"`{word}`" not in text] == []


@given(
    st.text(alphabet="0123456789./ x-", max_size=8) | st.floats(allow_nan=False, allow_infinity=False) | st.integers()
)
def test_meta_schema_and_parser_agree_on_bounds(value: str | float) -> None:
    assert definition("bound").is_valid(value) is (parse_bound(value) is not None)


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
