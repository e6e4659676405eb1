"""What a process loads does not grow with the catalogue: counted in modules, which no busy machine can change."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.imports import Place

if TYPE_CHECKING:
    from benchmarks.catalogue import Catalogue

# Each would cost more than all of ours.
HEAVY = {"httpx", "pydantic", "pydantic_core", "PIL", "ssl", "asyncio", "jinja2", "black", "sqlite3", "aiohttp"}


def loaded(catalogue: Catalogue, code: str) -> set[str]:
    """The modules that a fresh process has after `code`."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    env = {**catalogue.package_path, "PATH": ""}
    return set(
        subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
        ).stdout.split()
    )


def first(catalogue: Catalogue) -> tuple[str, dict[str, object], Place]:
    model = catalogue.models[0]
    return model.model_id, dict(model.example), Place.of(catalogue.folder / "out" / "runcomfy", model.model_id)


def test_the_import_loads_the_same_modules_whatever_the_catalogue(few: Catalogue, some: Catalogue) -> None:
    found = loaded(some, "import runcomfy")
    assert found == loaded(few, "import runcomfy")
    assert not found & HEAVY
    assert "runcomfy._index" not in found
    assert "runcomfy._client" not in found


def test_offline_validation_loads_one_spec_and_nothing_heavy(few: Catalogue, some: Catalogue) -> None:
    model_id, payload, place = first(some)
    code = f"import runcomfy\nassert runcomfy.validate({model_id!r}, {payload!r}).ok"
    found = loaded(some, code)
    assert found == loaded(few, code)
    assert not found & HEAVY
    leaves = {f"runcomfy.specs.{place.path}"}
    while "." in (above := min(leaves, key=len).rpartition(".")[0]):
        leaves.add(above)
    assert {each for each in found if each.startswith("runcomfy.specs.")} == leaves - {"runcomfy.specs"}


def test_reaching_a_class_loads_one_model(few: Catalogue, some: Catalogue) -> None:
    _, payload, place = first(some)
    code = f"from runcomfy.models.{place.path} import {place.input_class} as M\nM(**{payload!r})"
    found = loaded(some, code)
    assert found == loaded(few, code)
    assert f"runcomfy.models.{place.path}" in found
    assert not found & (HEAVY - {"pydantic", "pydantic_core"})


def test_a_client_and_its_methods_load_neither_httpx_nor_certificates_nor_classes(
    few: Catalogue, some: Catalogue
) -> None:
    _, _, place = first(some)
    code = f"from runcomfy import RunComfy\nRunComfy('token').{place.path}"
    found = loaded(some, code)
    assert found == loaded(few, code)
    assert not found & HEAVY
    assert not any(each.startswith("runcomfy.models") for each in found)


@pytest.mark.long
def test_a_thousand_models_load_no_more_than_four(few: Catalogue, many: Catalogue) -> None:
    model_id, payload, place = first(many)
    for code in (
        "import runcomfy",
        f"import runcomfy\nassert runcomfy.validate({model_id!r}, {payload!r}).ok",
        f"from runcomfy.models.{place.path} import {place.input_class} as M\nM(**{payload!r})",
        f"from runcomfy import RunComfy\nRunComfy('token').{place.path}",
    ):
        assert loaded(many, code) == loaded(few, code)
