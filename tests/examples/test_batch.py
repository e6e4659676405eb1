"""The examples of batches run as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from PIL import Image
from runcomfy_simulator import Simulator

from tests.support.cli import SCHEMAS, SCRIPT, TEXT_TO_IMAGE

EXAMPLES = Path(__file__).parents[2] / "examples" / "batch"


def test_the_examples_run(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for name in ("one", "two"):
        Image.effect_mandelbrot((640, 480), (-2, -1, 1, 1), 20).convert("RGB").save(tmp_path / f"pictures/{name}.jpg")
    with Simulator(SCHEMAS, queue_seconds=0.0, run_seconds=0.05) as sim:
        environment = {**os.environ, "RUNCOMFY_BASE_URL": sim.url, "RUNCOMFY_API_TOKEN": sim.token}
        for command in (
            [sys.executable, str(EXAMPLES / "folder.py"), "pictures", "snow", "add snow"],
            [str(SCRIPT), "batch", "run", str(EXAMPLES / "prompts.csv"), "--model", TEXT_TO_IMAGE, "-o", "out"],
        ):
            done = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
        assert sim.accepted == 5
    assert len(list((tmp_path / "snow" / "files").glob("*-1.*"))) == 2
    assert {path.name.split("-")[0] for path in (tmp_path / "out" / "files").glob("*-1.*")} == {"fox", "moon", "owl"}


def read_notebook() -> nbformat.NotebookNode:
    found = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)  # type: ignore[no-untyped-call]  # it has no types
    assert isinstance(found, nbformat.NotebookNode)
    return found


def test_the_notebook_is_valid_and_keeps_no_output() -> None:
    notebook = read_notebook()
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            compile(cell.source, "notebook.ipynb", "exec")
            assert (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.long
def test_the_notebook_runs_and_runs_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbclient import NotebookClient

    notebook = read_notebook()
    with Simulator(SCHEMAS, queue_seconds=0.0, run_seconds=0.05) as sim:
        monkeypatch.setenv("RUNCOMFY_BASE_URL", sim.url)
        monkeypatch.setenv("RUNCOMFY_API_TOKEN", sim.token)
        for _ in range(2):
            NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
            assert sim.accepted == 3
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert len(list((tmp_path / "animals" / "files").glob("*-1.*"))) == 3
