"""Which replies to a submit are a job, a refusal, or unsure: the key of a job that may be paid for is never freed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.errors import APIError, InsufficientBalanceError, RateLimitError, SubmissionUnknownError

from tests.support.fault_proxy import answer
from tests.support.http_wire import Response, json_response

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import FaultProxy, Wire

KEY = {"job_key": "one"}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"request_id": "job-1", "error_code": "SUCCESS"}),
        (200, {"request_id": "job-1", "error_code": 400002}),
        (202, {"request_id": "job-1", "error_code": 500001, "error": "an unlucky replica"}),
        (201, {"request_id": 17}),
    ],
)
def test_a_success_with_an_id_is_a_job(
    clients: Clients, proxy: FaultProxy, tmp_path: Path, status: int, body: dict[str, object]
) -> None:
    proxy.plan("submit", answer(json_response(body, status), worked=True))
    client = clients(proxy.url, journal=tmp_path / "jobs.sqlite")
    for _ in range(2):
        assert client.submit("any/model", {}, KEY).request_id == str(body["request_id"])
    assert proxy.arrived["submit"] == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"error_code": 500001}),
        (200, {"error_code": "504000"}),
        (200, {"error_code": 504}),
        (200, {"error_code": 408000}),
        (200, {"error_code": "TRY_AGAIN"}),
        (200, {"error_code": 200000}),
        (400, {"error_code": 500001}),
        (429, {"error_code": 503000}),
        (409, {"request_id": "job-1", "message": "exists"}),
        (429, {"request_id": "job-1"}),
        (422, {"detail": {"request_id": "job-1"}}),
        (422, {"detail": {"request_id": 4711}}),
        (460, {}),
        (499, {}),
        (302, {}),
        (408, {}),
        (500, {}),
        (599, {}),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else str(value),
)
def test_a_reply_that_may_mean_a_job_is_unsure(
    clients: Clients, proxy: FaultProxy, tmp_path: Path, status: int, body: dict[str, Any]
) -> None:
    proxy.plan("submit", answer(json_response(body, status), worked=True))
    client = clients(proxy.url, journal=tmp_path / "jobs.sqlite")
    for turn in range(2):
        with pytest.raises(SubmissionUnknownError) as caught:
            client.submit("any/model", {}, KEY)
        if turn == 0:
            assert caught.value.status_code == status
            named = [each for each in ("job-1", "4711") if each in json.dumps(body)]
            assert caught.value.request_id == (named[0] if named else None)
    assert proxy.arrived["submit"] == 1
    (entry,) = client.journal.pending()
    assert (entry.state, entry.request_id) == ("unsure", None)


@pytest.mark.parametrize("head", [b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 099 Odd"])
def test_a_status_below_200_is_unsure(clients: Clients, proxy: FaultProxy, tmp_path: Path, head: bytes) -> None:
    def odd(wire: Wire) -> None:
        wire.forward()
        wire.send(head + b"\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")

    proxy.plan("submit", odd)
    client = clients(proxy.url, journal=tmp_path / "jobs.sqlite", timeout=1.0)
    for _ in range(2):
        with pytest.raises(SubmissionUnknownError):
            client.submit("any/model", {}, KEY)
    assert proxy.arrived["submit"] == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"error_code": 400002}, InsufficientBalanceError),
        (200, {"error_code": 429}, RateLimitError),
        (429, {"error_code": "SLOW_DOWN"}, RateLimitError),
        (409, {}, APIError),
    ],
)
def test_a_certain_refusal_frees_the_key(
    clients: Clients, proxy: FaultProxy, tmp_path: Path, status: int, body: dict[str, object], kind: type[APIError]
) -> None:
    proxy.plan("submit", answer(json_response(body, status, retry_after="0")))
    client = clients(proxy.url, journal=tmp_path / "jobs.sqlite")
    with pytest.raises(kind):
        client.submit("any/model", {}, KEY)
    assert client.submit("any/model", {}, KEY).request_id == "job-1"


def test_an_id_in_a_reply_that_is_not_json_is_named(clients: Clients, proxy: FaultProxy) -> None:
    proxy.plan("submit", answer(Response(502, b'<html>upstream sent {"request_id": "job-1"}', {}), worked=True))
    with pytest.raises(SubmissionUnknownError, match="names the request id job-1"):
        clients(proxy.url).submit("any/model", {})


TOKEN = "a-token-that-is-long-enough-4711"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error_code": TOKEN}),
        (400, {"error_code": f"bad {TOKEN}!", "message": TOKEN}),
        (200, {"error_code": TOKEN}),
        (500, {"error": {"message": TOKEN}}),
        (200, {"request_id": TOKEN}),
        (409, {"request_id": f"job-{TOKEN}"}),
    ],
)
def test_a_reply_that_repeats_the_token_brings_it_nowhere(
    clients: Clients,
    proxy: FaultProxy,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    status: int,
    body: dict[str, object],
) -> None:
    proxy.plan("submit", answer(json_response(body, status)))
    client = clients(proxy.url, token=TOKEN, journal=tmp_path / "jobs.sqlite")
    caplog.set_level("DEBUG")
    with pytest.raises(Exception, match="any/model") as caught:
        client.submit("any/model", {})
    error = caught.value
    assert TOKEN not in f"{error} {error!r} {vars(error)} {getattr(error, '__notes__', '')} {caplog.text}"
    assert TOKEN.encode() not in (tmp_path / "jobs.sqlite").read_bytes()


def test_a_job_that_fails_with_the_token_in_its_reason(
    clients: Clients, proxy: FaultProxy, api: Any, tmp_path: Path
) -> None:
    api.statuses = [{"status": "failed"}]
    api.result = {"status": "failed", "error": f"cannot use {TOKEN}", "output": None}
    client = clients(proxy.url, token=TOKEN, journal=tmp_path / "jobs.sqlite")
    with pytest.raises(Exception, match="failed"):
        client.submit("any/model", {}).wait(10)
    assert client.journal.find("job-1").note == "cannot use [token]"
