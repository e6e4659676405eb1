"""The download rule: only from where results lie, without the token, whole files under safe names."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.api.download import Folder, Part, place
from runcomfy_client.api.file_names import JobFacts, NameTemplate, clean_id, facts_of, suffix_of
from runcomfy_client.errors import ConfigurationError, DownloadError

from tests.support import fault_proxy as faults
from tests.support.fault_proxy import FaultProxy, answer
from tests.support.http_wire import Response, json_response
from tests.support.internals import JobRef
from tests.support.tiny_api import COMPLETED, PNG, TinyApi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import Wire

# The rules are the same for both async transports.
KINDS = ("sync", "async-plain", pytest.param("async", marks=pytest.mark.long))


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
    assert [path.name for path in paths] == ["job-1-1.png", "job-1-2.png", "job-1-3.png", "job-1-4.png"]
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


def fetched(proxy: FaultProxy) -> int:
    return sum(request.operation == "file" for request in proxy.requests)


def test_what_is_there_and_whole_is_not_fetched_again(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    api.files = {f"/{name}": PNG + name.encode() for name in "abc"}
    paths = finished(clients, proxy, api).download(tmp_path)
    assert fetched(proxy) == 3
    paths[1].unlink()
    paths[2].write_bytes(b"")
    again = clients(proxy.url).job("job-1").result()
    assert again.download(tmp_path) == paths
    assert fetched(proxy) == 5
    assert [path.read_bytes()[-1:] for path in paths] == [b"a", b"b", b"c"]
    assert rest(tmp_path) == ["job-1-1.png", "job-1-2.png", "job-1-3.png"]
    again.download(tmp_path, overwrite=True)
    assert fetched(proxy) == 8
    assert len(rest(tmp_path)) == 3


def test_jobs_in_one_folder_are_distinguished_by_name(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    client = clients(proxy.url)
    api.statuses = [COMPLETED]
    for _ in range(3):
        client.submit("any/model", {}).wait(10).download(tmp_path)
    assert rest(tmp_path) == ["job-1-1.png", "job-2-1.png", "job-3-1.png"]


def test_another_file_of_the_same_name_is_never_written_over(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    (tmp_path / "poster.png").write_text("mine")
    result = finished(clients, proxy, api)
    assert [path.name for path in result.download(tmp_path, name="poster{suffix}")] == ["poster-2.png"]
    assert (tmp_path / "poster.png").read_text() == "mine"
    # The same content is the same file, also where the name does not tell.
    assert [path.name for path in result.download(tmp_path, name="poster{suffix}")] == ["poster-2.png"]
    assert result.download(tmp_path, name="poster{suffix}", overwrite=True)[0].name == "poster.png"
    assert (tmp_path / "poster.png").read_bytes() == PNG
    assert rest(tmp_path) == ["poster-2.png", "poster.png"]


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{request_id}-{index:03}{suffix}", ["job-1-001.png", "job-1-002.png"]),
        ("{date} {model}{suffix}", ["2026-11-05 any-model.png", "2026-11-05 any-model-2.png"]),
        ("{job_key}_{index}{suffix}", ["scene_12_1.png", "scene_12_2.png"]),
        ("fixed.png", ["fixed.png", "fixed-2.png"]),
        ("con{suffix}", ["_con.png", "con-2.png"]),
    ],
)
def test_names_come_from_a_template(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, template: str, names: list[str]
) -> None:
    api.files = {"/a": PNG + b"a", "/b": PNG + b"b"}
    api.statuses, api.result = [COMPLETED], {"status": "succeeded", "created_at": "2026-11-06T00:30:00+02:00"}
    client = clients(proxy.url, journal=tmp_path / "jobs.sqlite")
    job = client.submit("any/model", {}, {"job_key": "scene 12"})
    assert [path.name for path in job.wait(10).download(tmp_path / "out", name=template)] == names
    again = client.job(job.request_id).result()
    assert [path.name for path in again.download(tmp_path / "out", name=template)] == names
    assert rest(tmp_path / "out") == sorted(names)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "{prompt}{suffix}"}, r"made of the fields .*\{request_id\}.* and not \{prompt\}"),
        ({"name": "{request_id"}, "argument name"),
        ({"name": "{}"}, "argument name"),
        ({"name": "{index.real}"}, "argument name"),
        ({"name": "{index:d}{suffix:d}"}, "argument name"),
        ({"name": "../{index}{suffix}"}, "without folders"),
        ({"name": "a\\{index}{suffix}"}, "without folders"),
        ({"name": "."}, "something in it"),
        ({"name": ""}, "something in it"),
        ({"name": 5}, "argument name is 5"),
        ({"max_bytes": 0}, "argument max_bytes is 0; it must be a number of bytes"),
        ({"max_bytes": "1"}, "argument max_bytes"),
        ({"hosts": 5}, "argument hosts is 5"),
        ({"timeout": "5"}, "argument timeout is '5'"),
        ({"on_progress": "print"}, "argument on_progress"),
        ({"folder": 5}, "argument folder is 5; it must be a path"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_fetched(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        finished(clients, proxy, api).download(**{"folder": tmp_path / "out", **arguments})
    assert fetched(proxy) == 0
    assert not (tmp_path / "out").exists()


def test_a_record_beside_the_files(clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path) -> None:
    finished(clients, proxy, api).download(tmp_path, sidecar=True)
    assert json.loads((tmp_path / "job-1.json").read_text()) == {
        "model_id": "any/model",
        "request_id": "job-1",
        "input": {"prompt": "x"},
        "cost": 0.04,
        "files": [{"name": "job-1-1.png", "kind": "image", "url": f"{proxy.url}/files/one.png"}],
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


@pytest.mark.parametrize("has_length", [True, False], ids=["told at once", "found on the way"])
def test_the_size_is_capped(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, has_length: bool
) -> None:
    api.files = {"/large.png": PNG + b"x" * 100_000}
    if not has_length:

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
    assert time.monotonic() - begun < 4
    assert rest(tmp_path) == []


def test_one_bad_file_does_not_cost_the_others(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    gone = f"{proxy.url}/gone.png"
    api.output = {"images": [gone, f"{proxy.url}/files/one.png"]}
    result = finished(clients, proxy, api)
    with pytest.raises(DownloadError, match=r"gone\.png") as caught:
        result.download(tmp_path)
    saved = tmp_path / "job-1-2.png"
    assert (caught.value.saved, caught.value.not_saved) == ((saved,), (gone,))
    notes = "".join(caught.value.__notes__)
    assert f"Saved: {saved}" in notes
    assert f"Not saved: {gone}" in notes
    assert rest(tmp_path) == ["job-1-2.png"]
    api.files["/gone.png"] = PNG
    before = fetched(proxy)
    assert [path.name for path in result.download(tmp_path)] == ["job-1-1.png", "job-1-2.png"]
    assert fetched(proxy) == before + 1


def test_a_folder_that_cannot_be_written_is_reported(
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
    (tmp_path / "poster.png").write_text("mine")
    result = finished(clients, proxy, api)
    names = [result.download(tmp_path, name="poster{suffix}")[0].name, result.download(tmp_path)[0].name]
    assert names == ["poster-2.png", "job-1-1.png"]
    assert rest(tmp_path) == ["job-1-1.png", "poster-2.png", "poster.png"]


def test_without_hard_links_names_are_reserved(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many files that all want one name at the same moment: none is written over by another."""

    def no_links(source: object, target: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    contents = [PNG + bytes([number]) for number in range(12)]

    def put(content: bytes) -> None:
        part = Part(tmp_path)
        part.handle.write(content)
        folder = Folder(
            path=tmp_path,
            template=NameTemplate("same{suffix}"),
            facts=JobFacts(request_id="r", model="m", job_key="k", date="d"),
            overwrite=False,
            sidecar=False,
        )
        together.wait(5)
        place(part, "same.png", folder)
        part.discard()

    together = threading.Barrier(12)
    threads = [threading.Thread(target=put, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == contents


@pytest.mark.parametrize(
    ("mime", "url", "disposition", "suffix"),
    [
        ("image/png", "https://x/a/b.mp4?sig=1", "", ".png"),
        ("image/png", "https://x/a.png", 'attachment; filename="../../evil.sh"', ".png"),
        ("image/jpeg", "https://x/.hidden", "", ".jpg"),
        ("application/octet-stream", "https://x/voice.PCM", "", ".pcm"),
        ("application/octet-stream", "https://x/mesh.glb?sig=a.exe", "", ".glb"),
        ("application/octet-stream", "https://x/a.exe", "", ".bin"),
        ("application/octet-stream", "https://x/a.sh", 'attachment; filename="a.lnk"', ".bin"),
        ("application/octet-stream", "https://x/a", "attachment; filename*=UTF-8''na%C3%AFve.wav", ".wav"),
        ("text/html", "https://x/a.html", "", ".bin"),
        ("text/plain", "https://x/a.srt", "", ".srt"),
        ("text/plain", "https://x/a.bat", "", ".txt"),
        ("application/x-elf", "https://x/a", "", ".bin"),
        ("application/octet-stream", "https://x/a.svg", "", ".bin"),
    ],
)
def test_a_suffix_is_that_of_the_content_and_never_a_programs(
    mime: str, url: str, disposition: str, suffix: str
) -> None:
    assert suffix_of(mime, url, disposition) == suffix


@pytest.mark.parametrize(
    "text", ["x" * 5000, "../" * 50, "a\n\r\tb", "\u202egnp.exe", "~", "-rf", "aux", "日本", ".", ""]
)
def test_names_are_never_long_or_outside(text: str, tmp_path: Path) -> None:
    job = JobRef(text, model_id=text, job_key=text)
    for template in ("{request_id}-{index}{suffix}", "{job_key}{suffix}", "{model}{index}{suffix}", "{model}" * 4):
        name = NameTemplate(template).name(facts_of(job, text, {}), 2, ".png")
        assert len(name) <= 200
        assert (tmp_path / name).resolve().parent == tmp_path.resolve()
        assert name.isascii()
        assert not name.startswith((".", "-", "~"))
        assert not name.lower().startswith("aux.")


def test_ids_that_file_systems_refuse_still_have_names_of_their_own() -> None:
    names = {clean_id(text) for text in ("a*b", "a_b", "a?b", "a b", "日本", "本日", "y" * 300, "y" * 301)}
    assert len(names) == 8
    assert clean_id("Job_1-x.2") == "Job_1-x.2"
