"""A synthetic catalog on disk, and the package our generator makes of it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import openapi
from .environments import peers
from .harness import run
from .paths import ROOT
from .synthetic import SyntheticModel, make, write_schemas

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .harness import Cost

# Our sources, ahead of whatever is installed, for every measured process.
SOURCES = {
    "PYTHONPATH": os.pathsep.join(str(ROOT / each) for each in ("codegen", "simulator", ".")),
    "PYTHONHASHSEED": "0",
}


@dataclass(frozen=True, slots=True)
class Catalog:
    """A folder with `schemas/`, and after `generate` the package at `out/runcomfy/`."""

    folder: Path
    models: Sequence[SyntheticModel]
    sources: Path = ROOT

    @classmethod
    def at(cls, folder: Path, count: int) -> Catalog:
        """Write the first `count` synthetic models below `folder`."""
        models = make(count)
        write_schemas(models, folder / "schemas")
        return cls(folder, models)

    @property
    def schemas(self) -> Path:
        """Where the schemas are."""
        return self.folder / "schemas"

    @property
    def package_path(self) -> dict[str, str]:
        """The variables with which a process imports the generated package."""
        return {"PYTHONPATH": str(self.folder / "out"), "PYTHONHASHSEED": "0"}

    def generate(self, *, memory: bool = False, python: str | None = None) -> Cost:
        """Run our generator, by default in the peers' environment; what it remembers lies beside its output."""
        command = [python or peers(), "-m", "runcomfy_codegen.console", "generate", "--delete"]
        places = ["--schemas", str(self.schemas), "--output", str(self.folder / "out")]
        env = {**SOURCES, "PYTHONPATH": os.pathsep.join((str(self.sources / "codegen"), SOURCES["PYTHONPATH"]))}
        return run([*command, *places], env=env, memory=memory)

    def with_sources_of_its_own(self) -> Catalog:
        """The same, made by a copy of our generator: who edits it meanwhile does not make all caches stale."""
        sources = self.folder / "sources"
        for name in ("codegen", "templates"):
            shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
        return replace(self, sources=sources)

    def write_standard(self) -> Path:
        """The same models as standard JSON Schema files, for the peers."""
        folder = self.folder / "standard"
        for model in self.models:
            path = folder / f"{model.model_id}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(standard_input(model), ensure_ascii=False, indent=2)
            path.write_text(text, encoding="utf-8")
        return folder

    def write_openapi(self) -> Path:
        """The same models as one OpenAPI document, for the peers."""
        path = self.folder / "openapi.json"
        path.write_text(json.dumps(openapi.document(self.models), ensure_ascii=False, indent=2), encoding="utf-8")
        return path


def standard_input(model: SyntheticModel) -> dict[str, object]:
    """A model's input as standard JSON Schema, titled by its class name."""
    return {**openapi.standard(model.schema), "title": openapi.class_name(model.model_id)}
