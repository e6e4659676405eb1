"""A paid POST is given to the network once, whatever a transport of the user's does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from runcomfy_client.errors import SubmissionUnknownError, TransportError

from tests.support import fault_proxy as faults
from tests.support.fault_proxy import FaultProxy, answer

if TYPE_CHECKING:
    from tests.support.both import Clients
    from tests.support.tiny_api import TinyApi

KEEPS_A_COPY = "keeps a copy"
READS_AGAIN = "reads again"


class Retrying(httpx.BaseTransport):
    """As users write them: up to four times, after a lost connection or a 5xx."""

    def __init__(self, copies: bool) -> None:
        self._inner = httpx.HTTPTransport()
        self._copies = copies

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._copies:
            request.read()
        for attempt in range(4):
            try:
                response = self._inner.handle_request(request)
            except httpx.TransportError:
                if attempt == 3:
                    raise
            else:
                if response.status_code < 500:
                    return response
                response.close()
        return response

    def close(self) -> None:
        self._inner.close()


class AsyncRetrying(httpx.AsyncBaseTransport):
    def __init__(self, copies: bool) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._copies = copies

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._copies:
            await request.aread()
        for attempt in range(4):
            try:
                response = await self._inner.handle_async_request(request)
            except httpx.TransportError:
                if attempt == 3:
                    raise
            else:
                if response.status_code < 500:
                    return response
                await response.aclose()
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.fixture(params=[READS_AGAIN, KEEPS_A_COPY])
def own(clients: Clients, request: pytest.FixtureRequest) -> Any:
    copies = request.param == KEEPS_A_COPY
    return clients.http_client(transport=AsyncRetrying(copies) if clients.is_async else Retrying(copies))


@pytest.mark.parametrize(
    "fault",
    [faults.lost_reply, faults.closed_before_reply, answer(faults.html(503), worked=True)],
    ids=lambda fault: "",
)
def test_a_transport_that_tries_again_is_stopped(
    clients: Clients, proxy: FaultProxy, api: TinyApi, own: Any, fault: faults.Fault
) -> None:
    proxy.always("submit", fault)
    with pytest.raises(SubmissionUnknownError, match="tried to send the request a second time, and was stopped"):
        clients(proxy.url, http_client=own).submit("any/model", {"prompt": "x"})
    assert len(api.submits) <= 1
    assert proxy.arrived["submit"] == 1


def test_it_may_go_on_with_what_is_free_to_repeat(clients: Clients, proxy: FaultProxy, own: Any) -> None:
    proxy.plan("balance", faults.lost_reply, faults.lost_reply)
    proxy.plan("cancel", faults.lost_reply)
    client = clients(proxy.url, http_client=own, max_retries=0)
    assert client.balance().usd == 12.5
    assert client.job("job-1").cancel().cancelled


@pytest.mark.parametrize("own", [READS_AGAIN], indirect=True)
def test_a_connection_that_was_never_made_is_tried_again(clients: Clients, own: Any) -> None:
    """Nothing was sent: that is no second time."""
    with pytest.raises(TransportError, match="Nothing was sent") as caught:
        clients("http://127.0.0.1:1", http_client=own, max_retries=0).submit("any/model", {})
    assert "second time" not in str(caught.value)


def within(reply: bytes) -> faults.Fault:
    """A reply that names the job and breaks off, or is not quite JSON."""

    def fault(wire: faults.Wire) -> None:
        wire.forward()
        wire.send(reply)
        wire.connection.shutdown(2)

    return fault


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "reply",
    [
        HEAD + b'Content-Length: 500\r\n\r\n{"request_id": "job-1", "status": "in_q',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n17\r\n{"request_id": "job-1",\r\n',
        HEAD + b'Content-Length: 25\r\n\r\n{"request_id": "job-1", }',
        HEAD + b'Content-Length: 35\r\n\r\n{"request_id":"job-1"}<!-- page -->',
        b'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 500\r\n\r\n{"request_id" : "job-1"}',
    ],
)
def test_an_id_in_a_reply_that_breaks_is_named(clients: Clients, proxy: FaultProxy, reply: bytes) -> None:
    proxy.plan("submit", within(reply))
    with pytest.raises(SubmissionUnknownError, match="The reply names the request id job-1") as caught:
        clients(proxy.url).submit("any/model", {})
    assert caught.value.request_id == "job-1"
    assert caught.value.status_code in (200, 502)


@pytest.mark.parametrize("body", [b'{"request_id": "job-', b'{"request_id": "../x"}<', b'{"other_request_id": "job-1"'])
def test_half_an_id_is_none(clients: Clients, proxy: FaultProxy, body: bytes) -> None:
    proxy.plan("submit", within(HEAD + b"Content-Length: 500\r\n\r\n" + body))
    with pytest.raises(SubmissionUnknownError) as caught:
        clients(proxy.url).submit("any/model", {})
    assert caught.value.request_id is None
