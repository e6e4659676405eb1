"""The download rule: only from where results lie, without the token, whole files under safe names."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.api.file_names import safe_name
from runcomfy_client.errors import DownloadError

from tests.support import fault_proxy as faults
from tests.support.fault_proxy import FaultProxy, answer
from tests.support.http_wire import Response, json_response
from tests.support.tiny_api import COMPLETED, PNG, TinyApi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import Wire


def finished(clients: Clients, proxy: FaultProxy, api: TinyApi, **settings: Any) -> Any:
    api.statuses = [COMPLETED]
    return clients(proxy.url, **settings).submit("any/model", {"prompt": "x"}).wait(10)


def rest(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_files_come_whole_with_names_of_their_content(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    api.files = {"/a/one.png": PNG, "/b/one.png": PNG, "/c/no-name": PNG, "/d/wrong.mp4": PNG}
    result = finished(clients, proxy, api)
    seen: list[Any] = []
    paths = result.download(tmp_path / "new" / "out", on_progress=seen.append)
    assert sorted(path.name for path in paths) == ["no-name.png", "one-2.png", "one.png", "wrong.png"]
    assert [path.read_bytes() for path in paths] == [PNG] * 4
    assert {progress.file for progress in seen} == set(result.files)
    assert all(progress.received == progress.total == len(PNG) for progress in seen)
    assert len(rest(tmp_path / "new" / "out")) == 4


def test_the_token_stays_at_home(clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path) -> None:
    own = clients.http_client(headers={"Authorization": "Bearer secret-token-4711"}, auth=("user", "password"))
    finished(clients, proxy, api, http_client=own).download(tmp_path)
    finished(clients, proxy, api).download(tmp_path)
    asked = [request for request in proxy.requests if request.operation == "file"]
    assert len(asked) == 2
    assert not any("authorization" in request.headers for request in asked)


def test_nothing_is_overwritten_unless_told(clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path) -> None:
    (tmp_path / "one.png").write_text("mine")
    result = finished(clients, proxy, api)
    assert [path.name for path in result.download(tmp_path)] == ["one-2.png"]
    assert (tmp_path / "one.png").read_text() == "mine"
    assert [path.name for path in result.download(tmp_path, overwrite=True)] == ["one.png"]
    assert (tmp_path / "one.png").read_bytes() == PNG
    assert rest(tmp_path) == ["one-2.png", "one.png"]


def test_a_record_beside_the_files(clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path) -> None:
    finished(clients, proxy, api).download(tmp_path, sidecar=True)
    assert json.loads((tmp_path / "job-1.json").read_text()) == {
        "model_id": "any/model",
        "request_id": "job-1",
        "input": {"prompt": "x"},
        "cost": 0.04,
        "files": [{"name": "one.png", "kind": "image", "url": f"{proxy.url}/files/one.png"}],
    }


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://files.runcomfy.net/a.png", "not https"),
        ("https://runcomfy.net.evil.example/a.png", "not a host of RunComfy's"),
        ("https://evilruncomfy.net/a.png", "not a host of RunComfy's"),
        ("https://files.runcomfy.net@evil.example/a.png", "evil.example is not a host"),
        ("http://169.254.169.254/latest", "not https"),
    ],
)
def test_only_runcomfys_hosts_by_https(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, url: str, why: str
) -> None:
    api.output = {"images": [url]}
    with pytest.raises(DownloadError, match=why) as caught:
        finished(clients, proxy, api).download(tmp_path)
    assert (caught.value.request_id, caught.value.url) == ("job-1", url)
    assert rest(tmp_path) == []


def test_no_redirect_leads_elsewhere(clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path) -> None:
    away = answer(Response(302, b"", {"Location": "https://evil.example/a.png"}))
    own = clients.http_client(follow_redirects=True)
    for settings in ({}, {"http_client": own}):
        proxy.plan("file", away)
        with pytest.raises(DownloadError, match=r"evil\.example is not a host"):
            finished(clients, proxy, api, **settings).download(tmp_path)
    proxy.plan("file", answer(Response(302, b"", {"Location": "/files/one.png?signed=1"})))
    assert [path.read_bytes() for path in finished(clients, proxy, api).download(tmp_path)] == [PNG]
    proxy.always("file", answer(Response(302, b"", {"Location": "/files/one.png"})))
    with pytest.raises(DownloadError, match="redirects"):
        finished(clients, proxy, api).download(tmp_path)


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (faults.html(200), "text/html, not image"),
        (json_response({"error": "gone"}), "text/plain, not image"),
        (Response(200, b""), "empty"),
        (Response(404), "expired"),
        (Response(403), "expired"),
        (Response(204), "HTTP 204"),
    ],
)
def test_what_is_no_file_is_refused(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, response: Response, why: str
) -> None:
    proxy.always("file", answer(response))
    with pytest.raises(DownloadError, match=why):
        finished(clients, proxy, api).download(tmp_path)
    assert rest(tmp_path) == []


@pytest.mark.parametrize("told", [True, False], ids=["told at once", "found on the way"])
def test_the_size_is_capped(clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, told: bool) -> None:
    api.files = {"/large.png": PNG + b"x" * 100_000}
    if not told:

        def untold(wire: Wire) -> None:
            wire.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + wire.forward().content)
            wire.connection.shutdown(2)

        proxy.always("file", untold)
    with pytest.raises(DownloadError, match="larger than 50,000 bytes"):
        finished(clients, proxy, api).download(tmp_path, max_bytes=50_000)
    assert rest(tmp_path) == []


def half(wire: Wire) -> None:
    whole = wire.forward().encoded()
    wire.send(whole[: len(whole) // 2])
    time.sleep(0.05)
    wire.reset()


def test_a_cut_file_is_resumed_where_it_stopped(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    content = PNG + bytes(range(256)) * 12_000
    api.files = {"/large.png": content}
    proxy.plan("file", half, half)
    (path,) = finished(clients, proxy, api).download(tmp_path)
    assert path.read_bytes() == content
    ranges = [request.headers.get("range") for request in proxy.requests if request.operation == "file"]
    assert ranges[0] is None
    assert len(ranges) == 3
    assert all(asked is not None for asked in ranges[1:])


def test_a_file_that_changed_meanwhile_starts_anew(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    new = PNG + b"new" * 50_000
    api.files = {"/large.png": PNG + b"old" * 50_000}

    def cut_then_changed(wire: Wire) -> None:
        half(wire)
        api.files["/large.png"] = new

    proxy.plan("file", cut_then_changed)
    (path,) = finished(clients, proxy, api).download(tmp_path)
    assert path.read_bytes() == new


@pytest.mark.parametrize(
    "fault",
    [faults.reset_before_reply, answer(faults.html(503)), answer(Response(429, b"", {"Retry-After": "0"}))],
    ids=["reset", "503", "429"],
)
def test_a_passing_fault_is_tried_again(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, fault: faults.Fault
) -> None:
    proxy.plan("file", fault)
    assert len(finished(clients, proxy, api).download(tmp_path)) == 1


def test_faults_that_do_not_pass_end_it_and_leave_nothing(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    proxy.always("file", half)
    with pytest.raises(DownloadError, match="after"):
        finished(clients, proxy, api, max_retries=2).download(tmp_path)
    # aiohttp repeats a GET by itself when a connection that was kept breaks; a POST it never repeats.
    assert proxy.arrived["file"] in (3, 6)
    assert rest(tmp_path) == []


def test_one_deadline_over_a_dripping_file(clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path) -> None:
    proxy.always("file", faults.drip(0.05))
    begun = time.monotonic()
    with pytest.raises(DownloadError, match="time"):
        finished(clients, proxy, api).download(tmp_path, timeout=0.5)
    assert time.monotonic() - begun < 2
    assert rest(tmp_path) == []


def test_one_bad_file_does_not_cost_the_others(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    api.output = {"images": [f"{proxy.url}/gone.png", f"{proxy.url}/files/one.png"]}
    with pytest.raises(DownloadError, match=r"gone\.png") as caught:
        finished(clients, proxy, api).download(tmp_path)
    assert "one.png" in "".join(caught.value.__notes__)
    assert rest(tmp_path) == ["one.png"]


def test_a_folder_that_cannot_be_written_is_told(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DownloadError, match="cannot be made"):
        finished(clients, proxy, api).download(tmp_path / "file" / "out")


def test_async_downloads_run_side_by_side(proxy: FaultProxy, api: TinyApi, tmp_path: Path) -> None:
    from runcomfy_client.client import AsyncClient

    together = threading.Barrier(3)
    api.files = {f"/{name}.png": PNG for name in "abc"}

    def at_once(wire: Wire) -> None:
        together.wait(5)
        wire.send(wire.forward().encoded())

    proxy.always("file", at_once)

    async def scene() -> None:
        async with AsyncClient("secret", proxy.url) as client:
            api.statuses = [COMPLETED]
            result = await (await client.submit("any/model", {})).wait(10)
            assert len(await result.download(tmp_path)) == 3

    asyncio.run(scene())


def test_a_file_system_without_hard_links_will_do(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: object, target: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    result = finished(clients, proxy, api)
    assert [result.download(tmp_path)[0].name, result.download(tmp_path)[0].name] == ["one.png", "one-2.png"]
    assert rest(tmp_path) == ["one-2.png", "one.png"]


@pytest.mark.parametrize(
    ("url", "disposition", "mime", "name"),
    [
        ("https://x/a/b.png?sig=1", "", "image/png", "b.png"),
        ("https://x/a/..%2f..%2fetc%2fpasswd", "", "image/png", "passwd.png"),
        ("https://x/..", "", "image/png", "image_1.png"),
        ("https://x/", "", "", "image_1"),
        ("https://x/a.png", 'attachment; filename="../../evil.sh"', "image/png", "evil.png"),
        ("https://x/a.png", 'attachment; filename="C:\\\\Windows\\\\evil.exe"', "image/png", "evil.png"),
        ("https://x/a.png", "attachment; filename*=UTF-8''na%C3%AFve.png", "image/png", "na_ve.png"),
        ("https://x/a.png", 'attachment; filename=""', "image/png", "a.png"),
        ("https://x/con.png", "", "image/png", "image_1_con.png"),
        ("https://x/a%00b.png", "", "image/png", "a_b.png"),
        ("https://x/.hidden", "", "image/jpeg", "hidden.jpg"),
        ("https://x/photo.jpeg", "", "image/jpeg", "photo.jpeg"),
        ("https://x/photo.jpg", "", "application/octet-stream", "photo.jpg"),
        ("https://x/v1.2/model", "", "video/mp4", "model.mp4"),
    ],
)
def test_names_are_plain(url: str, disposition: str, mime: str, name: str) -> None:
    assert safe_name(url, disposition, mime, fallback="image_1") == name


def test_names_are_never_long_or_outside(tmp_path: Path) -> None:
    for text in ("x" * 5000 + ".png", "%2e%2e%2f" * 50, "a\n\r\tb", "\u202egnp.exe", "~", "-rf", "a" * 300):
        name = safe_name(f"https://x/{text}", "", "image/png", fallback="f")
        assert len(name) <= 120
        assert (tmp_path / name).resolve().parent == tmp_path.resolve()
        assert name.isascii()
        assert not name.startswith((".", "-", "~"))
