"""Every conversation is held by the sync client, the async one, and the async one without the fast transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.both import KINDS, Clients
from tests.support.environment import clean_environment as clean_environment
from tests.support.fault_proxy import FaultProxy
from tests.support.internals import set_constant, without_fast_transport
from tests.support.tiny_api import TinyApi

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "clients" in metafunc.fixturenames:
        metafunc.parametrize("clients", getattr(metafunc.module, "KINDS", KINDS), indirect=True)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    set_constant(monkeypatch, "QUICKEST", 0.02)
    set_constant(monkeypatch, "FIRST_BACKOFF", 0.01)
    set_constant(monkeypatch, "LONGEST_BACKOFF", 0.05)
    set_constant(monkeypatch, "SECONDS_A_PLACE", 0.0)


@pytest.fixture
def clients(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    if request.param == "async-plain":
        without_fast_transport(monkeypatch)
    made = Clients(request.param)
    yield made
    made.close()


@pytest.fixture
def api() -> TinyApi:
    return TinyApi()


@pytest.fixture
def proxy(api: TinyApi) -> Iterator[FaultProxy]:
    with FaultProxy(api) as running:
        api.url = running.url
        yield running
