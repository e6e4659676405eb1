"""The code in README and docs: all of it is type-checked and runs against the simulator, as a reader would run it.

The Python blocks of a page are one program, from top to bottom, in an empty folder with a photograph in it. A `text`
block that follows is what the program prints. The shell blocks of a page are one script. A comment
`<!-- not run: why -->` before a block leaves that block out. Blocks that define tests are run by pytest.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from runcomfy_simulator import Simulator

from tests.typing.test_typing import mypy_lines, pyright_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark import ParameterSet

ROOT = Path(__file__).parents[2]
# It makes a project of its own, which `make wheels` follows step by step in an empty environment.
FOLLOWED_ELSEWHERE = {ROOT / "docs/own-package.md"}
PAGES = sorted(
    {ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md")} - FOLLOWED_ELSEWHERE
)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: [^>]+ -->\s*\Z")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the number of the line before it, and whether it is to be run."""

    language: str
    text: str
    line: int
    run: bool


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(found[1], found[2], text[: found.start()].count("\n") + 1, not NOT_RUN.search(text[: found.start()]))
        for found in FENCE.finditer(text)
    ]


def program(page: Path) -> str:
    """The page's Python, each line where it stands on the page."""
    lines: list[str] = []
    for block in blocks(page):
        if block.language == "python" and block.run:
            lines += [""] * (block.line - len(lines))
            lines += block.text.splitlines()
    return "\n".join(lines) + "\n" if lines else ""


WITH_PYTHON = [page for page in PAGES if program(page)]
WITH_SHELL = [page for page in PAGES if any(block.language == "sh" and block.run for block in blocks(page))]


# The pages that new users start with run in every run, the others in a long one.
SHORT = {"README.md", "docs/quickstart.md", "docs/client.md", "docs/batch.md"}


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def each_page(pages: list[Path]) -> list[ParameterSet]:
    """For parametrize."""
    return [pytest.param(page, marks=() if name(page) in SHORT else pytest.mark.long, id=name(page)) for page in pages]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with a photograph, and a simulator that the environment leads to."""
    Image.effect_mandelbrot((640, 480), (-2, -1, 1, 1), 20).convert("RGB").save(tmp_path / "photo.jpg")
    for variable in ("RUNCOMFY_TOKEN", "RUNCOMFY_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    with Simulator(queue_seconds=0.0, run_seconds=0.05) as simulator:
        monkeypatch.setenv("RUNCOMFY_BASE_URL", simulator.url)
        monkeypatch.setenv("RUNCOMFY_API_TOKEN", simulator.token)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("NO_COLOR", "1")
        yield tmp_path


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program of each page."""
    folder = tmp_path_factory.mktemp("programs")
    for page in WITH_PYTHON:
        (folder / f"{module(page)}.py").write_text(program(page), encoding="utf-8")
    return folder


def module(page: Path) -> str:
    return re.sub(r"\W", "_", name(page).removesuffix(".md")).lower()


def test_there_is_code() -> None:
    assert len(WITH_PYTHON) >= 8
    assert len(WITH_SHELL) >= 3


def test_mypy_accepts_every_page(programs: Path) -> None:
    assert not mypy_lines(*sorted(programs.glob("*.py")))


@pytest.mark.long
def test_pyright_accepts_every_page(programs: Path) -> None:
    assert not pyright_lines(programs)


@pytest.mark.parametrize("page", each_page(WITH_PYTHON))
def test_the_python_of_a_page_runs(page: Path, desk: Path) -> None:
    file = desk / f"test_{module(page)}.py"
    file.write_text(program(page), encoding="utf-8")
    tests = re.search(r"^def test_", program(page), re.MULTILINE)
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", file.name] if tests else ["-W", "error", file.name]
    done = subprocess.run(
        [sys.executable, *command], cwd=desk, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{name(page)}: {done.stdout}{done.stderr}"
    for before, block in zip(blocks(page), blocks(page)[1:], strict=False):
        if before.language == "python" and before.run and block.language == "text":
            assert block.text in done.stdout, f"{name(page)}:{block.line} is not what is printed"


@pytest.mark.parametrize("page", each_page(WITH_SHELL))
def test_the_shell_lines_of_a_page_run(page: Path, desk: Path) -> None:
    for block in blocks(page):
        if block.language == "python" and block.run and (saved := re.match(r"# (\w+\.py)\n", block.text)):
            (desk / saved[1]).write_text(block.text, encoding="utf-8")
    script = "".join(block.text for block in blocks(page) if block.language == "sh" and block.run)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=desk, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, f"{name(page)}: {done.stdout}{done.stderr}"
