"""Type checkers accept the documented use and see the faults people make, in sync and async alike."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
USAGE = Path(__file__).with_name("usage.py")

# Each line holds one fault; the checkers must point at every one of them.
FAULTS = """\
from pathlib import Path

from runcomfy import AsyncRunComfy, RunComfy
from runcomfy import RunComfi  # misspelt name
from runcomfy.models.bytedance.dreamina_4_0 import TextToImageInput
from runcomfy.models.bytedance.dreamina_4_0 import TextToVideoInput  # no such class


def sync(client: RunComfy) -> None:
    client.bytedance.dreamina_4_0.text_to_image(prompt="x", scal=0.3)  # misspelt argument
    client.bytedance.dreamina_4_0.text_to_image(prompt="x", width_height="1x1")  # off the list
    client.bytedance.dreamina_4_0.text_to_image(scale=0.3)  # prompt is missing
    client.bytedance.dreamina_4_0.text_to_image(prompt="x", scale="0.3")  # a string is no number
    client.bytedance.dreamina_4_0.text_to_image(prompt="x", options={"job_kye": "a"})  # misspelt option
    client.bytedance.dreamina_4_0.text_to_video(prompt="x")  # no such endpoint
    client.bytedance.dreamina_4_0.edit(image_urls=[1], prompt="x")  # not media
    client.bytedance.dreamina_4_0.edit(image_urls="https://example.com/a.png", prompt="x")  # not a list
    client.klng.kling_3_0  # no such provider
    client.bytedance.dreamina_5_0  # no such family
    client.submit(TextToImageInput(prompt="x"), {"prompt": "y"})  # two inputs
    client.submit("bytedance/dreamina-4-0/text-to-image")  # no input


async def asynchronous(client: AsyncRunComfy) -> None:
    await client.bytedance.dreamina_4_0.text_to_image(prompt="x", scal=0.3)  # misspelt argument
    await client.bytedance.dreamina_4_0.text_to_image(prompt="x", width_height="1x1")  # off the list
    await client.bytedance.dreamina_4_0.text_to_image(scale=0.3)  # prompt is missing


def classes(folder: Path) -> None:
    TextToImageInput(prompt="x", scal=0.3)  # misspelt argument
    TextToImageInput(prompt="x", width_height="1x1")  # off the list
    TextToImageInput(prompt=folder)  # not a string
"""
FAULTY_LINES = {number for number, line in enumerate(FAULTS.splitlines(), 1) if "  # " in line}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documented use and the faults: a type checker reads both at once, since most of its time is its start."""
    made = tmp_path_factory.mktemp("typing")
    shutil.copy(USAGE, made)
    (made / "faults.py").write_text(FAULTS, encoding="utf-8")
    return made


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def pyright_lines(folder: Path) -> list[str]:
    """What pyright in strict mode says of the files in a folder: `file:line: message`."""
    config = {
        "include": ["*.py"],
        "extraPaths": [str(ROOT / name) for name in ("client", "generated", "simulator")],
        "pythonVersion": "3.11",
        "typeCheckingMode": "strict",
    }
    project = folder / "pyrightconfig.json"
    project.write_text(json.dumps(config), encoding="utf-8")
    done = run(
        sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(project)
    )
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(list(folder.glob("*.py")))
    return [
        f"{Path(item['file']).name}:{item['range']['start']['line'] + 1}: {item['message']}"
        for item in report["generalDiagnostics"]
    ]


def mypy_lines(*paths: Path) -> list[str]:
    """What mypy says of the files, as strict as we are: `file:line: message`."""
    done = run(sys.executable, "-m", "mypy", "--no-pretty", "--hide-error-context", *map(str, paths))
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = [re.fullmatch(r".*?([^/]+\.py:\d+): error: (.*)", line) for line in done.stdout.splitlines()]
    return [f"{each[1]}: {each[2]}" for each in found if each]


def check_lines(lines: list[str]) -> None:
    """Nothing is found in the documented use, and every fault is."""
    assert [line for line in lines if line.startswith(USAGE.name)] == []
    assert {int(line.split(":")[1]) for line in lines} == FAULTY_LINES


def test_mypy_accepts_the_documented_use_and_sees_each_error(folder: Path) -> None:
    check_lines(mypy_lines(*sorted(folder.glob("*.py"))))


@pytest.mark.long  # `make types` asks it of the documented use, too
def test_pyright_accepts_the_documented_use_and_sees_each_error(folder: Path) -> None:
    check_lines(pyright_lines(folder))
