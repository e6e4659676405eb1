"""VS Code's own JSON language service reads the written schemas: completion, hover, and faults at their line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy._index import PACKAGE
from runcomfy_client.schema import Enum

from tests.support.store import MODEL_IDS, SAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Ask = Callable[[Sequence[dict[str, Any]]], list[dict[str, Any]]]

EDIT = "bytedance/dreamina-4-0/edit"


def document(schemas: Path, model_id: str, text: str) -> dict[str, Any]:
    """A payload file that names its model by the schema; "|" marks the places that are asked about."""
    parts = text.replace("{", f'{{\n  "$schema": "schemas/{model_id}.json",\n', 1).split("|")
    offsets = [sum(map(len, parts[: index + 1])) for index in range(len(parts) - 1)]
    return {"path": str(schemas.parent / "payload.json"), "text": "".join(parts), "offsets": offsets}


def test_keys_and_their_texts_are_offered(editor_schemas: Path, ask_editor: Ask) -> None:
    text = '{"prompt": "x", "|": 1, "scale|": 0.5}'
    (answer,) = ask_editor([document(editor_schemas, EDIT, text)])
    offered, hovered = answer["places"]
    assert {"image_urls", "width×height", "force_single"} <= set(offered["labels"])
    assert hovered["hover"].startswith("Scale")
    assert "Higher values increase text influence" in hovered["hover"]


def test_values_are_offered(editor_schemas: Path, ask_editor: Ask) -> None:
    (answer,) = ask_editor([document(editor_schemas, EDIT, '{"width×height": |}')])
    node = PACKAGE.known_spec(EDIT).input.properties["width×height"].node
    assert isinstance(node, Enum)
    assert set(answer["places"][0]["labels"]) == {json.dumps(value) for value in node.values}


def test_faults_stand_at_their_line(editor_schemas: Path, ask_editor: Ask) -> None:
    text = '{\n"image_urls": ["http://plain/x.png"],\n"prompt": "x",\n"scal": 1,\n"scale": 2,\n"width×height": "4:3"\n}'
    (answer,) = ask_editor([document(editor_schemas, EDIT, text)])
    found = {problem["line"]: problem["message"] for problem in answer["problems"]}
    first = 4  # after the brace, the $schema line and the line break of the text
    assert found.keys() == {first, first + 2, first + 3, first + 4}
    assert "https:// URL" in found[first]
    assert "scal" in found[first + 2]
    assert "maximum" in found[first + 3]


@pytest.mark.parametrize("model_ids", [sorted(SAMPLE), pytest.param(MODEL_IDS, marks=pytest.mark.long)])
def test_examples_are_without_an_error(editor_schemas: Path, ask_editor: Ask, model_ids: list[str]) -> None:
    examples = {each: PACKAGE.known_spec(each).example for each in model_ids}
    known = {model_id: example for model_id, example in examples.items() if example is not None}
    assert known
    asked = [document(editor_schemas, model_id, json.dumps(example)) for model_id, example in known.items()]
    for model_id, answer in zip(known, ask_editor(asked), strict=True):
        assert answer["problems"] == [], model_id


@pytest.mark.parametrize("model_ids", [sorted(SAMPLE), pytest.param(MODEL_IDS, marks=pytest.mark.long)])
def test_every_key_is_offered(editor_schemas: Path, ask_editor: Ask, model_ids: list[str]) -> None:
    answers = ask_editor([document(editor_schemas, model_id, '{"|": 1}') for model_id in model_ids])
    for model_id, answer in zip(model_ids, answers, strict=True):
        assert set(answer["places"][0]["labels"]) >= PACKAGE.known_spec(model_id).input.properties.keys(), model_id
