"""A simulator on schemas of the tests' own, and callers to it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_simulator import Simulator

from tests.support.simulator import Caller, write_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.simulator import Call, Start


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A schemas folder with one model of each kind."""
    folder = tmp_path_factory.mktemp("schemas")
    write_schemas(folder)
    return folder


@pytest.fixture
def start(schemas: Path) -> Iterator[Start]:
    """Starts simulators, quick ones unless told otherwise, and stops them at the test's end."""
    with contextlib.ExitStack() as stack:

        def begin(**options: Any) -> Simulator:
            quick = {"schemas": schemas, "queue_seconds": 0, "run_seconds": 0}
            return stack.enter_context(Simulator(**{**quick, **options}))

        yield begin


@pytest.fixture
def call() -> Iterator[Call]:
    """Opens callers, and closes them at the test's end."""
    with contextlib.ExitStack() as stack:
        yield lambda simulator, token=None: stack.enter_context(Caller(simulator, token))
