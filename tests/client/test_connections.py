"""Connection manners: whose client, which loop, how many at once, what is told, and what stays secret."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from runcomfy_client.client import AsyncClient, SyncClient
from runcomfy_client.errors import ConfigurationError, RunComfyError, TransportError
from runcomfy_client.transport import blocking
from runcomfy_client.transport.blocking import Watched

from tests.support import fault_proxy as faults
from tests.support.fault_proxy import FaultProxy, answer
from tests.support.http_wire import json_response
from tests.support.internals import Timeouts, without_fast_transport
from tests.support.tiny_api import COMPLETED, TinyApi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import Wire
    from tests.support.http_wire import Request, Response

TOKEN = "secret-token-4711"


def test_a_client_of_ones_own_is_used_and_left_open(clients: Clients, proxy: FaultProxy) -> None:
    own = clients.http_client(headers={"X-Mine": "1"}, cookies={"c": "1"}, params={"p": "1"})
    client = clients(proxy.url, http_client=own)
    client.submit("any/model", {}).wait(10)
    client.close()
    assert not own.is_closed
    for request in proxy.requests:
        assert request.headers["x-mine"] == "1"
        assert request.headers["cookie"] == "c=1"
        assert "p=1" in request.path
        assert request.headers["authorization"] == f"Bearer {TOKEN}"


def test_the_wrong_kind_of_client_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="AsyncRunComfy"):
        SyncClient(TOKEN, http_client=httpx.AsyncClient())  # type: ignore[arg-type]  # the fault
    with httpx.Client() as own, pytest.raises(ConfigurationError, match="goes to RunComfy"):
        AsyncClient(TOKEN, http_client=own)  # type: ignore[arg-type]  # the fault


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "fast"])
def test_one_async_client_serves_several_loops(proxy: FaultProxy, plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if plain:
        without_fast_transport(monkeypatch)
    client = AsyncClient(TOKEN, proxy.url)

    async def scene() -> str:
        return str((await (await client.submit("any/model", {})).wait(10)).request_id)

    assert [asyncio.run(scene()) for _ in range(3)] == ["job-1", "job-2", "job-3"]
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: asyncio.run(scene()), range(4)))) == 4
    gc.collect()  # what was left open would be told of now, and warnings are errors here


def test_a_users_async_client_belongs_to_one_loop(proxy: FaultProxy) -> None:
    own = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0))  # so that no loop leaves one behind
    client = AsyncClient(TOKEN, proxy.url, http_client=own)

    async def scene() -> None:
        await client.balance()

    asyncio.run(scene())
    with pytest.raises(ConfigurationError, match="another event loop"):
        asyncio.run(scene())


def test_a_closed_client_opens_again(clients: Clients, proxy: FaultProxy) -> None:
    client = clients(proxy.url)
    client.balance()
    client.close()
    assert client.balance().usd == 12.5


def slow(proxy: FaultProxy, seconds: float) -> list[int]:
    """Make every poll slow; the list tells how many were under way at most."""
    lock, now, most = threading.Lock(), [0], [0]

    def fault(wire: Wire) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(seconds)
        with lock:
            now[0] -= 1
        wire.send(wire.forward().encoded())

    proxy.always("status", fault)
    return most


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "fast"])
def test_many_async_jobs_wait_their_turn(
    proxy: FaultProxy, api: TinyApi, plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if plain:
        without_fast_transport(monkeypatch)
    api.statuses = [COMPLETED]
    most = slow(proxy, 0.04)

    async def scene() -> set[str]:
        # A job waits longer for its turn than a request may take.
        async with AsyncClient(TOKEN, proxy.url, max_connections=4, timeout=Timeouts(total=2)) as client:

            async def one() -> str:
                return (await (await client.submit("any/model", {})).wait(30)).request_id

            return set(await asyncio.gather(*(one() for _ in range(250))))

    assert len(asyncio.run(scene())) == 250
    assert proxy.arrived["submit"] == 250
    assert most[0] <= 4
    assert proxy.connections < 25  # kept alive, not made anew


def test_many_threads_share_a_client(proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses = [COMPLETED]
    most = slow(proxy, 0.005)
    with SyncClient(TOKEN, proxy.url, max_connections=8) as client, ThreadPoolExecutor(100) as pool:
        ends = set(pool.map(lambda _: client.submit("any/model", {}).wait(30).request_id, range(200)))
    assert len(ends) == 200
    assert proxy.arrived["submit"] == 200
    assert most[0] <= 8
    assert proxy.connections < 40


def test_hooks_hear_of_every_request_and_never_of_the_token(clients: Clients, proxy: FaultProxy) -> None:
    events: list[Any] = []
    hooks = {kind: [events.append] for kind in ("request", "response", "retry")}
    client = clients(proxy.url, event_hooks=hooks)
    proxy.plan("balance", answer(faults.html(503)))
    client.balance()
    assert [(event.kind, event.status) for event in events] == [
        ("request", None),
        ("response", 503),
        ("retry", None),
        ("request", None),
        ("response", 200),
    ]
    assert events[2].pause > 0
    assert events[4].seconds > 0
    assert TOKEN not in repr(events)


def test_a_hook_that_fails_costs_nothing(clients: Clients, proxy: FaultProxy, caplog: pytest.LogCaptureFixture) -> None:
    def hook(event: object) -> None:
        raise RuntimeError("in a hook")

    assert clients(proxy.url, event_hooks={"response": [hook]}).submit("any/model", {}).request_id == "job-1"
    assert "in a hook" in caplog.text
    with pytest.raises(ConfigurationError, match="no event 'responze'"):
        clients(proxy.url, event_hooks={"responze": [hook]})


def test_the_token_is_nowhere_to_be_read(clients: Clients, proxy: FaultProxy, caplog: pytest.LogCaptureFixture) -> None:
    """Not in a repr, a log, or an error, even if the server says it back."""
    caplog.set_level(logging.DEBUG)
    client = clients(proxy.url, max_retries=0)
    texts = [repr(client), repr(client.catalog), repr(client._session.config.token), str(client._session)]
    echo = json_response({"message": f"the token {TOKEN} is bad", "error_code": 400004}, 401)
    for fault in (answer(echo), faults.reset_before_reply, answer(faults.html(500)), faults.half_body):
        for operation, call in (
            ("submit", lambda: client.submit("any/model", {})),
            ("balance", client.balance),
            ("cancel", client.job("job-1").cancel),
        ):
            proxy.always(operation, fault)
            with pytest.raises(RunComfyError) as caught:
                call()
            proxy.never(operation)
            texts += traceback.format_exception(caught.value)
            texts.append(repr(vars(caught.value)))
    job = client.submit("any/model", {})
    texts += [repr(job), repr(job.wait(10)), caplog.text]
    assert "[token]" in "".join(texts)
    assert TOKEN not in "".join(texts)


def test_the_token_goes_to_the_api_only(clients: Clients, api: TinyApi) -> None:
    """A reply names other places; none of them is asked."""
    with FaultProxy(api) as elsewhere:

        def tempting(request: Request) -> Response:
            response = api(request)
            links = f'"status_url": "{elsewhere.url}/v1/requests/x/status", "cancel_url": "{elsewhere.url}/c", '
            return type(response)(response.status, response.content.replace(b"{", b"{" + links.encode(), 1), {})

        with FaultProxy(tempting) as proxy:
            job = clients(proxy.url).submit("any/model", {})
            job.wait(10)
            job.cancel()
        assert not elsewhere.requests


def test_a_forked_child_makes_connections_of_its_own(proxy: FaultProxy) -> None:
    script = """
import os, sys
from runcomfy_client.client import SyncClient
client = SyncClient("secret", sys.argv[1])
client.submit("any/model", {})
child = os.fork()
assert client.submit("any/model", {}).request_id.startswith("job-")
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    subprocess.run([sys.executable, "-c", script, proxy.url], check=True, timeout=30)
    assert proxy.arrived["submit"] == 3
    assert proxy.connections == 2  # the parent goes on with its own


@pytest.mark.parametrize("own", [False, True], ids=["", "own"])
def test_a_child_forked_while_every_slot_is_in_use_has_its_own(proxy: FaultProxy, own: bool) -> None:
    script = """
import os, sys, threading, time, httpx
from runcomfy_client.client import SyncClient
own = httpx.Client() if sys.argv[2] == "own" else None
client = SyncClient("secret", sys.argv[1], max_connections=2, http_client=own)
job = client.job("job-1")
threads = [threading.Thread(target=job.status) for _ in range(2)]
for thread in threads:
    thread.start()
time.sleep(0.5)
child = os.fork()
assert client.submit("any/model", {}).request_id.startswith("job-")
if not child:
    os._exit(0)
for thread in threads:
    thread.join()
assert os.waitpid(child, 0)[1] == 0
assert client.submit("any/model", {}).request_id.startswith("job-")
"""
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")

    def slowly(wire: Wire) -> None:
        time.sleep(1.5)
        wire.send(wire.forward().encoded())

    proxy.always("status", slowly)
    subprocess.run([sys.executable, "-c", script, proxy.url, "own" if own else ""], check=True, timeout=20)
    assert proxy.arrived["submit"] == 3
    assert proxy.arrived["status"] == 2


def test_a_fork_in_the_middle_of_a_request_frees_no_slot_twice(proxy: FaultProxy) -> None:
    """The child goes on with a reply that its parent has opened: neither slot nor connection is the child's to keep."""
    script = """
import os, sys
from runcomfy_client.client import SyncClient
from runcomfy_client.transport.sync_driver import Exchange
from runcomfy_client.transport.steps import Request
client = SyncClient("secret", sys.argv[1], max_connections=1)
exchange = Exchange(client._driver._connections, client._session.config,
                    Request(method="GET", url=sys.argv[1] + "/prod/v2/balance", authorised=True))
child = os.fork()
if not child:
    exchange.close()
    assert client.balance().usd == 12.5
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
exchange.read_all()
exchange.close()
assert client.balance().usd == 12.5
"""
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    subprocess.run([sys.executable, "-c", script, proxy.url], check=True, timeout=20)


def test_nothing_heavy_is_loaded_before_the_first_request() -> None:
    script = """
import sys
from runcomfy_client.client import SyncClient
client = SyncClient("secret", "http://127.0.0.1:1", max_retries=0)
heavy = {"httpx", "httpcore", "ssl", "asyncio", "pydantic", "aiohttp", "certifi", "PIL", "sqlite3"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_traceback_with_its_variables_does_not_show_the_token(clients: Clients, proxy: FaultProxy) -> None:
    """Error reporters send them elsewhere. What other libraries keep in their own frames is theirs."""
    proxy.plan("submit", faults.lost_reply)
    client = clients(proxy.url)
    with pytest.raises(RunComfyError) as caught:
        client.submit("any/model", {})
    error: BaseException | None = caught.value
    shown = []
    while error is not None:
        frames = traceback.walk_tb(error.__traceback__)
        shown += [repr(frame.f_locals) for frame, _ in frames if "runcomfy_client" in frame.f_code.co_filename]
        error = error.__cause__
    assert any("Authorization" in text for text in shown)
    assert not any(TOKEN in text for text in shown)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_does_not_end_its_parents_requests() -> None:
    """The child has a copy of the parent's deadlines, and of the connections; cutting them would cut the parent's."""
    ours, theirs = socket.socketpair()

    class Ours:
        def get_extra_info(self, info: str) -> object:
            return ours

    watched = Watched(Ours())
    blocking.WATCHDOG.watch(watched, 0.3)
    child = os.fork()
    if child == 0:
        blocking.WATCHDOG.watch(Watched(None), 0.1)
        time.sleep(0.6)
        os._exit(0)
    blocking.WATCHDOG.finish(watched)
    os.waitpid(child, 0)
    ours.sendall(b"still open")
    assert theirs.recv(10) == b"still open"
    ours.close()
    theirs.close()


def test_a_failure_names_host_and_port(clients: Clients, proxy: FaultProxy) -> None:
    proxy.always("balance", faults.closed_before_reply)
    with pytest.raises(TransportError, match=rf"127\.0\.0\.1:{proxy.port}\)"):
        clients(proxy.url, max_retries=0).balance()
    proxy.always("balance", faults.silence)
    with pytest.raises(TransportError, match=rf"(?i)time.*127\.0\.0\.1:{proxy.port}"):
        clients(proxy.url, max_retries=0, timeout=0.3).balance()
    with pytest.raises(TransportError, match=r"127\.0\.0\.1:1\)\. Nothing was sent"):
        clients("http://127.0.0.1:1", max_retries=0).submit("any/model", {})


def test_a_close_that_fails_costs_no_reply(
    clients: Clients, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id was read; what becomes of the connection after that does not matter."""

    def broken(*_: object) -> None:
        raise httpx.ReadError("while closing")

    async def async_broken(*_: object) -> None:
        broken()

    client = clients(proxy.url)
    monkeypatch.setattr(httpx.Response, "close", broken)
    monkeypatch.setattr(httpx.Response, "aclose", async_broken)
    assert client.submit("any/model", {}).request_id == "job-1"


def test_what_comes_late_on_an_idle_connection_is_no_reply(clients: Clients, proxy: FaultProxy) -> None:
    """The next submit would take it for its own, and its job would be lost."""

    def twice(wire: Wire) -> None:
        whole = wire.forward().encoded()
        wire.send(whole)
        time.sleep(0.1)
        wire.send(whole)

    own = clients.http_client()
    for settings in ({}, {"http_client": own}):
        proxy.plan("submit", twice)
        client = clients(proxy.url, **settings)
        first = client.submit("any/model", {}).request_id
        time.sleep(0.3)
        assert client.submit("any/model", {}).request_id != first


@pytest.mark.parametrize("kind", ["request", "response", "retry"])
def test_a_hook_may_stand_without_a_list(clients: Clients, proxy: FaultProxy, tmp_path: Path, kind: str) -> None:
    events: list[Any] = []
    client = clients(proxy.url, event_hooks={kind: events.append}, journal=tmp_path / "jobs.sqlite")
    assert client.submit("any/model", {}, {"job_key": "k"}).request_id == "job-1"
    assert [event.kind for event in events] == ([kind] if kind != "retry" else [])
    assert [entry.state for entry in client.journal.pending()] == ["submitted"]


async def async_hook(event: object) -> None:
    """Nobody would await this."""


@pytest.mark.parametrize(
    "hooks", [print, [print], {"request": 3}, {"request": None}, {"request": [print, "print"]}, {"retry": [async_hook]}]
)
def test_what_is_no_hook_is_refused_before_anything_is_sent(clients: Clients, hooks: object) -> None:
    with pytest.raises(ConfigurationError, match=r"event_hooks.* must be "):
        clients("http://127.0.0.1:1", event_hooks=hooks)


def test_a_log_handler_that_fails_costs_nothing(clients: Clients, proxy: FaultProxy) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno == logging.DEBUG:
                raise RuntimeError("in a handler")

    log, handler = logging.getLogger("runcomfy"), Broken()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        assert clients(proxy.url).submit("any/model", {}).request_id == "job-1"
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def test_a_closed_client_submits_nothing(clients: Clients, proxy: FaultProxy, tmp_path: Path) -> None:
    client = clients(proxy.url, journal=tmp_path / "jobs.sqlite")
    job = client.submit("any/model", {})
    client.close()
    with pytest.raises(ConfigurationError, match=r"is closed\. Nothing was sent"):
        client.submit("any/model", {})
    assert proxy.arrived["submit"] == 1
    assert job.wait(10).files  # what is paid for can be read


def test_a_with_block_opens_and_closes_a_client(proxy: FaultProxy) -> None:
    client = SyncClient(TOKEN, proxy.url)
    for _ in range(2):
        with client:
            client.submit("any/model", {})
        with pytest.raises(ConfigurationError, match="is closed"):
            client.submit("any/model", {})
    several_loops = AsyncClient(TOKEN, proxy.url)

    async def scene() -> None:
        async with several_loops:
            await several_loops.submit("any/model", {})
        with pytest.raises(ConfigurationError, match="is closed"):
            await several_loops.submit("any/model", {})

    asyncio.run(scene())
    asyncio.run(scene())
    assert proxy.arrived["submit"] == 4
