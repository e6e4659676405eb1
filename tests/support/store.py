"""The models that ship, for tests that go over all of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection

    from _pytest.mark import ParameterSet

SCHEMAS = Path(__file__).parents[2] / "schemas"
MODEL_IDS = sorted(path.parent.relative_to(SCHEMAS).as_posix() for path in SCHEMAS.rglob("input.json"))


def _sample() -> frozenset[str]:
    """The models whose pages are known, and the first of each provider."""
    first = {model_id.partition("/")[0]: model_id for model_id in reversed(MODEL_IDS)}
    return frozenset(first.values()) | {each for each in MODEL_IDS if (SCHEMAS / each / "example.json").is_file()}


SAMPLE = _sample()
# For parametrize: the sample in every run, the others in a long one.
EACH_MODEL: list[str | ParameterSet] = [
    each if each in SAMPLE else pytest.param(each, marks=pytest.mark.long) for each in MODEL_IDS
]


def input_schema(model_id: str) -> dict[str, Any]:
    """A model's input.json, as it was received."""
    found: dict[str, Any] = json.loads((SCHEMAS / model_id / "input.json").read_text(encoding="utf-8"))
    return found


def copy_models(folder: Path, model_ids: Collection[str]) -> None:
    """Make a store of some of the models that ship."""
    for model_id in model_ids:
        shutil.copytree(SCHEMAS / model_id, folder / model_id, dirs_exist_ok=True)
    shutil.copy(SCHEMAS / "output.json", folder)
    names = json.loads((SCHEMAS / "names.json").read_text(encoding="utf-8"))
    kept = {model_id: names[model_id] for model_id in names if model_id in model_ids}
    (folder / "names.json").write_text(json.dumps(kept), encoding="utf-8")
