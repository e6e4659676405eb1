"""Every reply of the catalog, to a submit and to a poll, over every way to connect; docs/reliability.md has the table.

`pytest tests/client/test_fault_catalog.py --update` writes the table anew; look at the difference before you commit it.
What holds for every row, on every way: the POST arrives once; a job that was started is never called refused; nothing
takes longer than its time limit; and the same client works on, with replies that are its own.
"""

from __future__ import annotations

import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from runcomfy_client.errors import SubmissionUnknownError

from tests.support.both import Clients
from tests.support.connect_proxy import URL, ConnectProxy
from tests.support.fault_proxy import FaultProxy
from tests.support.faults_table import outcome, table
from tests.support.internals import without_fast_transport
from tests.support.raw_replies import RAW_REPLIES, RawReply
from tests.support.tiny_api import COMPLETED, TinyApi

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
CURE = "If that is meant: pytest tests/client/test_fault_catalog.py --update"
HEAD = ("what comes", "what `submit` does", "what a poll does")
LIMIT = 1.0
SLACK = 4.0  # for a busy computer
# Two implementations of HTTP: h11 in all but the fast transport. Over h11 every way must come to the same.
WAYS = ("async-plain", "own async", "tunnel sync", "tunnel async-plain", "own tunnel sync")


def row(way: str, folder: Path, raw: RawReply) -> tuple[str, str]:
    """What a submit and a poll make of the reply."""
    *settings, kind = way.split(" ")
    clients = Clients(kind)
    api = TinyApi(statuses=[COMPLETED])
    server = ConnectProxy(api, folder / f"{time.monotonic_ns()}.pem") if "tunnel" in settings else FaultProxy(api)
    try:
        with server:
            api.url = URL if "tunnel" in settings else server.url
            own = own_client(clients, server, settings)
            client = clients(api.url, timeout=LIMIT, max_retries=0, **own)
            return submitted(client, server, api, raw), polled(client, server, raw)
    finally:
        clients.close()


def own_client(clients: Clients, server: FaultProxy, settings: list[str]) -> dict[str, Any]:
    import ssl

    extra: dict[str, Any] = {}
    if isinstance(server, ConnectProxy):
        extra = {"proxy": server.url, "verify": ssl.create_default_context(cafile=str(server.certificates))}
    elif "own" not in settings:
        return {}
    return {"http_client": clients.http_client(**extra)}


def submitted(client: Any, server: FaultProxy, api: TinyApi, raw: RawReply) -> str:
    server.plan("submit", raw.send)
    begun = time.monotonic()
    name, value = outcome(lambda: client.submit("any/model", {}))
    assert time.monotonic() - begun < 2 * LIMIT + SLACK, raw.name
    assert server.arrived["submit"] == len(api.submits) == 1, raw.name
    if name:
        assert isinstance(value, SubmissionUnknownError), f"{raw.name}: a job was started, and {name} denies it"
    else:
        assert value.request_id == "job-1", raw.name
    time.sleep(0.1)  # for what comes after the reply
    assert client.submit("any/model", {}).request_id == "job-2", f"{raw.name}: the next submit has a reply not its own"
    assert client.balance().usd == 12.5
    found = f" names {value.request_id}" if name and value.request_id else ""
    return f"`{name}`{found}" if name else f"job {value.request_id}"


def polled(client: Any, server: FaultProxy, raw: RawReply) -> str:
    server.plan("status", raw.send)
    begun = time.monotonic()
    name, value = outcome(lambda: client.job("job-1").wait(4 * LIMIT))
    assert time.monotonic() - begun < 4 * LIMIT + SLACK, raw.name
    if name:
        assert value.request_id == "job-1"
    return f"`{name}`" if name else "goes on"


def cell(ours: str, fast: str) -> str:
    return ours if ours == fast else f"{ours}; with `fast` {fast}"


def rows(way: str, folder: Path) -> list[tuple[str, str]]:
    with ThreadPoolExecutor(8) as pool:  # most of it is waiting
        tried = [pool.submit(partial(row, way, folder, raw)) for raw in RAW_REPLIES]
    failures = [f"{type(failure).__name__}: {failure!s:.300}" for each in tried if (failure := each.exception())]
    assert not failures, "\n".join(failures)
    return [each.result() for each in tried]


@pytest.fixture(scope="module")
def over_h11(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    return rows("sync", tmp_path_factory.mktemp("sync"))


def test_the_table_is_what_happens(request: pytest.FixtureRequest, tmp_path: Path, over_h11: Any) -> None:
    fast = rows("async", tmp_path)
    cells = [
        (raw.name, cell(ours[0], theirs[0]), cell(ours[1], theirs[1]))
        for raw, ours, theirs in zip(RAW_REPLIES, over_h11, fast, strict=True)
    ]
    text = table(HEAD, cells)
    document = DOCUMENT.read_text(encoding="utf-8")
    block = re.compile(r"(<!-- replies -->\n).*?(\n<!-- end -->)", re.DOTALL)
    assert block.search(document), f"{DOCUMENT} has no place for the table"
    wanted = block.sub(lambda match: match[1] + text + match[2], document)
    if request.config.getoption("--update", default=False):
        DOCUMENT.write_text(wanted, encoding="utf-8")
    else:
        assert document == wanted, CURE


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_every_way_comes_to_the_same(
    way: str, tmp_path: Path, over_h11: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    if way.endswith("async-plain"):
        without_fast_transport(monkeypatch)
    differing = {
        raw.name: (expected, found)
        for raw, expected, found in zip(RAW_REPLIES, over_h11, rows(way, tmp_path), strict=True)
        if expected != found
    }
    assert not differing


ODD_BYTES = (b"\r\n", b"\n", b"0", b":", b"\0", b'"', b"}", b"HTTP/1.1 200 OK\r\n\r\n")


def mutated(raw: RawReply, chance: random.Random) -> RawReply:
    """The reply with some bytes changed, cut, doubled or moved."""
    parts: list[bytes | float] = []
    for part in raw.parts:
        if isinstance(part, float):
            parts.append(min(part, 0.05))
            continue
        data = bytearray(part)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data) + 1)
            match chance.randrange(4):
                case 0:
                    data[at : at + 1] = bytes([chance.randrange(256)])
                case 1:
                    del data[at : at + chance.randint(1, 20)]
                case 2:
                    data[at:at] = data[: chance.randint(1, 60)]
                case _:
                    data[at:at] = chance.choice(
                        (b"\r\n", b"\n", b"0", b":", b"\0", b'"', b"}", b"HTTP/1.1 200 OK\r\n\r\n")
                    )
        parts.append(bytes(data))
    return RawReply(raw.name, tuple(parts), chance.choice((True, False)))


def fuzzed(kind: str, seed: int) -> None:
    chance = random.Random(seed)
    raw = mutated(chance.choice(RAW_REPLIES), chance)
    clients, api = Clients(kind), TinyApi(statuses=[COMPLETED])
    try:
        with FaultProxy(api) as server:
            api.url = server.url
            client = clients(api.url, timeout=LIMIT, max_retries=0)
            server.plan("submit", raw.send)
            begun = time.monotonic()
            outcome(lambda: client.submit("any/model", {}))  # any error but one of ours comes through
            assert time.monotonic() - begun < 2 * LIMIT + SLACK, seed
            assert server.arrived["submit"] == 1, seed
            time.sleep(0.05)
            assert client.submit("any/model", {}).request_id == "job-2", seed
    finally:
        clients.close()


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("rounds", [20, pytest.param(1500, marks=pytest.mark.long)])
def test_no_changed_reply_is_worse(kind: str, rounds: int) -> None:
    first = random.randrange(10**9)
    with ThreadPoolExecutor(8) as pool:
        tried = {seed: pool.submit(fuzzed, kind, seed) for seed in range(first, first + rounds)}
    failures = {seed: repr(failure) for seed, each in tried.items() if (failure := each.exception())}
    assert not failures
