"""Every model of a large package can be reached, takes its own example, and refuses what it does not know."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from benchmarks.catalog import Catalog

# Reads {model id: example} from stdin; all in one process, through the same doors as a user.
VISIT = """\
import importlib, json, sys
import runcomfy
from runcomfy import AsyncRunComfy, RunComfy
from runcomfy._index import PACKAGE

examples = json.load(sys.stdin)
assert PACKAGE.model_ids() == sorted(examples), "the index is not the catalog"
clients = RunComfy("token"), AsyncRunComfy("token")
for model_id, example in examples.items():
    assert runcomfy.validate(model_id, example).ok, model_id
    report = runcomfy.validate(model_id, {**example, "no such key": 1})
    assert [each.code for each in report.errors] == ["unknown_key"], model_id
    for client in clients:
        method = client
        for name in PACKAGE.models[model_id].split("."):
            method = getattr(method, name)
        assert model_id in method.__doc__, model_id
    module = importlib.import_module(f"runcomfy.models.{PACKAGE.models[model_id]}")
    spec = importlib.import_module(f"runcomfy.specs.{PACKAGE.models[model_id]}").MODEL
    names = {wire: each.name or wire for wire, each in spec.input.properties.items()}
    made = getattr(module, spec.input_class)(**{names[wire]: value for wire, value in example.items()})
    assert made.to_payload() == example, model_id
print(len(examples))
"""


def visit(catalog: Catalog) -> None:
    examples = {model.model_id: model.example for model in catalog.models}
    command = [sys.executable, "-W", "error", "-c", VISIT]
    ran = subprocess.run(
        command, input=json.dumps(examples), env=catalog.package_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert int(ran.stdout) == len(examples)


def test_sixteen_models(some: Catalog) -> None:
    visit(some)


@pytest.mark.long
def test_a_thousand_models(many: Catalog) -> None:
    visit(many)
