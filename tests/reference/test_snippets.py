"""What a page shows to paste runs as it stands, against the local Model API."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt
from runcomfy_client.schema.dialect import fits, read_schema
from runcomfy_codegen.reference.page import API
from runcomfy_codegen.reference.pages import make_reference

from tests.support.store import EACH_MODEL, MODEL_IDS, SAMPLE, SCHEMAS, input_schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runcomfy_simulator import Simulator

    # Runs a script; gives what it printed.
    Run = Callable[[str], str]


# Each of them is a whole job.
IN_BRIEF = sorted(SAMPLE)[::3]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return make_reference(SCHEMAS).pages


def blocks(page: str, language: str) -> list[str]:
    tokens = MarkdownIt("commonmark").parse(page)
    return [each.content for each in tokens if each.type == "fence" and each.info == language]


def page_of(pages: dict[str, str], model_id: str) -> str:
    (page,) = (text for text in pages.values() if f"\n# {model_id}\n" in text)
    return page


@pytest.fixture
def script_run(
    tmp_path: Path, runcomfy_sim: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.setenv("RUNCOMFY_BASE_URL", runcomfy_sim.url)
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", runcomfy_sim.token)
    monkeypatch.chdir(tmp_path)

    def execute(script: str) -> str:
        exec(compile(script, "page.py", "exec"), {"__name__": "__main__"})  # noqa: S102 - readers paste it
        return capsys.readouterr().out

    return execute


@pytest.mark.parametrize(
    "model_id",
    [model_id if model_id in IN_BRIEF else pytest.param(model_id, marks=pytest.mark.long) for model_id in MODEL_IDS],
)
@pytest.mark.parametrize("number", [pytest.param(0, marks=pytest.mark.long), 1], ids=["sync", "async"])
def test_the_python_calls_bring_files(
    pages: dict[str, str], model_id: str, number: int, script_run: Run, runcomfy_sim: Simulator, tmp_path: Path
) -> None:
    script_run(blocks(page_of(pages, model_id), "python")[number])
    assert any((tmp_path / "out").iterdir())
    assert [job.model_id for job in runcomfy_sim.jobs] == [model_id]


@pytest.mark.parametrize("model_id", EACH_MODEL)
def test_the_offline_check_passes(pages: dict[str, str], model_id: str, script_run: Run) -> None:
    assert script_run(blocks(page_of(pages, model_id), "python")[2]).startswith("True ")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_submits_and_asks(pages: dict[str, str], runcomfy_sim: Simulator) -> None:
    lines = blocks(page_of(pages, "bytedance/dreamina-4-0/edit"), "sh")[0].replace(API, f"{runcomfy_sim.url}/v1")
    submit, _, ask = lines.partition("# with the request_id of the reply:\n")
    reply = json.loads(shell(submit, runcomfy_sim))
    assert [job.model_id for job in runcomfy_sim.jobs] == ["bytedance/dreamina-4-0/edit"]
    answers = shell(f"REQUEST_ID={reply['request_id']}\n{ask}", runcomfy_sim)
    assert answers.count(reply["request_id"]) >= 2


def shell(script: str, simulator: Simulator) -> str:
    environment = {"RUNCOMFY_API_TOKEN": simulator.token, "PATH": "/usr/bin:/bin"}
    # `-s` alone would hide what went wrong too.
    quiet = "curl() { command curl -sS --noproxy '*' \"$@\"; }\n"
    done = subprocess.run(["sh", "-euc", quiet + script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_fits_and_parses(pages: dict[str, str]) -> None:
    for model_id in MODEL_IDS:
        sync, coroutine, check = blocks(page_of(pages, model_id), "python")
        ast.parse(sync)
        ast.parse(coroutine)
        (payload,) = (
            ast.literal_eval(node.value)
            for node in ast.parse(check).body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "payload"
        )
        assert fits(read_schema(input_schema(model_id)), payload), model_id
