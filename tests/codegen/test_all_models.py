"""All models that ship: they import, agree in sync and async, pass the type checkers."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_codegen.rendering.layout import format_code

from tests.support.store import MODEL_IDS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


def generated_modules(package: Path) -> Iterator[Path]:
    yield from sorted(package.rglob("*.py"))


def test_black_would_change_nothing(all_models: Path) -> None:
    for path in generated_modules(all_models):
        text = path.read_text(encoding="utf-8")
        # Formatting all of it would take longer than generating it: assembled files, and one model.
        if path.name in ("__init__.py", "_client.py", "_index.py") or "dreamina" in str(path):
            assert format_code(text) == text, path


def test_every_model_imports_and_has_its_method(all_models: Path) -> None:
    code = """
import inspect, json, sys
sys.path.insert(0, sys.argv[1])
import runcomfy, runcomfy._index as index, runcomfy.resources
from importlib import import_module
assert runcomfy.__file__.startswith(sys.argv[1]), runcomfy.__file__
client, other = runcomfy.RunComfy(token="t"), runcomfy.AsyncRunComfy(token="t")
count = 0
for model_id, dotted in index.PACKAGE.models.items():
    spec = import_module(f"runcomfy.specs.{dotted}").MODEL
    models = import_module(f"runcomfy.models.{dotted}")
    input_class = getattr(models, spec.input_class)
    assert spec.model_id == model_id
    assert getattr(models, spec.output_class).model_fields
    schema = input_class.model_json_schema(by_alias=True)
    assert list(schema.get("properties", {})) == list(spec.input.properties), model_id
    methods = []
    for start in (client, other):
        here = start
        for name in dotted.split("."):
            here = getattr(here, name)
        methods.append(here)
    one, two = (inspect.signature(each) for each in methods)
    assert str(one).replace("Job[", "AsyncJob[") == str(two), model_id
    assert one.parameters.keys() - {"options"} == input_class.model_fields.keys(), model_id
    required = {name for name, each in one.parameters.items() if each.default is each.empty}
    assert required == {name for name, each in input_class.model_fields.items() if each.is_required()}, model_id
    assert inspect.getdoc(methods[0]) == inspect.getdoc(methods[1])
    count += 1
print(count)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(all_models.parent)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert int(done.stdout) == len(MODEL_IDS)


def exported(module: ast.Module) -> set[str]:
    """The names in the module's `__all__`."""
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def test_no_import_is_unused_and_the_package_is_imported_relatively(all_models: Path) -> None:
    for path in generated_modules(all_models):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if path.name == "__init__.py" and path.parent == all_models:
            continue
        imported = {
            alias.name
            for node in ast.walk(module)
            if isinstance(node, ast.ImportFrom) and node.module != "__future__"
            for alias in node.names
            if alias.asname is None  # `X as X` is imported to be there
        }
        used = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
        used |= exported(module)
        assert imported <= used, path
        modules = [node.module for node in ast.walk(module) if isinstance(node, ast.ImportFrom) and node.level == 0]
        assert not [name for name in modules if name and name.partition(".")[0] == "runcomfy"], path


@pytest.mark.long  # `make types` asks it, too
def test_mypy_strict_passes_on_all_models(all_models: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", "-p", "runcomfy"]
    done = subprocess.run(
        [*command, "--cache-dir", str(all_models.parent.parent / "mypy")],
        cwd=all_models.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long  # `make types` asks it, too
def test_pyright_strict_passes_on_all_models(all_models: Path) -> None:
    project = all_models.parent / "pyrightconfig.json"
    settings: dict[str, Any] = {
        "include": ["runcomfy"],
        "pythonVersion": "3.11",
        "typeCheckingMode": "strict",
    }
    project.write_text(json.dumps(settings))
    command = [
        sys.executable,
        "-m",
        "pyright",
        "--outputjson",
        "--pythonpath",
        sys.executable,
        "--project",
        str(project),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["generalDiagnostics"] == []
    assert report["summary"]["filesAnalyzed"] > 2 * len(MODEL_IDS)
