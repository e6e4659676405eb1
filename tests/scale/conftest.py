"""A package of many models, generated once a run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.catalog import Catalog

if TYPE_CHECKING:
    from pathlib import Path

FEW, SOME, MANY = 4, 16, 1000


def generated(folder: Path, count: int) -> Catalog:
    catalog = Catalog.at(folder, count)
    catalog.generate(python=sys.executable)
    return catalog


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The package of the first four models."""
    return generated(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture(scope="session")
def some(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The package of sixteen models, the four among them."""
    return generated(tmp_path_factory.mktemp("some"), SOME)


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The package of a thousand models."""
    return generated(tmp_path_factory.mktemp("many"), MANY)
