"""`models` and `show`: the catalog on a terminal, in a pipe and as JSON, and the lines to paste."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.cli.commands.browse import _choices, _rows
from runcomfy_client.describe.parameters import parameters
from runcomfy_client.schema import Object
from runcomfy_client.schema.dialect import read_schema

from tests.support.cli import EDIT, TEXT_TO_IMAGE

if TYPE_CHECKING:
    from tests.support.cli import Cli


def test_models_in_a_pipe_are_one_line_each(cli: Cli) -> None:
    answer = cli("models")
    rows = dict(line.split("\t") for line in answer.out.splitlines())
    assert answer.code == 0
    assert rows[EDIT] == "image_urls, prompt"
    assert "\x1b" not in answer.out


def test_words_narrow_the_models(cli: Cli) -> None:
    answer = cli("models", "dreamina-4", "EDIT", "--json")
    assert answer.json == {
        "ok": True,
        "models": [
            {
                "model_id": EDIT,
                "required": ["image_urls", "prompt"],
                "optional": ["width×height", "scale", "force_single"],
                "base_price_usd": None,
                "price_unit": None,
            }
        ],
    }


def test_a_word_that_no_model_holds(cli: Cli) -> None:
    answer = cli("models", "dreemina-4-0")
    assert answer.code == 2
    assert "did you mean dreamina-4-0" in answer.err
    assert cli("models", "dreemina-4-0", "--json").json == {"ok": True, "models": []}


def test_show_tells_types_bounds_rules_and_texts(cli: Cli) -> None:
    answer = cli("show", EDIT)
    text = " ".join(answer.out.split())
    assert answer.code == 0
    for part in (
        "client.bytedance.dreamina_4_0.edit(...)",
        "image_urls * list of images, required from 1 to 10 items; each image: file size ≤ 15 MB, width ≤ 4096 px,",
        "wire: width×height",
        "choice, default 2048x2048(1:1)",
        "number, default 0.5",
        "Controls how strongly the text prompt influences the result",
        'curl https://model-api.runcomfy.net/v1/models/bytedance/dreamina-4-0/edit \\ -H "Authorization: Bearer',
    ):
        assert part in text


def test_show_as_json(cli: Cli) -> None:
    facts = cli("show", EDIT, "--json").json
    inputs = {one["wire_name"]: one for one in facts["inputs"]}
    assert list(facts) == [
        "ok",
        "model_id",
        "display_name",
        "categories",
        "base_price_usd",
        "price_unit",
        "method",
        "input_class",
        "output_class",
        "inputs",
        "example",
        "snippets",
    ]
    assert facts["method"] == "client.bytedance.dreamina_4_0.edit"
    assert inputs["width×height"]["name"] == "width_height"
    assert inputs["width×height"]["choices"][0] == "1024x1024(1:1)"
    assert inputs["prompt"]["required"] is True
    assert "default" not in inputs["prompt"]
    assert inputs["scale"] | {"description": ""} == {
        "wire_name": "scale",
        "name": "scale",
        "type": "number",
        "required": False,
        "limits": ["from 0 to 1"],
        "default": 0.5,
        "description": "",
    }


def test_an_unknown_model_is_a_usage_error_with_the_nearest(cli: Cli) -> None:
    answer = cli("show", "bytedance/dreamina-4-0/edti", "--json")
    assert answer.code == 2
    assert answer.json["error"]["code"] == "unknown_model"
    assert f"did you mean '{EDIT}'" in answer.json["error"]["message"]
    assert "--no-validate" not in answer.err  # which show has not


@pytest.mark.parametrize("model_id", [TEXT_TO_IMAGE, EDIT])
def test_the_command_line_that_is_shown_sends_the_example(cli: Cli, model_id: str) -> None:
    facts = cli("show", model_id, "--json").json
    words = shlex.split(facts["snippets"]["shell"].replace("\\\n", " "))
    request = cli(*words[1:], "--dry-run", "--json").json["request"]
    assert request["body"] == facts["example"]
    curl = shlex.split(facts["snippets"]["curl"].replace("\\\n", " "))
    assert curl[1] == request["url"]
    assert json.loads(curl[curl.index("-d") + 1]) == facts["example"]


def test_the_python_that_is_shown_is_a_call_of_the_client(cli: Cli) -> None:
    import ast

    snippet = cli("show", TEXT_TO_IMAGE, "--json").json["snippets"]["python"]
    calls = [node for node in ast.walk(ast.parse(snippet)) if isinstance(node, ast.Call)]
    names = [ast.unparse(call.func) for call in calls]
    assert "client.bytedance.dreamina_4_0.text_to_image" in names


def test_show_lists_the_values_of_choices(cli: Cli) -> None:
    """All of them where they fit, those inside objects and lists too."""
    for model_id in cli("models").out.splitlines():
        if "seedream-4-0/sequential" in model_id or "dreamina-4-0/edit" in model_id:
            model = model_id.split("\t")[0]
            shown = " ".join(cli("show", model, env={"COLUMNS": "400"}).out.split())
            with_choices = [one for one in cli("show", model, "--json").json["inputs"] if "choices" in one]
            for one in with_choices:
                assert "one of: " + ", ".join(map(str, one["choices"])) in shown
            assert with_choices


def test_a_long_list_of_choices_is_cut_and_counted() -> None:
    properties = {"size": {"type": "string", "enum": [f"size-{number:04}" for number in range(200)]}}
    inner = {"type": "object", "properties": {"mode": {"type": "string", "enum": ["fast", "good"]}}}
    node = read_schema({"type": "object", "properties": {**properties, "parts": {"type": "array", "items": inner}}})
    assert isinstance(node, Object)
    rows = {f"{prefix}{one.name}": one for prefix, one in _rows(parameters(node), "")}
    assert _choices(rows["parts[].mode"]) == "fast, good"
    text = _choices(rows["size"])
    assert text.startswith("size-0000, size-0001, ")
    number = text.count("size-")
    assert text.endswith(f", ... and {200 - number} more: all of them with --json")
    assert 10 < number < 100
