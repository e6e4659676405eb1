"""The made-up catalogs: the same for a seed, growing by one model at a time, and like the real one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from statistics import mean
from typing import TYPE_CHECKING

import pytest
from runcomfy_simulator.catalog import load

from benchmarks import openapi
from benchmarks.synthetic import catalog_reply, make, write_schemas
from tests.support.store import MODEL_IDS, input_schema

if TYPE_CHECKING:
    from pathlib import Path


def test_a_larger_catalogue_begins_with_the_smaller_one() -> None:
    assert make(40)[:25] == make(25)
    assert make(5) != make(5, seed=1)


def test_ids_are_unique_as_names() -> None:
    ids = [model.model_id for model in make(1000)]
    names = {"".join(each if each.isalnum() else "_" for each in model_id.lower()) for model_id in ids}
    assert len(names) == 1000


def test_no_provider_has_it_all() -> None:
    providers = Counter(model.model_id.partition("/")[0] for model in make(1000))
    assert len(providers) > 30
    assert providers.most_common(1)[0][1] < 250


def test_models_are_about_as_large_as_the_real_ones() -> None:
    real = [len(input_schema(model_id)["properties"]) for model_id in MODEL_IDS]
    made = [len(model.schema["properties"]) for model in make(300)]  # type: ignore[arg-type]  # an object's
    assert mean(made) == pytest.approx(mean(real), rel=0.2)


def test_the_generator_finds_no_fault_in_them(tmp_path: Path) -> None:
    write_schemas(make(60), tmp_path)
    command = [sys.executable, "-m", "runcomfy_codegen.console", "lint", "--schemas", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "E0" not in found.stdout + found.stderr


def test_the_simulator_takes_the_catalogue_reply(tmp_path: Path) -> None:
    saved = tmp_path / "models.json"
    saved.write_text(json.dumps(catalog_reply(make(30))), "utf-8")
    assert sorted(model.model_id for model in load(saved)) == sorted(model.model_id for model in make(30))


def test_the_openapi_document_has_each_model_once() -> None:
    models = make(50)
    document = openapi.document(models)
    assert list(document["paths"]) == [f"/v1/models/{model.model_id}" for model in models]  # type: ignore[arg-type]
    assert '"float"' not in json.dumps(document)


def test_a_second_write_changes_nothing(tmp_path: Path) -> None:
    for folder in (first := tmp_path / "a", second := tmp_path / "b"):
        write_schemas(make(10), folder)
    texts = [{path.relative_to(each): path.read_bytes() for path in each.rglob("*.json")} for each in (first, second)]
    assert all(one == other for one, other in pairwise(texts))
