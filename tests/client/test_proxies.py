"""A proxy on the way: used where the environment names one, never to this computer, and no failure is for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.errors import ConfigurationError, TransportError

from tests.support import connect_proxy
from tests.support.connect_proxy import BREAKS, URL, ConnectProxy
from tests.support.fault_proxy import FaultProxy

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.tiny_api import TinyApi


# Python's ssl leaves a socket to the garbage collector if the other side resets it before the handshake.
unclosed_by_python = pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")


@pytest.fixture
def tunnel(api: TinyApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectProxy]:
    with ConnectProxy(api, tmp_path / "authority.pem") as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificates))
        monkeypatch.setenv("HTTPS_PROXY", running.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        api.url = URL
        yield running


def test_proxies_of_the_environment_are_used(clients: Clients, tunnel: ConnectProxy) -> None:
    client = clients(URL)
    assert client.submit("any/model", {}).wait(10).request_id == "job-1"
    assert tunnel.arrived["submit"] == 1
    assert tunnel.connections <= 2  # one for submits, one for the rest


@unclosed_by_python
@pytest.mark.parametrize("fault", BREAKS, ids=lambda fault: fault.__name__)
def test_a_broken_handshake_behind_a_proxy_is_not_for_good(
    clients: Clients, tunnel: ConnectProxy, fault: Callable[[socket.socket], None]
) -> None:
    client = clients(URL, max_retries=0, max_connections=2, timeout=0.7)
    for _ in range(3):
        tunnel.handshakes.append(fault)
        with pytest.raises(TransportError, match=f"through the proxy 127.0.0.1:{tunnel.port}"):
            client.balance()
    tunnel.handshakes.append(fault)
    with pytest.raises(TransportError, match=r"Nothing was sent"):
        client.submit("any/model", {})
    for _ in range(3):
        assert client.balance().usd == 12.5
    assert client.submit("any/model", {}).request_id == "job-1"


@unclosed_by_python
@pytest.mark.parametrize("fault", BREAKS, ids=lambda fault: fault.__name__)
def test_nor_for_a_client_of_ones_own(
    clients: Clients, tunnel: ConnectProxy, fault: Callable[[socket.socket], None]
) -> None:
    import httpx

    own = clients.http_client(limits=httpx.Limits(max_connections=2))
    client = clients(URL, http_client=own, max_retries=0, timeout=0.7)
    for _ in range(3):
        tunnel.handshakes.append(fault)
        with pytest.raises(TransportError, match="through the proxy"):
            client.balance()
    for _ in range(3):
        assert client.balance().usd == 12.5
    assert client.submit("any/model", {}).request_id == "job-1"


def test_requests_of_others_on_ones_own_client_are_left_alone(clients: Clients, tunnel: ConnectProxy) -> None:
    """What is closed is what no request holds."""
    own = clients.http_client()
    request: Any = own.build_request("GET", f"{URL}/files/one.png")
    response = (
        clients.runner.run(own.send(request, stream=True)) if clients.is_async else own.send(request, stream=True)
    )
    tunnel.handshakes.append(connect_proxy.cut)
    client = clients(URL, http_client=own, max_retries=0)
    with pytest.raises(TransportError):
        client.balance()
    content = clients.runner.run(response.aread()) if clients.is_async else response.read()
    assert content.startswith(b"\x89PNG")


def test_this_computer_is_never_reached_through_a_proxy(
    clients: Clients, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would get the token unencrypted."""
    with FaultProxy(proxy.upstream) as in_between:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, in_between.url)
        client = clients(proxy.url)
        client.submit("any/model", {}).wait(10)
        client.balance()
        assert in_between.connections == 0
    assert proxy.arrived["submit"] == 1


def test_a_client_of_ones_own_takes_no_token_for_this_computer_to_a_proxy(clients: Clients, proxy: FaultProxy) -> None:
    own = clients.http_client(proxy="http://user:password@proxy.example:3128")
    with pytest.raises(ConfigurationError, match=r"proxy\.example:3128.*trust_env=False") as caught:
        clients(proxy.url, http_client=own).submit("any/model", {})
    assert "password" not in str(caught.value)
    with FaultProxy(proxy.upstream) as in_between:  # a proxy on this computer sees what this computer sees
        own = clients.http_client(proxy=in_between.url)
        assert clients(proxy.url, http_client=own).balance().usd == 12.5
        assert in_between.arrived["balance"] == 1
