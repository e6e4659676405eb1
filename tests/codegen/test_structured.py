"""Structured inputs of newer models, from the page to the job: lists of objects with media inside, required lists."""

from __future__ import annotations

import base64
import importlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from runcomfy_simulator import Simulator

from tests.support.intake import codegen, page_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL = "acme/film-3/keyframes-to-video"
NARROW = {"validation_rule": "width_pixels<=", "validation_value": 400, "validation_error": "At most 400 wide."}


def objects(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


SCHEMA = {
    "type": "object",
    "required": ["keyframes", "prompt"],
    "properties": {
        "prompt": {"type": "string"},
        "keyframes": {
            "type": "array",
            "minItems": 1,
            "maxItems": 4,
            "items": objects(
                ["image_url", "time"],
                image_url={"type": "string", "format": "image_uri", "validations": [NARROW]},
                time={"type": "float", "minimum": 0, "maximum": 10},
            ),
        },
        "elements": {
            "type": "array",
            "items": objects(
                ["frontal_image_url"],
                frontal_image_url={"type": "string", "format": "image_uri"},
                reference_image_urls={"type": "array", "format": "image_uris", "maxItems": 3},
                **{"voice-url": {"type": "string", "format": "audio_uri"}},
            ),
        },
        "multi_prompt": {
            "type": "array",
            "items": objects(
                ["prompt"], prompt={"type": "string", "maxLength": 9}, duration={"type": "integer", "enum": [3, 5]}
            ),
        },
    },
}
EXAMPLE = {"keyframes": [{"image_url": "https://example.com/a.png", "time": 0}], "prompt": "a fox"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A package that was made of the model's page."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "page.txt").write_text(page_of(MODEL, SCHEMA, example=EXAMPLE), encoding="utf-8")
    schemas = ("--schemas", folder / "schemas")
    assert codegen("import", folder / "page.txt", *schemas).code == 0
    answer = codegen("generate", *schemas, "--output", folder, "--package", "films")
    assert (answer.code, answer.err) == (0, "")
    for name, width in (("a.png", 64), ("wide.png", 640)):
        Image.new("RGB", (width, 64)).save(folder / name)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture
def sim(project: Path) -> Iterator[Simulator]:
    with Simulator(schemas=project / "schemas", queue_seconds=0, run_seconds=0.05) as simulator:
        yield simulator


def films(project: Path, sim: Simulator, *words: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join((str(project), os.environ.get("PYTHONPATH", "")))
    environment = {"PYTHONPATH": paths, "RUNCOMFY_BASE_URL": sim.url, "RUNCOMFY_API_TOKEN": sim.token}
    return subprocess.run(
        [sys.executable, "-m", "films", *words],
        cwd=project,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def is_png(uri: str) -> bool:
    return base64.b64decode(uri.partition("data:image/png;base64,")[2]).startswith(b"\x89PNG")


def test_media_inside_go_in_as_files_of_every_kind(project: Path, sim: Simulator) -> None:
    package: Any = importlib.import_module("films")
    classes: Any = importlib.import_module("films.models.acme.film_3.keyframes_to_video")
    picture = project / "a.png"
    with package.RunComfy(token=sim.token, base_url=sim.url) as client, picture.open("rb") as file:
        job = client.acme.film_3.keyframes_to_video(
            prompt="a fox",
            keyframes=[
                classes.KeyframesToVideoKeyframesItem(image_url=picture, time=0),
                {"image_url": file, "time": 1.0},
                {"image_url": picture.read_bytes(), "time": 2},
            ],
            elements=[
                classes.KeyframesToVideoElementsItem(
                    frontal_image_url=Image.open(picture),
                    reference_image_urls=[picture, "https://example.com/b.png"],
                    voice_url="https://example.com/c.mp3",
                )
            ],
            multi_prompt=[{"prompt": "one", "duration": 3}],
        )
        assert job.wait().files
    (sent,) = (each.input for each in sim.jobs)
    assert [each["time"] for each in sent["keyframes"]] == [0, 1, 2]
    assert all(is_png(each["image_url"]) for each in sent["keyframes"])
    (element,) = sent["elements"]
    assert is_png(element["frontal_image_url"])
    assert is_png(element["reference_image_urls"][0])
    assert element["voice-url"] == "https://example.com/c.mp3"
    assert sent["multi_prompt"] == [{"prompt": "one", "duration": 3}]


def test_a_rule_for_a_file_inside_is_kept(project: Path, sim: Simulator) -> None:
    package: Any = importlib.import_module("films")
    with (
        package.RunComfy(token=sim.token, base_url=sim.url) as client,
        pytest.raises(package.InvalidInputError) as caught,
    ):
        client.acme.film_3.keyframes_to_video(prompt="x", keyframes=[{"image_url": project / "wide.png", "time": 0}])
    (finding,) = caught.value.report.errors
    assert (finding.path, "At most 400 wide." in finding.message) == ("/keyframes/0/image_url", True)
    assert sim.accepted == 0


def test_every_error_inside_is_found() -> None:
    package: Any = importlib.import_module("films")
    payload = {
        "prompt": "x",
        "keyframes": [{"image_url": "x.png", "time": 11, "tine": 1}, {"time": 1}],
        "multi_prompt": [{"prompt": "far too long", "duration": 4}],
    }
    report = package.validate(MODEL, payload)
    assert [(each.path, each.code) for each in report.errors] == [
        ("/keyframes/0/image_url", "media_source"),
        ("/keyframes/0/time", "range"),
        ("/keyframes/0/tine", "unknown_key"),
        ("/keyframes/1/image_url", "required"),
        ("/multi_prompt/0/duration", "enum"),
        ("/multi_prompt/0/prompt", "length"),
    ]
    assert [each.path for each in package.validate(MODEL, {"prompt": "x"}).errors] == ["/keyframes"]
    assert not package.validate(MODEL, {"prompt": "x", "keyframes": []}).ok


def test_the_command_line_names_places_inside(project: Path, sim: Simulator) -> None:
    done = films(
        project, sim, "run", MODEL, "prompt=a fox", "keyframes[0].image_url=@a.png", "keyframes[0].time=1",
        "keyframes[1].image_url=https://example.com/b.png", "keyframes[1].time=2.5",
        "elements[0].frontal_image_url=@a.png",
        "elements[0].reference_image_urls=@a.png", "elements[0].reference_image_urls=@a.png",
        "elements[0].voice_url=https://example.com/c.mp3", 'multi_prompt:=[{"prompt": "one"}]',
        "multi_prompt[0].duration=5",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (sent,) = (each.input for each in sim.jobs)
    assert [each["time"] for each in sent["keyframes"]] == [1, 2.5]
    assert is_png(sent["keyframes"][0]["image_url"])
    assert [*map(is_png, sent["elements"][0]["reference_image_urls"])] == [True, True]
    assert sent["elements"][0]["voice-url"] == "https://example.com/c.mp3"
    assert sent["multi_prompt"] == [{"prompt": "one", "duration": 5}]


def test_a_file_name_in_json_is_refused_with_the_word_to_write(project: Path, sim: Simulator) -> None:
    done = films(project, sim, "run", MODEL, "prompt=x", 'keyframes:=[{"image_url": "a.png", "time": 0}]')
    assert done.returncode == 65
    assert "write 'keyframes[0].image_url=@a.png'" in done.stderr


def test_show_lists_what_is_inside(project: Path, sim: Simulator) -> None:
    shown = films(project, sim, "show", MODEL).stdout
    assert "keyframes[].image_url *" in shown
    assert "width ≤ 400 px" in shown
    assert "multi_prompt[].duration" in shown
    facts = json.loads(films(project, sim, "show", MODEL, "--json").stdout)
    inner = {each["wire_name"]: each for each in facts["inputs"]}["elements"]["properties"]
    assert [each["wire_name"] for each in inner] == ["frontal_image_url", "reference_image_urls", "voice-url"]


def test_the_page_of_the_model_lists_what_is_inside(project: Path) -> None:
    answer = codegen("reference", "--schemas", project / "schemas", "--output", project / "pages")
    assert answer.code == 0, answer.err
    page = (project / "pages/acme/film_3/keyframes_to_video.md").read_text(encoding="utf-8")
    assert "frontal_image_url" in page.replace("\\", "")
    assert "At most 400 wide." in page
