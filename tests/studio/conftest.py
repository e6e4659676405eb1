"""A simulator for all tests of a process, and a studio on it for each module."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from runcomfy_simulator import Simulator

from tests.support.studio import StudioCaller, StudioThread

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator(queue_seconds=0.0, run_seconds=0.05) as sim:
        yield sim


@pytest.fixture(scope="module")
def studio(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioThread]:
    """A studio in the mode of the simulator."""
    folder = tmp_path_factory.mktemp("studio")
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        StudioThread(folder, listener, simulator.url, simulator.token, simulate=True) as running,
    ):
        yield running


@pytest.fixture
def caller(studio: StudioThread) -> Iterator[StudioCaller]:
    with StudioCaller(studio) as found:
        yield found
