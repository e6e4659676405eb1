"""What every run of the tests needs, however it was started."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.postgres import PostgresServer, create_database, find_binaries, shared_server

if TYPE_CHECKING:
    from collections.abc import Iterator

# Whoever starts the tests in the background of a script starts them with Ctrl-C ignored, and so would be every process
# that a test starts to press Ctrl-C on.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Nor does what this computer is set up for change what tests see: its token, its journal, its package.
for _name in [name for name in os.environ if name.startswith("RUNCOMFY_") and "_TEST_" not in name]:
    del os.environ[_name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="record the expected output anew")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server that all processes of the run share, with ``{database}`` for a name."""
    folder = tmp_path_factory.getbasetemp()
    try:
        with shared_server(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) as url:
            yield url
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def postgres_url(postgres_server: str) -> str:
    """The URL of an empty database of a module's own."""
    return create_database(postgres_server)


@pytest.fixture(scope="module")
def durable_postgres() -> Iterator[PostgresServer]:
    """A server that a test may crash, and that keeps what it has committed."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL is here")
    server = PostgresServer(binaries, durable=True)
    server.start()
    yield server
    server.stop()
