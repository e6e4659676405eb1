"""The `runcomfy_sim` fixture, for any project with the extra `simulator`; loads nothing until a test asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .server import Simulator

INSTALL = 'pip install "runcomfy-client[simulator]"'


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("runcomfy_sim_schemas", "schemas folder or saved catalog reply for the runcomfy_sim fixture")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "runcomfy_sim(**options): options of the simulator behind the runcomfy_sim fixture, e.g. run_seconds=5",
    )


@pytest.fixture
def runcomfy_sim(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """A simulated Model API of this test's own: `.url`, `.token`, `.jobs`, `.accepted`, `.script(...)`.

    Quick by default (no queue, 50 ms runs); `@pytest.mark.runcomfy_sim(queue_seconds=1, profile="nodes")` changes that.
    """
    missing = None
    try:
        from .server import Simulator
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == __package__:
            raise
        missing = error.name
    if missing:
        pytest.fail(f"the runcomfy_sim fixture needs {missing}: {INSTALL}", pytrace=False)
    options: dict[str, object] = {"queue_seconds": 0.0, "run_seconds": 0.05}
    if schemas := request.config.getini("runcomfy_sim_schemas"):
        options["schemas"] = request.config.rootpath / schemas
    for mark in reversed(list(request.node.iter_markers("runcomfy_sim"))):
        options.update(mark.kwargs)
    with Simulator(**options) as simulator:  # type: ignore[arg-type]  # the marks are the user's words; Simulator checks them
        yield simulator
