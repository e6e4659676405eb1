"""What the catalog says besides a schema: kept in model.json, read by spec, show, page, OpenAPI and simulator."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from runcomfy_simulator import Simulator

from tests.support.codegen import input_of, write_store
from tests.support.intake import codegen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL = "acme/poster-1/draw"
FACTS = {
    "display_name": 'Poster "One" \u001b[31m',
    "categories": ["text-to-image", "a \\ b"],
    "base_price_usd": 0.25,
    "price_unit": "output",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("facts")
    write_store(folder / "schemas", {MODEL: input_of({"prompt": {"type": "string"}}), "acme/bare": input_of({})})
    (folder / "schemas" / MODEL / "model.json").write_text(json.dumps(FACTS), encoding="utf-8")
    answer = codegen("generate", "--schemas", folder / "schemas", "--output", folder, "--package", "priced")
    assert (answer.code, answer.err) == (0, "")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def show(project: Path, *words: str) -> str:
    return priced(project, "show", *words)


def priced(project: Path, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(project)}
    command = [sys.executable, "-m", "priced", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_the_spec_has_them(project: Path) -> None:
    package: Any = importlib.import_module("priced._index").PACKAGE
    spec = package.spec(MODEL)
    assert {name: getattr(spec, name) for name in FACTS} == {**FACTS, "categories": tuple(FACTS["categories"])}  # type: ignore[arg-type]
    bare = package.spec("acme/bare")
    assert (bare.display_name, bare.categories, bare.base_price_usd, bare.price_unit) == ("bare", (), None, "")


def test_show_prints_them(project: Path) -> None:
    shown = show(project, MODEL)
    assert "text-to-image, a \\ b · base price 0.25 USD per output, not a quote\n" in shown
    assert "\x1b" not in shown
    facts = json.loads(show(project, MODEL, "--json"))
    assert {name: facts[name] for name in FACTS} == FACTS
    assert json.loads(show(project, "acme/bare", "--json"))["base_price_usd"] is None


def test_the_list_of_models_has_the_prices(project: Path) -> None:
    assert priced(project, "models").splitlines() == ["acme/bare\t", f"{MODEL}\t\t0.25 USD per output"]
    bare, other = json.loads(priced(project, "models", "--json"))["models"]
    assert (bare["base_price_usd"], bare["price_unit"]) == (None, None)
    assert (other["base_price_usd"], other["price_unit"]) == (0.25, "output")


def test_the_docstring_of_a_method_has_the_price(project: Path) -> None:
    client = importlib.import_module("priced").RunComfy(token="any")
    assert "Base price: 0.25 USD per output when this was generated; not a quote." in client.acme.poster_1.draw.__doc__
    assert "price" not in client.acme.bare.__doc__


def test_page_and_openapi_have_them(project: Path) -> None:
    assert codegen("reference", "--schemas", project / "schemas", "--output", project / "pages").code == 0
    page = (project / "pages/acme/poster_1/draw.md").read_text(encoding="utf-8")
    assert "0.25 USD per output" in page
    document = json.loads(codegen("openapi", "--schemas", project / "schemas").out)
    assert document["paths"][f"/v1/models/{MODEL}"]["post"]["x-catalog"] == FACTS
    assert "x-catalog" not in document["paths"]["/v1/models/acme/bare"]["post"]


def test_the_simulator_serves_them(project: Path) -> None:
    with Simulator(schemas=project / "schemas") as simulator:
        headers = {"Authorization": f"Bearer {simulator.token}"}
        entry = httpx.get(f"{simulator.url}/v1/models/{MODEL}", headers=headers).json()
        document = httpx.get(f"{simulator.url}/openapi.json").json()
    assert {name: entry[name] for name in FACTS} == FACTS
    assert document["paths"][f"/v1/models/{MODEL}"]["post"]["x-catalog"] == FACTS


def test_a_change_of_a_price_is_no_change_for_python(project: Path) -> None:
    facts = {**FACTS, "base_price_usd": 0.5}
    (project / "schemas" / MODEL / "model.json").write_text(json.dumps(facts), encoding="utf-8")
    words = ("--schemas", project / "schemas", "--output", project, "--package", "priced")
    answer = codegen("generate", "--check", *words)
    assert answer.code == 1
    assert "stale    " in answer.out
    assert "Version step" not in answer.out
    (project / "schemas" / MODEL / "model.json").write_text(json.dumps(FACTS), encoding="utf-8")
    assert codegen("generate", "--check", *words).code == 0


@pytest.mark.parametrize("text", ["{", "[NaN]"])
def test_a_file_that_is_not_json_is_an_error(text: str, tmp_path: Path) -> None:
    write_store(tmp_path, {MODEL: input_of({})})
    (tmp_path / MODEL / "model.json").write_text(text, encoding="utf-8")
    answer = codegen("lint", "--schemas", tmp_path)
    assert answer.code == 65
    assert "model.json" in answer.err


@pytest.mark.parametrize(
    "value", [[], 7, {"display_name": 7, "categories": "x", "base_price_usd": True}, {"base_price_usd": -1}]
)
def test_facts_of_another_type_say_nothing(value: object, tmp_path: Path) -> None:
    write_store(tmp_path / "s", {MODEL: input_of({})})
    (tmp_path / "s" / MODEL / "model.json").write_text(json.dumps(value), encoding="utf-8")
    assert codegen("generate", "--schemas", tmp_path / "s", "--output", tmp_path).code == 0
    spec = (tmp_path / "runcomfy/specs/acme/poster_1/draw.py").read_text(encoding="utf-8")
    assert "categories" not in spec
    assert "base_price_usd" not in spec
