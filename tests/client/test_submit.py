"""The submit rule over real sockets: one POST, and a true word about what became of it."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import httpx
import pytest
from runcomfy_client.api import submit
from runcomfy_client.api.payload import prepare_submit
from runcomfy_client.errors import (
    APIError,
    AuthenticationError,
    ConfigurationError,
    InsufficientBalanceError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RejectedInputError,
    SubmissionUnknownError,
    TransportError,
    UnknownModelError,
)
from runcomfy_client.prepare import prepare_input
from runcomfy_client.schema import Object
from runcomfy_client.transport.requests import failure_of

from tests.support.fault_proxy import FaultProxy, answer, closed_before_reply, forward_to, reset_after_reply, silence
from tests.support.http_wire import Response, json_response
from tests.support.internals import set_constant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.both import Clients
    from tests.support.tiny_api import TinyApi

MODEL = "any/model"


def test_what_is_sent_is_what_was_given(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    given = {"prompt": "ünïcode", "seed": 1, "mask": None}
    job = clients(proxy.url).submit(MODEL, given, {"extra_input": {"new": [1.5]}})
    assert job.request_id == "job-1"
    assert api.submits == [{**given, "new": [1.5]}]
    (sent,) = proxy.requests
    assert (sent.method, sent.path) == ("POST", "/v1/models/any/model")
    assert sent.headers["authorization"] == "Bearer secret-token-4711"
    assert sent.headers["content-type"] == "application/json"


class Once(list[object]):
    """A list that can be gone through a single time."""

    def __iter__(self) -> Iterator[object]:
        yield from [self.pop() for _ in range(len(self))]


def test_a_prepared_input_is_not_prepared_again(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    prepared = prepare_input(None, {"seeds": Once([1])}, name=MODEL)
    clients(proxy.url).submit(MODEL, prepared)
    assert api.submits == [{"seeds": [1]}]


def test_an_input_that_was_prepared_with_errors_is_not_sent(clients: Clients, proxy: FaultProxy) -> None:
    prepared = prepare_input(Object({}), {"seed": 1}, name=MODEL)
    with pytest.raises(InvalidInputError) as caught:
        clients(proxy.url).submit(MODEL, prepared)
    assert [each.code for each in caught.value.report.errors] == ["unknown_key"]
    assert not proxy.requests


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"error_code": 400001, "message": "no such model"}, NotFoundError, 400001),
        (400, {"error_code": 400002, "message": "no balance"}, InsufficientBalanceError, 400002),
        (400, {"error_code": 400004, "error_message": "bad token"}, AuthenticationError, 400004),
        (403, {"error_code": 403001}, PermissionDeniedError, 403001),
        (400, {"detail": [{"loc": ["body", "seed"], "msg": "too large"}]}, RejectedInputError, None),
        (200, {"error_code": 400002, "error": "no balance"}, InsufficientBalanceError, 400002),
        (200, {"error_code": "400004", "error": "bad token"}, AuthenticationError, 400004),
        (200, {"error_code": 429001, "error": "slow down"}, RateLimitError, 429001),
    ],
)
def test_a_refusal_is_certain_and_of_its_kind(
    clients: Clients, proxy: FaultProxy, status: int, body: dict[str, object], kind: type[APIError], code: int | None
) -> None:
    proxy.plan("submit", answer(json_response(body, status)))
    with pytest.raises(APIError) as caught:
        clients(proxy.url).submit(MODEL, {})
    assert type(caught.value) is kind
    assert (caught.value.status_code, caught.value.error_code) == (status, code)
    assert "was not started" in str(caught.value)
    assert proxy.arrived["submit"] == 1


def test_a_refusal_says_what_the_server_says(clients: Clients, proxy: FaultProxy) -> None:
    proxy.plan("submit", answer(json_response({"detail": [{"loc": ["body", "seed"], "msg": "too large"}]}, 422)))
    with pytest.raises(RejectedInputError, match="body/seed: too large"):
        clients(proxy.url).submit(MODEL, {})


@pytest.mark.parametrize("request_id", ["", "..", "a/b", "x" * 300, "a b", None, {"id": 1}, True])
def test_an_id_that_is_none_makes_the_submit_unsure(clients: Clients, proxy: FaultProxy, request_id: object) -> None:
    proxy.plan("submit", answer(json_response({"request_id": request_id}), worked=True))
    with pytest.raises(SubmissionUnknownError):
        clients(proxy.url).submit(MODEL, {})


def test_the_id_in_a_server_error_is_not_lost(clients: Clients, proxy: FaultProxy) -> None:
    proxy.plan("submit", answer(json_response({"request_id": "job-9"}, 500)))
    with pytest.raises(SubmissionUnknownError, match="job-9") as caught:
        clients(proxy.url).submit(MODEL, {})
    assert caught.value.request_id == "job-9"


def test_nothing_is_sent_to_a_closed_port_though_tried_again(clients: Clients) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        seen: list[str] = []
        hooks = {"retry": [lambda event: seen.append(event.reason)]}
        client = clients(f"http://127.0.0.1:{closed.getsockname()[1]}", max_retries=2, event_hooks=hooks)
        with pytest.raises(TransportError, match="Nothing was sent"):
            client.submit(MODEL, {})
    assert len(seen) == 2


def test_a_server_that_comes_up_meanwhile_gets_the_job_once(clients: Clients, api: TinyApi) -> None:
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        with FaultProxy(api) as proxy:
            url = f"http://127.0.0.1:{reserved.getsockname()[1]}"

            def open_up(event: object) -> None:
                if proxy.port:
                    reserved.listen(1)
                    threading.Thread(target=_relay, args=(reserved, proxy.port), daemon=True).start()
                    proxy.port = 0

            job = clients(url, event_hooks={"retry": [open_up]}).submit(MODEL, {})
            assert job.request_id == "job-1"
            assert proxy.arrived["submit"] == 1


def _relay(listener: socket.socket, port: int) -> None:
    """Carry one connection over to the proxy."""
    near, _ = listener.accept()
    with near, socket.create_connection(("127.0.0.1", port)) as far:
        pump = threading.Thread(target=_pump, args=(far, near), daemon=True)
        pump.start()
        _pump(near, far)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_a_connection_the_server_gave_up_while_idle_costs_nothing(clients: Clients, proxy: FaultProxy) -> None:
    """Servers close idle connections; a submit that met that would be unsure for no good reason."""
    client = clients(proxy.url)
    proxy.plan("submit", reset_after_reply, reset_after_reply)
    for number in (1, 2, 3):
        assert client.submit(MODEL, {}).request_id == f"job-{number}"
        time.sleep(0.15)
    assert proxy.arrived["submit"] == 3


def test_a_submit_trusts_no_connection_that_stood_idle(
    clients: Clients, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the server is just closing it cannot be seen in time, so a submit takes a fresh one, and polls do not."""
    set_constant(monkeypatch, "IDLE_BEFORE_SUBMIT", 0.2)
    client = clients(proxy.url)
    for _ in range(3):
        client.submit(MODEL, {})
    assert proxy.connections == 1
    time.sleep(0.4)
    client.submit(MODEL, {})
    assert proxy.connections == 2
    for _ in range(3):
        client.balance()
        time.sleep(0.3)
    assert proxy.connections == 3


def test_a_transport_that_calls_it_a_connect_error_though_it_read_the_body(clients: Clients, proxy: FaultProxy) -> None:
    """Some transports name every broken connection so; what was read of the body tells the truth."""
    sent = 0

    class Sync(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal sent
            sent += 1
            request.read()
            raise httpx.ConnectTimeout("so it says")

    class Async(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal sent
            sent += 1
            await request.aread()
            raise httpx.ConnectTimeout("so it says")

    own = clients.http_client(transport=Async() if clients.is_async else Sync())
    with pytest.raises(SubmissionUnknownError, match="so it says"):
        clients(proxy.url, http_client=own).submit(MODEL, {})
    assert sent == 1


class Refused(aiohttp.ClientConnectorError):
    """As aiohttp raises it, without the connection it is about."""

    def __init__(self) -> None:
        Exception.__init__(self, "refused")

    def __str__(self) -> str:
        return "refused"


@pytest.mark.parametrize(
    ("cause", "nothing_sent"),
    [
        (aiohttp.ServerDisconnectedError(), False),
        (aiohttp.ClientOSError(104, "reset"), False),
        (aiohttp.ServerTimeoutError(), False),
        (aiohttp.ConnectionTimeoutError(), True),
        (Refused(), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_aiohttp_says_counts_and_not_what_it_is_turned_into(cause: Exception, nothing_sent: bool) -> None:
    error = httpx.ConnectTimeout("all of them become this or a ConnectError")
    error.__cause__ = cause
    assert failure_of(error).nothing_sent is nothing_sent


def test_the_time_limit_of_a_submit_is_one_over_all(clients: Clients, proxy: FaultProxy) -> None:
    proxy.plan("submit", silence)
    client = clients(proxy.url)
    begun = time.monotonic()
    with pytest.raises(SubmissionUnknownError):
        client.submit(MODEL, {}, {"timeout": 0.3})
    assert time.monotonic() - begun < 4


def test_a_submit_waits_out_a_rate_limit_another_job_met(clients: Clients, proxy: FaultProxy) -> None:
    client = clients(proxy.url)
    proxy.plan("submit", answer(json_response({}, 429, retry_after="0.4")))
    with pytest.raises(RateLimitError) as caught:
        client.submit(MODEL, {})
    assert caught.value.retry_after == 0.4
    assert caught.value.retryable
    begun = time.monotonic()
    client.submit(MODEL, {})
    assert time.monotonic() - begun > 0.25
    assert proxy.arrived["submit"] == 2


def test_redirects_are_not_followed_with_the_users_own_client(
    clients: Clients, proxy: FaultProxy, api: TinyApi
) -> None:
    with FaultProxy(api) as elsewhere:
        moved = Response(307, b"", {"Location": elsewhere.url + "/v1/models/any/model"})
        proxy.plan("submit", answer(moved))
        client = clients(proxy.url, http_client=clients.http_client(follow_redirects=True))
        with pytest.raises(SubmissionUnknownError, match="307"):
            client.submit(MODEL, {})
        assert not elsewhere.requests
    assert proxy.arrived["submit"] == 1


def test_a_hook_of_the_users_client_that_raises_leaves_the_submit_unsure(clients: Clients, proxy: FaultProxy) -> None:
    if clients.is_async:

        async def hook(response: object) -> None:
            raise RuntimeError("hook")

    else:

        def hook(response: object) -> None:  # type: ignore[misc]  # the sync twin
            raise RuntimeError("hook")

    client = clients(proxy.url, http_client=clients.http_client(event_hooks={"response": [hook]}))
    with pytest.raises(SubmissionUnknownError, match="RuntimeError: hook"):
        client.submit(MODEL, {})
    assert proxy.arrived["submit"] == 1


def test_nothing_is_sent_for_what_is_wrong_here(clients: Clients, proxy: FaultProxy) -> None:
    client = clients(proxy.url)
    for model_id in ("", "a//b", "a/../b", "a b/c", "/a"):
        with pytest.raises(UnknownModelError):
            client.submit(model_id, {})
    for wrong in ({"scale": 2}, {"scale": None}, {"promt": None}):
        with pytest.raises(InvalidInputError):
            client.submit("bytedance/dreamina-4-0/text-to-image", {"prompt": "x", **wrong})
    with pytest.raises(InvalidInputError):
        client.submit(MODEL, {"when": object()})
    with pytest.raises(ConfigurationError, match="job_kye"):
        client.submit(MODEL, {}, {"job_kye": "x"})
    with pytest.raises(ConfigurationError, match="journal"):
        client.submit(MODEL, {}, {"job_key": "x"})
    with pytest.raises(ConfigurationError, match="prompt"):
        client.submit(MODEL, {"prompt": 1}, {"extra_input": {"prompt": 2}})
    with pytest.raises(AuthenticationError, match="RUNCOMFY_API_TOKEN"):
        clients(proxy.url, token=None).submit(MODEL, {})
    assert not proxy.requests


def test_validation_can_be_left_out(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    client = clients(proxy.url, validate=False)
    client.submit("bytedance/dreamina-4-0/text-to-image", {"prompt": "x", "scale": 2})
    assert api.submits == [{"prompt": "x", "scale": 2}]


def test_the_proxy_stands_before_a_real_server_too(clients: Clients, api: TinyApi) -> None:
    """The test tool itself: what it forwards over a socket is what it answers directly."""
    with FaultProxy(api) as far, FaultProxy(forward_to(far.url)) as near:
        assert clients(near.url).submit(MODEL, {"a": 1}).request_id == "job-1"
        assert (near.arrived["submit"], far.arrived["submit"]) == (1, 1)


def test_time_that_was_up_before_anything_was_sent_is_no_riddle(
    clients: Clients, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*args: object) -> object:
        time.sleep(0.1)
        return prepare_submit(*args)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(submit, "prepare_submit", slowly)
    with pytest.raises(TransportError, match="Nothing was sent"):
        clients(proxy.url).submit(MODEL, {}, {"timeout": 0.05})
    assert not proxy.requests


@pytest.mark.parametrize("body", [None, [], "text", 3, True, dict])
def test_an_input_that_is_no_object_is_an_invalid_input(clients: Clients, proxy: FaultProxy, body: object) -> None:
    with pytest.raises(InvalidInputError) as caught:
        clients(proxy.url).submit(MODEL, body)
    (finding,) = caught.value.report.errors
    assert (finding.path, finding.code) == ("", "type")
    assert "expected an object" in finding.message
    assert not proxy.requests


def test_what_json_cannot_carry_in_extra_input_is_named_by_its_place(clients: Clients, proxy: FaultProxy) -> None:
    with pytest.raises(InvalidInputError) as caught:
        clients(proxy.url).submit(MODEL, {}, {"extra_input": {"lora": Path("x"), "more": [{"data": b"1"}]}})
    assert [finding.path for finding in caught.value.report.errors] == ["/lora", "/more/0/data"]
    assert not proxy.requests


def test_a_misspelt_model_that_the_api_does_not_know_is_answered_with_the_nearest(
    clients: Clients, proxy: FaultProxy
) -> None:
    proxy.always("submit", answer(json_response({"error_code": 404001, "message": "no such model"}, 404)))
    client = clients(proxy.url)
    with pytest.raises(NotFoundError, match=r"no such model\. Did you mean 'bytedance/dreamina-4-0/text-to-image'"):
        client.submit("bytedance/dreamina-4-0/text-to-imag", {})
    for known in ("bytedance/dreamina-4-0/text-to-image", "xyzzy/quux/plugh"):
        with pytest.raises(NotFoundError) as caught:
            client.submit(known, {"prompt": "x"})
        assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("request_id", [3, None, "x" * 5000, "", "a/b"])
def test_what_is_no_request_id_is_refused_in_few_words(clients: Clients, request_id: object) -> None:
    with pytest.raises(ConfigurationError, match="is not a request id") as caught:
        clients("http://127.0.0.1:1").job(request_id)
    assert len(str(caught.value)) < 200


def test_where_nothing_listens_the_error_says_what_to_look_at(clients: Clients) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    client = clients(f"http://127.0.0.1:{port}", max_retries=0)
    for call in (lambda: client.submit(MODEL, {}), client.balance, lambda: client.job("job-1").status()):
        with pytest.raises(TransportError) as caught:
            call()
        cure = f"Check that the simulator, or another server, is running at http://127.0.0.1:{port}; RUNCOMFY_BASE_URL"
        assert cure in str(caught.value)


def test_a_reply_that_was_lost_asks_for_no_server(clients: Clients, proxy: FaultProxy) -> None:
    proxy.always("balance", closed_before_reply)
    with pytest.raises(TransportError) as caught:
        clients(proxy.url, max_retries=0).balance()
    assert not caught.value.cure
