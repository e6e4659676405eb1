"""The models that the oracle tests judge by: those that ship, and made-up ones."""

from __future__ import annotations

import importlib
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from runcomfy_client.errors import InvalidInputError
from runcomfy_codegen.generate import Request, generate

from tests.support.codegen import write_store
from tests.support.dialect_schemas import inputs
from tests.support.store import MODEL_IDS, SAMPLE, input_schema

if TYPE_CHECKING:
    from pathlib import Path

    from runcomfy_client.packages import ModelPackage


class Models:
    """A generated package and the schemas it was made of."""

    def __init__(self, package: str, schemas: dict[str, dict[str, Any]]) -> None:
        self.schemas = schemas
        self.package: ModelPackage = importlib.import_module(f"{package}._index").PACKAGE

    def admitted_by_class(self, model_id: str, payload: object) -> bool:
        try:
            input_class = self.package.input_class(model_id)
            assert input_class is not None
            input_class.model_validate(payload)
        except InvalidInputError:
            return False
        return True


def made_models(folder: Path, package: str, schemas: dict[str, dict[str, Any]]) -> Models:
    """Generate a package of its own. Schemas that nothing can satisfy are refused, and left out here."""
    write_store(folder / "schemas", schemas)
    outcome = generate(
        Request(schemas=folder / "schemas", output=folder, package=package, skip_faulty=True), lambda done, of: None
    )
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    kept = set(importlib.import_module(f"{package}._index").PACKAGE.model_ids())
    assert len(kept) > len(schemas) // 3, outcome.diagnostics
    return Models(package, {model_id: schema for model_id, schema in schemas.items() if model_id in kept})


@pytest.fixture(scope="session")
def real_models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """A sample of the models that ship."""
    schemas = {model_id: input_schema(model_id) for model_id in sorted(SAMPLE)}
    return made_models(tmp_path_factory.mktemp("real"), "oracle_real", schemas)


@pytest.fixture(scope="session")
def all_models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The models that ship."""
    schemas = {model_id: input_schema(model_id) for model_id in MODEL_IDS}
    return made_models(tmp_path_factory.mktemp("all"), "oracle_all", schemas)


def drawn(count: int) -> dict[str, dict[str, Any]]:
    """Schemas from hypothesis, the same ones every time."""
    found: dict[str, dict[str, Any]] = {}

    @settings(
        max_examples=count, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(inputs())
    def collect(schema: dict[str, Any]) -> None:
        found[json.dumps(schema, sort_keys=True)] = schema

    collect()
    return {f"drawn/family/model-{number}": schema for number, schema in enumerate(found.values())}


@pytest.fixture(scope="session")
def drawn_models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return made_models(tmp_path_factory.mktemp("drawn"), "oracle_drawn", drawn(30))


@pytest.fixture(scope="session")
def many_drawn_models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return made_models(tmp_path_factory.mktemp("many"), "oracle_many", drawn(500))
