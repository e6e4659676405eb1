"""What editors and other checkers read: the schemas of all models, written once, and VS Code's language service."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_codegen.cli import run

from tests.support.npm import installed

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
    """Calls VS Code's JSON language service."""
    folder = installed(SERVICE)

    def ask(documents: Sequence[Document]) -> list[Document]:
        done = subprocess.run(
            ["node", str(SCRIPT), str(folder)], input=json.dumps(documents), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        answers: list[Document] = json.loads(done.stdout)
        return answers

    return ask
