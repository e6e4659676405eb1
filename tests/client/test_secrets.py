"""Where the token could come to light: what servers repeat, what tracebacks hold, what is written down."""

from __future__ import annotations

import asyncio
import json
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.client import AsyncClient
from runcomfy_client.errors import APIError, JobFailedError, RunComfyError, TransportError

from tests.support import fault_proxy as faults
from tests.support.fault_proxy import FaultProxy, Wire, answer
from tests.support.http_wire import Response, json_response
from tests.support.internals import Token
from tests.support.tiny_api import COMPLETED, QUEUED, TinyApi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.both import Clients

# The rules are the same for both async transports.
KINDS = ("sync", "async-plain", pytest.param("async", marks=pytest.mark.long))

TOKEN = "secret-token-4711"


def raw(text: bytes) -> faults.Fault:
    """Not HTTP, or not quite."""

    def fault(wire: Wire) -> None:
        wire.send(text)
        wire.connection.shutdown(2)

    return fault


def all_of(error: BaseException | None) -> list[str]:
    """What an error reporter sends: each exception of the chain, its attributes, and the variables of every frame."""
    shown = []
    while error is not None:
        shown += [repr(error), str(error), repr(vars(error)), *getattr(error, "__notes__", [])]
        shown += [repr(frame.f_locals) for frame, _ in traceback.walk_tb(error.__traceback__)]
        shown += [repr(getattr(each, "__dict__", "")) for each in error.args]
        error = error.__cause__ or error.__context__
    return shown


def without_this_file(error: BaseException) -> BaseException:
    """The frames of the tests have the token in plain sight."""
    link: BaseException | None = error
    while link is not None:
        list(traceback.walk_tb(link.__traceback__))
        trace = link.__traceback__
        for frame, _ in list(traceback.walk_tb(trace)):
            if "/tests/" not in frame.f_code.co_filename:
                break
            trace = trace.tb_next if trace is not None else None
        link.__traceback__ = trace
        link = link.__cause__ or link.__context__
    return error


BROKEN = {
    "not HTTP": raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "a bad header": raw(b"HTTP/1.1 200 OK\r\nbad header\x00\r\n\r\n"),
    "a bad length": raw(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}"),
    "a bad chunk": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
    "cut": faults.lost_reply,
    "cut in the body": faults.half_body,
    "encoded": answer(Response(200, b"x", {"Content-Encoding": "gzip"})),
    "silence": faults.silence,
}


@pytest.mark.parametrize("own", [False, True], ids=["", "own"])
@pytest.mark.parametrize("name", BROKEN)
def test_no_frame_and_no_exception_of_a_failure_holds_the_token(
    clients: Clients, proxy: FaultProxy, name: str, own: bool
) -> None:
    settings = {"http_client": clients.http_client()} if own else {}
    client = clients(proxy.url, max_retries=0, timeout=0.5, **settings)
    for operation, call in (("balance", client.balance), ("submit", lambda: client.submit("any/model", {}))):
        proxy.always(operation, BROKEN[name])  # aiohttp repeats a GET by itself
        with pytest.raises(RunComfyError) as caught:
            call()
        shown = all_of(without_this_file(caught.value))
        assert len(shown) > 10
        assert not [text[:300] for text in shown if TOKEN in text]


def test_nor_do_those_of_a_cancellation(proxy: FaultProxy) -> None:
    async def scene() -> BaseException:
        proxy.always("balance", faults.silence)
        async with AsyncClient(TOKEN, proxy.url) as client:
            task = asyncio.create_task(client.balance())
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            return caught.value

    error = asyncio.run(scene())
    assert not [text[:300] for text in all_of(without_this_file(error)) if TOKEN in text]


def test_an_error_of_a_users_transport_stays_the_cause(clients: Clients, proxy: FaultProxy) -> None:
    def hook(request: object) -> None:
        raise LookupError("in a hook")

    async def async_hook(request: object) -> None:
        hook(request)

    own = clients.http_client(event_hooks={"request": [async_hook if clients.is_async else hook]})
    with pytest.raises(TransportError, match="LookupError: in a hook") as caught:
        clients(proxy.url, http_client=own, max_retries=0).balance()
    assert caught.value.__cause__ is not None
    assert isinstance(caught.value.__cause__.__cause__, LookupError)


ECHOES = [TOKEN, f"Bearer {TOKEN}", f"a-{TOKEN}-b"]


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("key", ["error_code", "message", "error", "detail", "status"])
@pytest.mark.parametrize("status", [200, 401, 422])
def test_a_server_that_repeats_the_token(
    clients: Clients, proxy: FaultProxy, tmp_path: Path, key: str, echo: str, status: int
) -> None:
    body: dict[str, Any] = {key: echo if key != "detail" else [{"loc": ["header", echo], "msg": echo}]}
    client = clients(proxy.url, max_retries=0, journal=tmp_path / "jobs.sqlite")
    shown: list[str] = []
    calls: dict[str, Callable[[], object]] = {
        "submit": lambda: client.submit("any/model", {}),
        "status": lambda: client.job("job-1").status(),
        "result": lambda: client.job("job-1").result(),
    }
    for operation, call in calls.items():
        proxy.plan(operation, answer(json_response({**body, "error_code": body.get("error_code", "X")}, status)))
        with pytest.raises(RunComfyError) as caught:
            call()
        shown += [str(caught.value), repr(vars(caught.value)), repr(pickle.loads(pickle.dumps(caught.value)).args)]
    shown += [repr(client.journal.entries())]
    assert not [text for text in shown if TOKEN in text]
    assert TOKEN.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("jobs.sqlite*"))


def test_a_failed_job_that_repeats_the_token(clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path) -> None:
    api.statuses = [QUEUED | {"note": TOKEN}, COMPLETED]
    api.output = {}
    api.result = {"status": "failed", "error": {"message": f"no model for {TOKEN}", TOKEN: 1}, "extra": [TOKEN]}
    client = clients(proxy.url, journal=tmp_path / "jobs.sqlite")
    seen: list[Any] = []
    with pytest.raises(JobFailedError, match=r"\[token\]") as caught:
        client.submit("any/model", {}).wait(10, on_update=seen.append)
    error = caught.value
    shown = [str(error), repr(vars(error)), repr(seen), repr(client.journal.entries())]
    assert not [text for text in shown if TOKEN in text]


def test_a_paid_output_is_left_as_it_came(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    """Its addresses must work, whatever is in them."""
    api.output = {"images": [f"{proxy.url}/files/one.png?signed={TOKEN}"]}
    result = clients(proxy.url).submit("any/model", {}).wait(10)
    assert result.output.images == api.output["images"]
    assert result.raw["output"] == api.output


def test_a_token_is_found_in_the_spellings_of_servers() -> None:
    token = Token("rc/ab+cd=efgh")
    for text in (json.dumps("rc/ab+cd=efgh"), "rc\\/ab+cd=efgh", "rc%2Fab%2Bcd%3Defgh", "rc/ab\\u002bcd\\u003defgh"):
        assert "ab" not in token.redact(f"no: {text}!"), text


def test_a_short_token_is_looked_for_as_a_word() -> None:
    token = Token("any")
    for kept in ("many companies, and any/model", "no-any", "company", "any.thing"):
        assert token.redact(kept) == kept
    assert token.redact("Bearer any, 'any' and any.") == "Bearer [token], '[token]' and [token]."


def test_a_short_token_garbles_no_message(clients: Clients, proxy: FaultProxy) -> None:
    proxy.plan("submit", answer(json_response({"message": "company any has too many"}, 422)))
    with pytest.raises(APIError, match=r"^any/model was not started: .*: company \[token\] has too many"):
        clients(proxy.url, token="any").submit("any/model", {})
