"""Batches run against a simulator of their own, with neither this computer's token nor its proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from runcomfy_simulator import Simulator

from tests.support.simulator import write_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("RUNCOMFY_API_TOKEN", "RUNCOMFY_API_KEY", "RUNCOMFY_TOKEN", "RUNCOMFY_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RUNCOMFY_CONFIG_DIR", str(tmp_path / "config"))


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas")
    write_schemas(folder)
    return folder


@pytest.fixture
def sim(schemas: Path) -> Iterator[Simulator]:
    with Simulator(schemas, queue_seconds=0.0, run_seconds=0.05, slots=200, balance=1e6) as simulator:
        yield simulator
