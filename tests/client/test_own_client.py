"""What users bring: an httpx client with settings of its own, an environment, limits, inputs of the wrong kind."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from runcomfy_client.client import AsyncClient
from runcomfy_client.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidInputError,
    JobTimeoutError,
    TransportError,
    UnknownModelError,
)
from runcomfy_client.transport.config import clean_timeouts
from runcomfy_client.transport.deadline import LONGEST
from runcomfy_client.transport.requests import has_proxy

from tests.support import fault_proxy as faults
from tests.support.fault_proxy import answer
from tests.support.http_wire import Response
from tests.support.internals import Deadline, Timeouts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import FaultProxy, Wire

TOKEN = "secret-token-4711"


def test_the_token_is_sent_and_not_the_clients_own_login(clients: Clients, proxy: FaultProxy) -> None:
    own = clients.http_client(auth=("me", "password"), headers={"Authorization": "Bearer other"})
    clients(proxy.url, http_client=own).submit("any/model", {}).wait(10)
    assert {request.headers["authorization"] for request in proxy.requests} == {f"Bearer {TOKEN}"}


def test_a_login_in_two_steps_makes_no_two_posts(clients: Clients, proxy: FaultProxy) -> None:
    challenge = {"WWW-Authenticate": 'Digest realm="x", nonce="abc", qop="auth"'}
    proxy.plan("submit", answer(Response(401, b"", challenge)))
    own = clients.http_client(auth=httpx.DigestAuth("me", "password"))
    with pytest.raises(AuthenticationError):
        clients(proxy.url, http_client=own).submit("any/model", {})
    assert proxy.arrived["submit"] == 1


def test_a_client_that_was_closed_sent_nothing(clients: Clients, proxy: FaultProxy, tmp_path: Path) -> None:
    own = clients.http_client()
    client = clients(proxy.url, http_client=own, journal=tmp_path / "jobs.sqlite")
    job = client.submit("any/model", {})
    clients.runner.run(own.aclose()) if clients.is_async else own.close()
    with pytest.raises(ConfigurationError, match="was closed"):
        client.submit("any/model", {})
    with pytest.raises(ConfigurationError, match="was closed") as caught:
        job.wait(10)
    assert caught.value.request_id == "job-1"
    assert [entry.state for entry in client.journal.entries()] == ["submitted", "refused"]


def test_a_submit_in_a_second_loop_sent_nothing(proxy: FaultProxy, tmp_path: Path) -> None:
    own = httpx.AsyncClient()
    client = AsyncClient(TOKEN, proxy.url, http_client=own, journal=tmp_path / "jobs.sqlite")

    async def first_loop() -> None:
        await client.submit("any/model", {})
        await own.aclose()

    asyncio.run(first_loop())
    with pytest.raises(ConfigurationError, match="another event loop"):
        asyncio.run(client.submit("any/model", {}))
    assert client.journal is not None
    assert [entry.state for entry in client.journal.entries()] == ["submitted", "refused"]
    client.journal.close()


def test_a_proxy_that_cannot_be_used_is_reported(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent, and trying again would not help."""
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="gopher"):
        clients("https://api.example.com").submit("any/model", {})


def test_hosts_without_a_proxy_make_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert not has_proxy()
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert has_proxy()


@pytest.mark.parametrize("timeout", [math.inf, 1e12, Timeouts(connect=math.inf, read=1e12, total=math.inf)])
def test_a_limit_without_end_works(clients: Clients, proxy: FaultProxy, timeout: Any) -> None:
    client = clients(proxy.url, timeout=timeout)
    assert client.submit("any/model", {}, {"timeout": math.inf}).wait(math.inf).files


def test_no_limit_is_longer_than_clocks_can_tell() -> None:
    """A lock that is waited for, like a socket, takes so many seconds and no more."""
    rest = Deadline(math.inf).timeout()
    assert rest is not None
    assert rest <= LONGEST
    assert clean_timeouts(math.inf) == Timeouts(connect=10.0, read=LONGEST, write=LONGEST, total=LONGEST)


@pytest.mark.parametrize("timeout", ["5", True, math.nan, 0, Timeouts(read=-1), httpx.Timeout(5)])
def test_a_limit_that_is_none_is_refused(timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout"):
        clean_timeouts(timeout)


def test_inputs_of_the_wrong_kind(clients: Clients, proxy: FaultProxy) -> None:
    client = clients(proxy.url)
    endless: dict[str, Any] = {}
    endless["again"] = endless
    with pytest.raises(InvalidInputError, match="nested too deeply"):
        client.submit("any/model", endless)
    with pytest.raises(InvalidInputError, match="dict of wire names"):
        client.submit("any/model", "a prompt")
    with pytest.raises(UnknownModelError, match="not 5"):
        client.submit(5, {})
    assert not proxy.requests


def drip_head(wire: Wire) -> None:
    """A header line that never ends, a byte at a time."""
    with contextlib.suppress(OSError):
        wire.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(200):
            wire.send(b"x")
            time.sleep(0.05)
        wire.reset()


@pytest.mark.parametrize("fault", [drip_head, faults.drip(0.05)], ids=["head", "body"])
@pytest.mark.parametrize("proxied_by", ["", "a proxy"])
def test_a_connection_that_is_used_again_keeps_its_deadline(
    clients: Clients, proxy: FaultProxy, fault: faults.Fault, proxied_by: str
) -> None:
    """httpx says which connections it opens, and not which it uses again."""
    own = clients.http_client(**({"proxy": proxy.url} if proxied_by else {}))
    client = clients("http://127.0.0.1:9" if proxied_by else proxy.url, http_client=own, timeout=30.0)
    job = client.submit("any/model", {})
    client.balance()
    assert proxy.connections == 1
    proxy.always("status", fault)
    begun = time.monotonic()
    with pytest.raises(JobTimeoutError):
        job.wait(0.6)
    assert time.monotonic() - begun < 4
    proxy.never("status")
    assert job.wait(5).files


def test_a_deadline_cuts_only_its_own_connection(clients: Clients, proxy: FaultProxy) -> None:
    """A paid request on the same client goes on."""

    def late(wire: Wire) -> None:
        time.sleep(1.0)
        wire.send(wire.forward().encoded())

    if clients.is_async:
        pytest.skip("an event loop cancels by task")
    own = clients.http_client()
    client = clients(proxy.url, http_client=own)
    for _ in range(2):
        client.balance()
    job = client.submit("any/model", {})
    proxy.plan("submit", late)
    proxy.always("status", drip_head)
    with ThreadPoolExecutor(2) as pool:
        paid = pool.submit(lambda: client.submit("any/model", {}).request_id)
        time.sleep(0.1)
        with pytest.raises(JobTimeoutError):
            job.wait(0.4)
        assert paid.result(5) == "job-2"


@pytest.mark.parametrize("reply", [Response(200, b"x", {"Content-Encoding": "br"}), Response(101)], ids=["br", "101"])
def test_a_reply_that_is_refused_gives_its_connection_back(
    clients: Clients, proxy: FaultProxy, reply: Response
) -> None:
    own = clients.http_client(limits=httpx.Limits(max_connections=1))
    client = clients(proxy.url, http_client=own, max_retries=0, timeout=1.0)
    for _ in range(2):
        proxy.plan("balance", answer(reply))
        with pytest.raises(TransportError):
            client.balance()
    assert client.balance().usd == 12.5
