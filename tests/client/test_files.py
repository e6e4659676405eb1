"""A file of a result as a value: read, streamed and saved with the care of a download."""

from __future__ import annotations

import asyncio
import gc
import pickle
import time
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.client import AsyncClient
from runcomfy_client.errors import ConfigurationError, DownloadError
from runcomfy_client.results import File

from tests.support import fault_proxy as faults
from tests.support.fault_proxy import answer
from tests.support.http_wire import Response
from tests.support.tiny_api import COMPLETED, PNG

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import FaultProxy, Wire
    from tests.support.tiny_api import TinyApi

LARGE = PNG + bytes(range(256)) * 12_000


@pytest.fixture
def one(clients: Clients, proxy: FaultProxy, api: TinyApi) -> Any:
    """The only file of a finished job."""
    api.statuses, api.files = [COMPLETED], {"/large.png": LARGE}
    return clients(proxy.url, max_connections=1).submit("any/model", {}).wait(10).files[0]


def half(wire: Wire) -> None:
    whole = wire.forward().encoded()
    wire.send(whole[: len(whole) // 2])
    time.sleep(0.05)
    wire.reset()


def test_a_file_is_read_streamed_and_saved(one: Any, proxy: FaultProxy, tmp_path: Path) -> None:
    assert one.read() == LARGE
    pieces = list(one.stream())
    assert b"".join(pieces) == LARGE
    assert len(pieces) > 1
    seen: list[Any] = []
    path = tmp_path / "new" / "poster.png"
    assert one.save(path, on_progress=seen.append) == path
    assert path.read_bytes() == LARGE
    assert seen[-1].received == len(LARGE)
    assert [each.name for each in path.parent.iterdir()] == ["poster.png"]
    asked = [request for request in proxy.requests if request.operation == "file"]
    assert not any("authorization" in request.headers for request in asked)


def test_a_cut_is_made_good(one: Any, proxy: FaultProxy, tmp_path: Path) -> None:
    for fetch in (one.read, lambda: b"".join(one.stream()), lambda: one.save(tmp_path / "a.png").read_bytes()):
        proxy.plan("file", half)
        assert fetch() == LARGE


def test_a_stream_that_cannot_go_on_says_so(one: Any, proxy: FaultProxy) -> None:
    """What was given out cannot be taken back, so a server without ranges ends it."""

    def cut_without_version(wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE[:2_000_000])
        time.sleep(0.05)
        wire.reset()

    proxy.plan("file", cut_without_version)
    with pytest.raises(DownloadError, match=r"cut off after [\d,]+ bytes"):
        list(one.stream())
    proxy.plan("file", cut_without_version)
    assert one.read() == LARGE


@pytest.mark.parametrize("way", ["read", "stream", "save"])
def test_the_care_of_a_download_is_taken(one: Any, proxy: FaultProxy, tmp_path: Path, way: str) -> None:
    def fetch(**limits: Any) -> object:
        if way == "save":
            return one.save(tmp_path / "new.png", **limits)
        return one.read(**limits) if way == "read" else list(one.stream(**limits))

    with pytest.raises(DownloadError, match="larger than 1,000 bytes"):
        fetch(max_bytes=1000)
    proxy.plan("file", answer(faults.html(200)))
    with pytest.raises(DownloadError, match="text/html, not image"):
        fetch()
    proxy.plan("file", answer(Response(302, b"", {"Location": "https://evil.example/a.png"})))
    with pytest.raises(DownloadError, match=r"evil\.example is not a host"):
        fetch()
    proxy.plan("file", answer(Response(404)))
    with pytest.raises(DownloadError, match="expired"):
        fetch()
    with pytest.raises(ConfigurationError, match="argument timeout is '5'"):
        fetch(timeout="5")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_written_over_only_when_asked(one: Any, proxy: FaultProxy, tmp_path: Path) -> None:
    path = tmp_path / "poster.png"
    path.write_text("mine")
    with pytest.raises(DownloadError, match="is there already"):
        one.save(path)
    assert proxy.arrived["file"] == 0
    proxy.plan("file", answer(Response(404)))
    with pytest.raises(DownloadError, match="expired"):
        one.save(path, overwrite=True)
    assert path.read_text() == "mine"
    assert one.save(path, overwrite=True).read_bytes() == LARGE
    with pytest.raises(DownloadError, match="is a folder"):
        one.save(tmp_path)


def test_a_stream_that_is_left_gives_its_connection_back(one: Any, proxy: FaultProxy) -> None:
    """The client may have one connection only, so the next request would wait for ever."""
    for piece in one.stream():
        assert piece.startswith(PNG)
        break
    gc.collect()
    assert one.read(timeout=10) == LARGE


def test_an_async_stream_that_is_closed_gives_its_connection_back(proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses, api.files = [COMPLETED], {"/large.png": LARGE}

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url, max_connections=1) as client:
            (file,) = (await (await client.submit("any/model", {})).wait(10)).files
            pieces = file.stream()
            assert (await anext(pieces)).startswith(PNG)
            await pieces.aclose()
            assert await file.read(timeout=10) == LARGE

    asyncio.run(scene())


def test_a_file_without_a_client_says_where_to_get_one(one: Any) -> None:
    for lone in (File("https://files.runcomfy.net/a.png", "image"), pickle.loads(pickle.dumps(File("https://x/a")))):
        with pytest.raises(ConfigurationError, match="from a result's files"):
            lone.read()
    assert File("a", "image") == File("a", "image")
    assert repr(File("a", "image")) == "File(url='a', kind='image')"
