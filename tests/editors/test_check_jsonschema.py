"""check-jsonschema, which hooks and CI use, takes the written schemas and finds the same faults."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import runcomfy

from tests.support.store import MODEL_IDS, SAMPLE

if TYPE_CHECKING:
    from pathlib import Path

EDIT = "bytedance/dreamina-4-0/edit"


def checked(schemas: Path, model_id: str, payload: object, folder: Path) -> dict[str, Any]:
    file = folder / "payload.json"
    file.write_text(json.dumps(payload), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "-o",
        "JSON",
        "--schemafile",
        str(schemas / f"{model_id}.json"),
    ]
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    answer: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if answer["status"] == "ok" else 1)
    return answer


def test_it_finds_the_same_errors(editor_schemas: Path, tmp_path: Path) -> None:
    payload = {"image_urls": ["https://a.example/x.png", "x.png"], "prompt": "x" * 801, "scale": 2, "seed": 1}
    report = runcomfy.validate(EDIT, payload)
    answer = checked(editor_schemas, EDIT, payload, tmp_path)
    paths = {
        each["path"].removeprefix("$").replace(".", "/").replace("[", "/").replace("]", "") for each in answer["errors"]
    }
    # A key that is not known is a fault of the object that holds it.
    assert paths == {finding.path for finding in report.errors if finding.code != "unknown_key"} | {""}


def test_what_is_right_passes(editor_schemas: Path, tmp_path: Path) -> None:
    payload = {"$schema": "edit.json", "image_urls": ["https://a.example/x.png"], "prompt": "x"}
    assert checked(editor_schemas, EDIT, payload, tmp_path)["status"] == "ok"


@pytest.mark.parametrize("model_ids", [sorted(SAMPLE), pytest.param(MODEL_IDS, marks=pytest.mark.long)])
def test_the_schemas_are_schemas(editor_schemas: Path, model_ids: list[str]) -> None:
    files = [str(editor_schemas / f"{model_id}.json") for model_id in model_ids]
    command = [sys.executable, "-m", "check_jsonschema", "--check-metaschema", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
