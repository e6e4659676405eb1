"""Generated text is as black would write it, though most of it is laid out without black."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import black
from black.mode import TargetVersion

if TYPE_CHECKING:
    from benchmarks.catalog import Catalog

ROOT = Path(__file__).resolve().parents[2]
# The mode that `black` has in this repository, read from its own settings.
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["black"]
MODE = black.Mode(line_length=SETTINGS["line-length"], target_versions={TargetVersion.PY311})


def test_black_has_nothing_to_change(some: Catalog) -> None:
    package = some.folder / "out" / "runcomfy"
    modules = [*package.rglob("*.py")]
    assert len(modules) > 60
    for module in modules:
        text = module.read_text("utf-8")
        assert black.format_str(text, mode=MODE) == text, module
