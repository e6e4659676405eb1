"""How long a connection may be idle before a submit uses it: what the server says, and what it was seen to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.transport.connection_pool import IdleLimits

from tests.support.internals import Reply, Request

if TYPE_CHECKING:
    from tests.support import fault_proxy as faults
    from tests.support.both import Clients
    from tests.support.fault_proxy import FaultProxy, Wire

SUBMIT = Request(method="POST", url="https://api.example/v1/models/a/b", once=True)
POLL = Request(method="GET", url="https://api.example/v1/requests/1/status")
ELSEWHERE = Request(method="GET", url="https://other.example/")


def says(value: str) -> Reply:
    return Reply(200, {"keep-alive": value})


@pytest.mark.parametrize(
    ("header", "submit", "poll"),
    [
        ("timeout=5, max=100", 2.0, 2.0),
        ("timeout=60", 2.0, 30.0),
        ("max=7, Timeout = 2", 1.0, 1.0),
        ("timeout=1", 0.5, 0.5),
        ("timeout=0", 0.0, 0.0),
        ("timeout=soon", 2.0, 30.0),
        ("timeout=99999999999999999999", 2.0, 30.0),
        ("", 2.0, 30.0),
    ],
)
def test_what_the_server_says(header: str, submit: float, poll: float) -> None:
    limits = IdleLimits()
    limits.learn_from(POLL, says(header))
    assert (limits.of(SUBMIT), limits.of(POLL), limits.of(ELSEWHERE)) == (submit, poll, 30.0)


def test_what_was_seen_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = IdleLimits()
    limits.closed_after(POLL, 0.6)
    limits.closed_after(POLL, 20)  # says less than what is known
    assert limits.of(SUBMIT) == limits.of(POLL) == 0.25
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 301)
    assert limits.of(POLL) == 30.0


def closing_soon(keep_alive: str) -> faults.Fault:
    """A whole reply; what comes on this connection after 0.15 seconds is read, not answered, and reset."""

    def fault(wire: Wire) -> None:
        response = wire.forward()
        headers = {**response.headers, **({"Keep-Alive": keep_alive} if keep_alive else {})}
        wire.send(type(response)(response.status, response.content, headers).encoded())
        wire.connection.settimeout(0.15)
        try:
            wire.connection.recv(1)
        except TimeoutError:
            wire.connection.settimeout(None)
            wire.connection.recv(65536)
            wire.reset()
        else:
            raise OSError("the test wants a pause here")

    return fault


def test_a_server_that_says_it_closes_soon_makes_no_submit_unsure(clients: Clients, proxy: FaultProxy) -> None:
    proxy.always("submit", closing_soon("timeout=0"))
    client = clients(proxy.url)
    for number in (1, 2, 3):
        assert client.submit("any/model", {}).request_id == f"job-{number}"
        time.sleep(0.3)


def test_a_server_that_was_seen_to_close_soon_makes_no_submit_unsure(clients: Clients, proxy: FaultProxy) -> None:
    """A poll meets it first; the submit after that is on a connection of its own."""
    if clients.kind == "async":
        pytest.skip("aiohttp repeats a GET by itself, so the fast transport sees nothing; what a server says it heeds")
    proxy.plan("balance", closing_soon(""))
    client = clients(proxy.url)
    client.balance()
    time.sleep(0.3)
    client.balance()  # lost once, and repeated
    proxy.always("submit", closing_soon(""))
    for number in (1, 2, 3):
        assert client.submit("any/model", {}).request_id == f"job-{number}"
        time.sleep(0.3)


def test_a_connection_in_use_is_kept(clients: Clients, proxy: FaultProxy) -> None:
    client = clients(proxy.url)
    for _ in range(5):
        client.balance()
        client.submit("any/model", {})
    assert proxy.connections == 2
