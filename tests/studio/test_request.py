"""The request beside the form: every snippet, pasted, sends what the form sends; files that break a rule say so."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from PIL import Image
from runcomfy._index import PACKAGE
from runcomfy_client.describe.json_schema import input_schema
from runcomfy_client.describe.snippets import example_input
from runcomfy_client.schema import Array, Media
from runcomfy_client.schema.nodes import json_equal
from runcomfy_studio import form

from tests.support.oracle import Maker

if TYPE_CHECKING:
    from runcomfy_client.schema import MediaRule
    from runcomfy_simulator import Simulator

    from tests.support.studio import StudioCaller

EDIT = "bytedance/dreamina-4-0/edit"
PROMPT = 'it\'s "quoted" @file $HOME `ls` \\n\nsecond line ü 🦊'


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, kind)
    return file.getvalue()


def drop(caller: StudioCaller, data: bytes, name: str) -> str:
    """Drop a file into a field; what the field then holds."""
    reply = caller.post("/uploads", content=data, headers={"X-File-Name": quote(name)})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["reference"])


def snippets_of(text: str) -> dict[str, str]:
    found = dict(re.findall(r'<code id="text-(\w+)">(.*?)</code>', text, re.DOTALL))
    return {name: unescape(code) for name, code in found.items()}


def paste(code: str, kind: str, simulator: Simulator, folder: Path) -> None:
    """Run a snippet as a user does who has pasted it."""
    if kind == "curl" and not shutil.which("curl"):
        pytest.skip("needs curl")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "RUNCOMFY_API_TOKEN": simulator.token,
        "RUNCOMFY_BASE_URL": simulator.url,
        "XDG_STATE_HOME": str(folder / "state"),
    }
    command = [sys.executable, "-c", code] if kind == "python" else ["bash", "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, code + done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["python", "shell", "curl"])
def test_every_snippet_sends_what_the_form_sends(
    kind: str, caller: StudioCaller, simulator: Simulator, tmp_path: Path
) -> None:
    file = picture(64, 64)
    held = drop(caller, file, "a 'fine' picture.png")
    data = {"f.0:rows": "2", "f.0.0": held, "f.0.1": "https://example.com/a.png", "f.1": PROMPT, "f.3": "0.25"}
    data = {**data, "key": caller.form_of(f"/models/{EDIT}")["key"], "f.4": "true"}
    caller.post(f"/run/{EDIT}", data=data).raise_for_status()
    expected = simulator.jobs[-1].input
    assert expected["prompt"] == PROMPT
    assert str(expected["image_urls"][0]).startswith("data:image/png;base64,")

    code = snippets_of(caller.post(f"/form/{EDIT}", data=data).text)[kind]
    assert "/uploads/" not in code
    (tmp_path / "a 'fine' picture.png").write_bytes(file)
    before = simulator.accepted
    paste(code, kind, simulator, tmp_path)
    assert simulator.accepted == before + 1
    assert simulator.jobs[-1].input == expected


@pytest.mark.long
@pytest.mark.parametrize("kind", ["python", "shell", "curl"])
def test_the_snippets_of_all_models(kind: str, caller: StudioCaller, simulator: Simulator, tmp_path: Path) -> None:
    for model_id in PACKAGE.model_ids():
        simulator.balance = 100
        spec = PACKAGE.known_spec(model_id)
        payloads = [each for each in Maker(input_schema(spec), 5).payloads(20) if isinstance(each, dict)]
        for payload in [example_input(spec), *[each for each in payloads if PACKAGE.validate(model_id, each).ok][:1]]:
            data = {**form.write(spec.input, payload), "key": "studio-x"}
            code = snippets_of(caller.post(f"/form/{model_id}", data=data).text)[kind]
            paste(code, kind, simulator, tmp_path)
            assert json_equal(simulator.jobs[-1].input, payload), model_id


def rules() -> list[tuple[str, int, MediaRule]]:
    """Every media rule of every model, with the position of its list."""
    found = []
    for model_id in PACKAGE.model_ids():
        for index, known in enumerate(PACKAGE.known_spec(model_id).input.properties.values()):
            node = known.node
            if isinstance(node, Array) and isinstance(node.items, Media):
                found += [(model_id, index, rule) for rule in (*node.rules, *node.items.rules)]
    return found


def breaking(rule: MediaRule) -> bytes:
    """A picture that breaks a rule, and as few others as can be."""
    bound = rule.value
    assert isinstance(bound, (int, float))
    low = (rule.operator or "").startswith(">")
    if rule.operand == "file_size_mb":
        side = int((bound * 1024 * 1024 / 3) ** 0.5) + 200
        return picture(side, side, "BMP")  # three bytes a pixel
    if rule.operand == "width/height":
        return picture(int(400 * bound * (0.8 if low else 1.2)), 400)
    if rule.operand == "shortest_side_pixels":
        return picture(int(bound) - 1, int(bound))
    side = int(bound) + (-1 if low else 1)
    return picture(side, side - 100) if rule.operand == "width_pixels" else picture(side - 100, side)


@pytest.mark.parametrize(("model_id", "index", "rule"), rules(), ids=lambda value: str(value))
def test_a_file_that_breaks_a_rule_is_reported_in_the_schemas_words(
    model_id: str, index: int, rule: MediaRule, caller: StudioCaller
) -> None:
    assert rule.message
    held = drop(caller, breaking(rule), "picture.png")
    data = {f"f.{index}:rows": "1", f"f.{index}.0": held, "key": "studio-x"}
    text = unescape(caller.post(f"/form/{model_id}", data=data).text)
    beside = text.partition(f'hx-target="#e-f-{index}-0"')[2].partition("</hx-partial>")[0]
    assert rule.message in beside
    assert '<p class="error">' in beside


def test_a_file_of_another_kind_and_one_that_is_gone_are_reported(caller: StudioCaller) -> None:
    held = drop(caller, b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 100, "sound.wav")
    gone = "file:" + "0" * 20 + "/gone.png"
    data = {"f.0:rows": "2", "f.0.0": held, "f.0.1": gone, "key": "studio-x"}
    text = unescape(caller.post(f"/form/{EDIT}", data=data).text)
    assert "expected an image, got sound" in text
    assert "drop the file into the field" in text


def test_empty_and_too_large_files_are_refused(caller: StudioCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    assert caller.post("/uploads", content=b"", headers={"X-File-Name": "a.png"}).status_code == 413
    monkeypatch.setattr("runcomfy_studio.storage.LARGEST_UPLOAD", 10)
    reply = caller.post("/uploads", content=b"x" * 100, headers={"X-File-Name": "a.png"})
    assert reply.status_code == 413
    assert "larger than" in reply.json()["problem"]


def test_the_files_behind_urls_are_looked_at_when_asked(caller: StudioCaller) -> None:
    data = {"f.0:rows": "1", "f.0.0": "https://127.0.0.1:1/a.png", "f.1": "x", "key": "studio-x"}
    before = unescape(caller.post(f"/form/{EDIT}", data=data).text)
    assert "was not fetched" in before
    assert "Look at the files" in before
    after = unescape(caller.post(f"/form/{EDIT}", data={**data, "do": "probe"}).text)
    assert "could not be looked at" in after
