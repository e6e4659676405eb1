"""What people and tools read about a model and its errors: parameters in words, snippets, errors as data."""

from __future__ import annotations

import ast
import json
import shlex

import pytest
from runcomfy_client import errors
from runcomfy_client.describe.errors import error_facts, error_name
from runcomfy_client.describe.parameters import parameters, rule_words, type_words
from runcomfy_client.describe.search import search_models
from runcomfy_client.describe.snippets import (
    LocalFile,
    async_call,
    curl_submit,
    example_input,
    offline_check,
    run_line,
    sync_call,
)
from runcomfy_client.schema import (
    AllOf,
    AnyOf,
    AnyValue,
    Array,
    Enum,
    ErrorFinding,
    Integer,
    Media,
    MediaRule,
    ModelSpec,
    Node,
    Null,
    Number,
    Object,
    Property,
    Report,
    String,
    check,
)

LORA = Object({"path": Property(String(), title="Path"), "scale": Property(Number(minimum=0))}, required=("path",))
SPEC = ModelSpec(
    "acme/poster-1",
    Object(
        {
            "steps": Property(Integer(minimum=1, maximum=50), title="Steps", default=20),
            "prompt": Property(String(max_length=80), description="What to draw", sample="a red fox"),
            "loras": Property(Array(LORA, max_items=2)),
            "images": Property(
                Array(Media("image"), min_items=1, rules=(MediaRule("file_size_mb", "<=", 15.0, "Too large."),)),
                name="pictures",
            ),
        },
        required=("prompt", "images"),
    ),
)


def test_parameters_in_words() -> None:
    prompt, images, steps, loras = parameters(SPEC)
    assert (prompt.required, prompt.about, prompt.limits) == (True, "What to draw.", ("at most 80 characters",))
    assert (images.name, images.wire_name, images.is_media) == ("pictures", "images", True)
    assert images.limits == ("at least 1 item", "each image: file size ≤ 15 MB")
    assert (steps.about, steps.default, steps.limits) == ("", 20, ("from 1 to 50",))
    assert [(each.name, each.required) for each in loras.objects[0].properties] == [("path", True), ("scale", False)]
    assert json.loads(json.dumps(loras.to_dict()))["properties"][1]["limits"] == ["at least 0"]


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (Array(Media("audio")), "list of audio files"),
        (Array(Array(Integer())), "list of lists of integers"),
        (AnyOf(String(), Null()), "string or null"),
        (Array(AnyOf(String(), Null())), "list of strings or nulls"),
        (AllOf(Media("video"), String(pattern="x")), "video"),
        (Enum(("a",)), "choice"),
        (AnyValue(), "any value"),
        (Array(), "list of any values"),
        (Media("file"), "file URL"),
    ],
)
def test_types_in_words(node: Node, words: str) -> None:
    assert type_words(node) == words


def test_a_rule_that_is_not_known_is_reported_as_unchecked() -> None:
    assert rule_words(MediaRule.parse("moon<", 3)) == "rule moon< 3 (not checked)"


def test_snippets_name_the_package_and_hold_an_input_that_passes() -> None:
    values = example_input(SPEC)
    assert check(SPEC, values).ok
    for text in (
        sync_call("ourmodels", "acme.poster_1", SPEC, values),
        async_call("ourmodels", "acme.x", SPEC, values),
    ):
        tree = ast.parse(text)
        (call,) = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.keywords) == 2]
        assert [each.arg for each in call.keywords] == ["prompt", "pictures"]
        assert "from ourmodels import" in text
    assert "ourmodels.validate('acme/poster-1'" in offline_check("ourmodels", SPEC, values).replace('"', "'")
    assert run_line("python -m ourmodels", SPEC, values).startswith("python -m ourmodels run acme/poster-1")
    assert curl_submit("https://api.example/v1/models/acme/poster-1", values).startswith("curl https://api.example/v1")


def test_nothing_hides_in_a_snippet() -> None:
    values = {"prompt": "a\u202eb\x1b[2J'\"`$(x)"}
    for text in (
        sync_call("ourmodels", "acme.poster_1", SPEC, values),
        offline_check("ourmodels", SPEC, values),
        curl_submit("https://api.example", values),
    ):
        assert all(char.isprintable() or char == "\n" for char in text)


@pytest.mark.parametrize(
    ("error", "data"),
    [
        (
            errors.InvalidInputError(Report("a/b", [ErrorFinding("type", "expected a string", keys=("prompt",))])),
            {"code": "invalid_input"},
        ),
        (
            errors.APIError("no", status_code=500, request_id="job-1"),
            {"code": "api", "status_code": 500, "request_id": "job-1"},
        ),
        (errors.TransportError("cut", model_id="a/b"), {"code": "transport", "model_id": "a/b"}),
    ],
)
def test_errors_are_data(error: errors.RunComfyError, data: dict[str, object]) -> None:
    made = json.loads(json.dumps({"code": error_name(error), **error_facts(error)}))
    assert made.items() >= data.items()
    if isinstance(error, errors.InvalidInputError):
        assert made["report"]["errors"] == [{"path": "/prompt", "code": "type", "message": "expected a string"}]


FRAMES = ModelSpec(
    "acme/film/keyframes",
    Object({"frames": Property(Array(Object({"image": Property(Media("image")), "at": Property(Number())})))}),
)


def test_snippets_read_files_from_the_folder_they_run_in() -> None:
    values = {"frames": [{"image": LocalFile("it's.png", "image/png"), "at": 1}, {"image": "https://x.y/z.png"}]}
    python = sync_call("runcomfy", "acme.film.keyframes", FRAMES, values)
    assert python.startswith("from pathlib import Path\n\n")
    assert 'Path("it\'s.png")' in python
    compile(python, "snippet", "exec")
    compile(async_call("runcomfy", "acme.film.keyframes", FRAMES, values), "snippet", "exec")
    line = run_line("runcomfy-client", FRAMES, values)
    assert shlex.split(line.replace("\\\n", ""))[3:] == [
        "frames[0].image=@it's.png",
        "frames[0].at:=1",
        'frames[1].image:="https://x.y/z.png"',
    ]
    curl = curl_submit("https://x.y/v1", values)
    assert "base64 < 'it'\"'\"'s.png' | tr -d '\\n'" in curl
    assert curl.count("printf %s") == 2


def test_a_search_forgives_slips_and_says_so() -> None:
    models = [
        ModelSpec(f"acme/{name}", Object({}), categories=categories)
        for name, categories in (("kling-3/video", ("text-to-video",)), ("draw-1/edit", ("image-edit",)))
    ]
    assert [each.model_id for each in search_models("", models).models] == ["acme/kling-3/video", "acme/draw-1/edit"]
    assert [each.model_id for each in search_models("video KLING", models).models] == ["acme/kling-3/video"]
    found = search_models("klign", models)
    assert [each.model_id for each in found.models] == ["acme/kling-3/video"]
    assert found.corrected == (("klign", "kling"),)
    assert search_models("xyzzy", models).models == []
    assert search_models("kling edit", models).models == []
