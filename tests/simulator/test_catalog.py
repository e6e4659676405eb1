"""The catalog: search, category, paging, schemas; and how schemas/ are read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from runcomfy_simulator.catalog import CatalogError, load
from runcomfy_simulator.settings import find_schemas

from tests.support.simulator import AUDIO, EDIT, IMAGE, MODELS, VIDEO

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.simulator import Call, Start


def test_listing(start: Start, call: Call) -> None:
    caller = call(start())
    reply = caller.get("/v1/models").json()
    assert [entry["model_id"] for entry in reply["models"]] == [EDIT, IMAGE, VIDEO, AUDIO]
    assert (reply["total"], reply["limit"], reply["offset"]) == (4, 100, 0)
    image = reply["models"][1]
    assert image["base_price_usd"] == 0.25
    assert image["required_inputs"] == ["prompt"]
    assert "width×height" in image["inputs"]
    assert "input_schema" not in image


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "DRAW text"}, [IMAGE]),
        ({"search": "nothing"}, []),
        ({"category": "text-to-video"}, [VIDEO]),
        ({"category": "text-to-video", "search": "edit"}, []),
        ({"kind": "model", "limit": "2"}, [EDIT, IMAGE]),
        ({"kind": "workflow"}, []),
        ({"limit": "2", "offset": "3"}, [AUDIO]),
        ({"offset": "9" * 40}, []),
    ],
)
def test_filters_and_paging(start: Start, call: Call, query: dict[str, str], found: list[str]) -> None:
    reply = call(start()).get("/v1/models", params=query).json()
    assert [entry["model_id"] for entry in reply["models"]] == found


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "501"}, {"limit": "x"}, {"offset": "-1"}])
def test_invalid_windows(start: Start, call: Call, query: dict[str, str]) -> None:
    assert call(start()).get("/v1/models", params=query).status_code == 422


def test_schemas_come_as_received(start: Start, call: Call) -> None:
    caller = call(start())
    listed = caller.get("/v1/models", params={"include_schema": "true", "search": "draw-1/text"}).json()["models"]
    assert listed[0]["input_schema"] == MODELS[IMAGE]["input"], "the dialect is served as it is, not normalised"
    assert caller.get(f"/v1/models/{IMAGE}").json()["input_schema"] == MODELS[IMAGE]["input"]


def test_categories(start: Start, call: Call) -> None:
    reply = call(start()).get("/v1/models/categories").json()
    assert reply == {"categories": ["image-to-image", "text-to-audio", "text-to-image", "text-to-video"]}


def test_the_nodes_profile_repeats_no_window(start: Start, call: Call) -> None:
    reply = call(start(profile="nodes")).get("/v1/models", params={"limit": "1"}).json()
    assert set(reply) == {"models", "total"}


def write(folder: Path, name: str, content: object) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def test_a_patch_corrects_the_schema(tmp_path: Path, start: Start, call: Call) -> None:
    wrong = {"type": "object", "required": ["image_urls"], "properties": {"images": {"type": "string"}}}
    write(tmp_path, "a/b/input.json", wrong)
    write(tmp_path, "a/b/patch.json", [{"op": "replace", "path": "/required/0", "value": "images"}])
    caller = call(start(schemas=tmp_path))
    assert caller.submit("a/b").status_code == 422
    assert caller.submit("a/b", images="x").status_code == 200


def test_what_is_required_but_undefined_is_not_asked_for(tmp_path: Path, start: Start, call: Call) -> None:
    write(
        tmp_path, "a/b/input.json", {"type": "object", "required": ["ghost"], "properties": {"x": {"type": "string"}}}
    )
    simulator = start(schemas=tmp_path)
    assert call(simulator).submit("a/b", x="y").status_code == 200
    model = simulator.catalog.get("a/b")
    assert model is not None
    assert "ghost" in model.validator.notes[0]


def test_a_schema_that_checks_nothing_is_named_when_it_is_used(tmp_path: Path, start: Start, call: Call) -> None:
    write(tmp_path, "a/b/input.json", {"type": "object", "properties": {"x": {"type": "string", "maxLength": "many"}}})
    reply = call(start(schemas=tmp_path)).submit("a/b")
    assert reply.status_code == 500
    assert "/properties/x/maxLength: 'many' is not of type 'integer'" in reply.text


def test_a_property_may_be_anything(tmp_path: Path, start: Start, call: Call) -> None:
    write(tmp_path, "a/b/input.json", {"type": "object", "properties": {"size": True, "width": {}}})
    assert call(start(schemas=tmp_path)).submit("a/b", size=[1], width="wide").status_code == 200


def test_a_model_may_have_another_inside(tmp_path: Path) -> None:
    for model_id in ("a/b", "a/b/draft"):
        write(tmp_path, f"{model_id}/input.json", {"type": "object", "properties": {}})
    assert [model.model_id for model in load(tmp_path)] == ["a/b", "a/b/draft"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a/b/input.json": []}, "a JSON object is expected"),
        ({"a/b/input.json": {}, "a/b/patch.json": [{"op": "remove", "path": "/none"}]}, "does not fit"),
        ({"a/b/input.json": {}, "a/b/patch.json": 5}, "does not fit"),
    ],
)
def test_bad_schemas_are_named(tmp_path: Path, files: dict[str, object], says: str) -> None:
    for name, content in files.items():
        write(tmp_path, name, content)
    with pytest.raises(CatalogError, match=says) as caught:
        load(tmp_path)
    assert str(tmp_path / "a" / "b") in str(caught.value)


def test_broken_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "input.json").write_text("{", encoding="utf-8")
    with pytest.raises(CatalogError, match=r"input\.json"):
        load(tmp_path)


def test_a_saved_reply_is_a_catalog(tmp_path: Path, start: Start, call: Call) -> None:
    saved = tmp_path / "models.json"
    saved.write_text(call(start()).get("/v1/models", params={"include_schema": "1"}).text, encoding="utf-8")
    again = call(start(schemas=saved))
    assert again.get("/v1/models").json()["total"] == 4
    assert again.accepted(IMAGE, prompt="a")


def test_a_project_names_its_schemas_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "part/schemas").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.runcomfy]\nschemas = "vendor"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path / "part")
    assert find_schemas(None) == tmp_path / "vendor"
    assert find_schemas("schemas") == tmp_path / "part/schemas"
    (tmp_path / "pyproject.toml").write_text("[tool.runcomfy", encoding="utf-8")
    assert find_schemas(None) == tmp_path / "part/schemas"
