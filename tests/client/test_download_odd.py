"""Downloads off the beaten track: equal names, odd addresses, records that cannot be written."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from runcomfy_client.api import download
from runcomfy_client.errors import DownloadError

from tests.support.fault_proxy import answer
from tests.support.http_wire import Response, json_response
from tests.support.tiny_api import COMPLETED, PNG

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import Fault, FaultProxy, Wire
    from tests.support.tiny_api import TinyApi


def finished(clients: Clients, proxy: FaultProxy, api: TinyApi, **settings: Any) -> Any:
    api.statuses = [COMPLETED]
    return clients(proxy.url, **settings).submit("any/model", {"prompt": "x"}).wait(10)


def test_overwriting_is_for_what_was_there_before(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    """Two files of one result under a name without a number are two files, each of them paid for."""
    contents = [PNG, PNG + b"2", PNG + b"3"]
    api.files = dict(zip(("/a/out.png", "/b/out.png", "/c/out.png"), contents, strict=True))
    result = finished(clients, proxy, api)
    for _ in range(2):
        paths = result.download(tmp_path, name="out{suffix}", overwrite=True)
        assert [path.read_bytes() for path in paths] == contents
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out-2.png", "out-3.png", "out.png"]


def test_an_address_is_asked_for_as_it_was_given(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    """An address may be signed, and is void when a character of it is written in another way."""
    address = "/a%2fb/%C3%A9 one.png?X-Credential=key%2F2026%2Fs3&sig=a%2Bb%3D+c&empty=".replace(" ", "%20")
    api.files = {address.partition("?")[0]: PNG}
    api.output = {"image": f"{proxy.url}{address}"}
    finished(clients, proxy, api).download(tmp_path)
    assert [request.path for request in proxy.requests if request.operation == "file"] == [address]


@pytest.mark.parametrize("bad", ["https://[bad", "https://", "https:///one.png"])
def test_an_address_that_is_none_is_an_error_of_its_file_alone(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, bad: str
) -> None:
    api.output = {"images": [bad, f"{proxy.url}/files/one.png"]}
    with pytest.raises(DownloadError, match="names no host") as caught:
        finished(clients, proxy, api).download(tmp_path)
    assert caught.value.url == bad
    assert (tmp_path / "job-1-2.png").read_bytes() == PNG


def test_a_redirect_to_no_address_is_an_error_of_its_file_alone(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    proxy.plan("file", answer(Response(302, b"", {"Location": "https://[bad"})))
    with pytest.raises(DownloadError, match="not an address"):
        finished(clients, proxy, api).download(tmp_path)


def test_a_folder_at_home(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (path,) = finished(clients, proxy, api).download("~/out")
    assert path == tmp_path / "out" / "job-1-1.png"


def test_one_host_need_not_be_in_a_list(clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path) -> None:
    """The letters of a name are no hosts."""
    api.output = {"image": "https://files.example.com/one.png"}
    result = finished(clients, proxy, api, max_retries=0)
    with pytest.raises(DownloadError, match="not a host of RunComfy's"):
        result.download(tmp_path, hosts="m")
    with pytest.raises(DownloadError) as caught:
        result.download(tmp_path, hosts="example.com", timeout=5)
    assert "not a host" not in str(caught.value)


def test_a_record_that_cannot_be_written_costs_no_file(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(part: object, target: Path, *, overwrite: bool) -> bool:
        if target.suffix == ".json":
            raise OSError(28, "No space left on device")
        return bool(move_to(part, target, overwrite=overwrite))

    move_to: Any = download.Part.move_to
    monkeypatch.setattr(download.Part, "move_to", full)
    with pytest.raises(DownloadError, match="No space left") as caught:
        finished(clients, proxy, api).download(tmp_path, sidecar=True)
    assert caught.value.saved == (tmp_path / "job-1-1.png",)
    assert caught.value.not_saved == ()
    assert [path.name for path in tmp_path.iterdir()] == ["job-1-1.png"]


def test_a_record_is_never_written_over_another_file(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    mine = tmp_path / "job-1.json"
    mine.write_text('{"notes": "mine"}')
    result = finished(clients, proxy, api)
    for _ in range(2):
        result.download(tmp_path, sidecar=True, overwrite=True)
        assert mine.read_text() == '{"notes": "mine"}'
        assert sorted(path.name for path in tmp_path.iterdir()) == ["job-1-1.png", "job-1-2.json", "job-1.json"]
        assert json.loads((tmp_path / "job-1-2.json").read_text())["request_id"] == "job-1"


@pytest.mark.parametrize(
    ("request_id", "name"), [("Job_1-x.2", r"Job_1-x\.2"), ("y" * 256, r"y{120}-\w{8}"), ("a*b:c", r"a_b_c-\w{8}")]
)
def test_a_record_has_a_name_that_file_systems_take(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, request_id: str, name: str
) -> None:
    proxy.plan("submit", answer(json_response({"request_id": request_id}), worked=True))
    finished(clients, proxy, api).download(tmp_path, sidecar=True)
    assert [path.name for path in tmp_path.glob("*.json") if re.fullmatch(rf"{name}\.json", path.name)]


KILLED = """
import sys
from runcomfy_client.client import SyncClient
with SyncClient("secret", sys.argv[1], max_retries=0) as client:
    client.job("job-1").result().download(sys.argv[2], on_progress=lambda progress: print("some", flush=True))
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_the_part_of_a_killed_download_is_removed_and_one_in_use_is_not(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    content = PNG + bytes(3_000_000)
    api.files = {"/large.png": content}
    go_on = threading.Event()

    def slow(wire: Wire) -> None:
        whole = wire.forward().encoded()
        with contextlib.suppress(OSError):
            wire.send(whole[:2_000_000])
            go_on.wait(20)
            wire.send(whole[2_000_000:])

    result = finished(clients, proxy, api)
    proxy.plan("file", slow)
    process = subprocess.Popen([sys.executable, "-c", KILLED, proxy.url, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    parts = list(tmp_path.glob(".runcomfy-*.part"))
    assert len(parts) == 1
    result.download(tmp_path, name="other-{request_id}{suffix}")
    assert parts[0].exists()  # somebody is writing it
    process.kill()
    process.wait()
    process.stdout.close()
    go_on.set()
    assert [path.read_bytes() == content for path in result.download(tmp_path)] == [True]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job-1-1.png", "other-job-1.png"]


def without_length(content: bytes) -> Fault:
    def fault(wire: Wire) -> None:
        wire.forward()
        wire.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + content)
        wire.connection.shutdown(2)

    return fault


def picture(form: str) -> bytes:
    made = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(made, form)
    return made.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_half_a_file_without_a_length_is_not_a_whole_one(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, form: str
) -> None:
    content = picture(form)
    result = finished(clients, proxy, api, max_retries=1)
    proxy.plan("file", without_length(content[: len(content) // 2]), without_length(content))
    assert result.download(tmp_path)[0].read_bytes() == content
    proxy.plan("file", without_length(content[: len(content) // 2]), without_length(content))
    assert result.files[0].read() == content
    proxy.always("file", without_length(content[: len(content) // 2]))
    with pytest.raises(DownloadError, match="cut off"):
        result.download(tmp_path, overwrite=True)


def test_a_part_of_another_version_is_not_joined_on(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    """A server that ignores If-Range answers 206 with the rest of what is there now."""
    old, new = PNG + b"old" * 50_000, PNG + b"new" * 50_000
    api.files = {"/large.png": old}

    def cut(wire: Wire) -> None:
        whole = wire.forward().encoded()
        wire.send(whole[: len(whole) // 2])
        api.files["/large.png"] = new
        time.sleep(0.05)
        wire.reset()

    def rest_of_the_new(wire: Wire) -> None:
        start = int(wire.request.headers["range"].removeprefix("bytes=").rstrip("-"))
        where = f"bytes {start}-{len(new) - 1}/{len(new)}"
        wire.send(Response(206, new[start:], {"ETag": '"another"', "Content-Range": where}).encoded())

    proxy.plan("file", cut, rest_of_the_new)
    (path,) = finished(clients, proxy, api).download(tmp_path)
    assert path.read_bytes() == new
