"""Batches run against a simulator of their own, with neither this computer's token nor its proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from runcomfy_simulator import Simulator

from tests.support.environment import clean_environment as clean_environment
from tests.support.simulator import write_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas")
    write_schemas(folder)
    return folder


@pytest.fixture
def sim(schemas: Path) -> Iterator[Simulator]:
    with Simulator(schemas, queue_seconds=0.0, run_seconds=0.05, slots=200, balance=1e6) as simulator:
        yield simulator
