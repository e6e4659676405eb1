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
