"""`pytest tests/codegen --update` records what tests/cases/ give now; look at the difference before you commit it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runcomfy_codegen.generate import Request, generate

from tests.support.codegen import input_of, write_store

if TYPE_CHECKING:
    from runcomfy_codegen.generate import Outcome
    from runcomfy_codegen.reading.source import Json

PACKAGE = Path(__file__).parents[2] / "generated" / "runcomfy"


class Workshop:
    """A store with three models and the package made of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.schemas = folder / "schemas"
        self.output = folder / "out"
        self.package = self.output / "runcomfy"
        prompt: dict[str, Json] = {"prompt": {"type": "string", "maxLength": 10}}
        models = ("acme/poster-1/draw", "acme/poster-1/edit", "acme/solo", "other/film/cut")
        write_store(self.schemas, {model_id: input_of(prompt, ["prompt"]) for model_id in models})

    def generate(
        self,
        *,
        check: bool = False,
        skip_faulty: bool = False,
        accept_renames: bool = False,
        delete: bool = False,
        package: str = "runcomfy",
    ) -> Outcome:
        request = Request(
            schemas=self.schemas,
            output=self.output,
            package=package,
            check=check,
            skip_faulty=skip_faulty,
            accept_renames=accept_renames,
            delete=delete,
        )
        return generate(request, lambda done, of: None)

    def codes(self, outcome: Outcome) -> list[str]:
        return [each.code for each in outcome.diagnostics]

    def write(self, path: str, text: str) -> None:
        target = self.schemas / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def files(self) -> dict[str, bytes]:
        """What was generated into the package, see tree_of."""
        return tree_of(self.package)


def tree_of(folder: Path) -> dict[str, bytes]:
    """A package's files without Python's caches and without the runtime, which is copied, not generated."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {"__pycache__"} & {*path.relative_to(folder).parts}
    }


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def generated(workshop: Workshop) -> Workshop:
    assert not workshop.generate().failed
    return workshop


@pytest.fixture(scope="session")
def all_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package that ships: checkers may leave their files beside it."""
    copy = tmp_path_factory.mktemp("all") / "out" / "runcomfy"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy
