"""What editors and other checkers read: the schemas of all models, written once, and VS Code's language service."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from runcomfy_codegen.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[2]
SERVICE = "vscode-json-languageservice@5.7.2"
SCRIPT = Path(__file__).parent / "language_service.mjs"

Document = dict[str, Any]


@pytest.fixture(scope="session")
def editor_schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `runcomfy-codegen jsonschema` writes."""
    folder = tmp_path_factory.mktemp("editor") / "schemas"
    assert run(["jsonschema", "--schemas", str(ROOT / "schemas"), "--output", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def ask_editor() -> Callable[[Sequence[Document]], list[Document]]:
    """Calls VS Code's JSON language service, which npm installs once into .cache."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("VS Code's language service needs node and npm")
    folder = ROOT / ".cache" / "editors" / SERVICE
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not (folder / "node_modules" / "vscode-json-languageservice").is_dir():
            command = [
                "npm",
                "install",
                "--silent",
                "--no-package-lock",
                "--no-audit",
                "--prefix",
                str(folder),
                SERVICE,
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                pytest.skip(f"npm cannot install VS Code's language service: {done.stderr[-200:]}")

    def ask(documents: Sequence[Document]) -> list[Document]:
        done = subprocess.run(
            ["node", str(SCRIPT), str(folder)], input=json.dumps(documents), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        answers: list[Document] = json.loads(done.stdout)
        return answers

    return ask
