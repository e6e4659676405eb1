"""Results kept on disk: written whole, found again without a client, with small pictures of them."""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from runcomfy_client.errors import ConfigurationError, DownloadError
from runcomfy_client.result_store import AsyncResultStore, ResultStore

from tests.support.both import Blocking, Clients
from tests.support.fault_proxy import answer
from tests.support.http_wire import Response
from tests.support.tiny_api import COMPLETED, PNG

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fault_proxy import FaultProxy
    from tests.support.tiny_api import TinyApi

KINDS = ("sync", "async")


def store_of(clients: Clients, folder: Path) -> Any:
    return Blocking(AsyncResultStore(folder), clients.runner) if clients.is_async else ResultStore(folder)


def finished(clients: Clients, proxy: FaultProxy, api: TinyApi, **settings: Any) -> Any:
    api.statuses = [COMPLETED]
    client = clients(proxy.url, **settings)
    options = {"job_key": "scene-12"} if "journal" in settings else {}
    return client.submit("any/model", {"prompt": "x"}, options).wait(10)


def picture(form: str, size: tuple[int, int], mode: str = "RGB") -> bytes:
    made = io.BytesIO()
    Image.new(mode, size, "teal").save(made, form)
    return made.getvalue()


def test_a_result_is_kept_and_found(clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path) -> None:
    api.files = {"/a.png": PNG, "/b.jpg": picture("JPEG", (8, 8))}
    store = store_of(clients, tmp_path / "results")
    assert store.find("job-1") is None
    assert store.list() == []
    result = finished(clients, proxy, api, journal=tmp_path / "jobs.sqlite")
    kept = store.save(result)
    assert kept == store.find("job-1") == store.list()[0]
    assert (kept.request_id, kept.model_id, kept.job_key, kept.cost) == ("job-1", "any/model", "scene-12", 0.04)
    assert kept.input == {"prompt": "x"}
    assert kept.output == result.raw["output"]
    assert [(file.kind, file.mime, file.path.name) for file in kept.files] == [
        ("image", "image/png", "job-1-1.png"),
        ("image", "image/jpeg", "job-1-2.jpg"),
    ]
    assert sorted(path.name for path in kept.folder.iterdir()) == ["job-1-1.png", "job-1-2.jpg", "result.json"]


def test_saving_again_fetches_nothing_and_brings_in_the_cost(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    api.result = {"status": "succeeded"}
    store = store_of(clients, tmp_path)
    first = store.save(finished(clients, proxy, api))
    assert first.cost is None
    api.result = {"status": "succeeded", "cost": 0.5}
    again = store.save(clients(proxy.url).job("job-1", "any/model").result())
    assert (again.cost, again.saved_at) == (0.5, first.saved_at)
    api.result = {"status": "succeeded"}
    assert store.save(clients(proxy.url).job("job-1", "any/model").result()).cost == 0.5
    assert proxy.arrived["file"] == 1


def test_saving_again_by_the_id_alone_forgets_nothing(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    store = store_of(clients, tmp_path)
    client = clients(proxy.url, journal=tmp_path / "jobs.sqlite")
    store.save(client.submit("any/model", {"prompt": "x"}, {"job_key": "scene-12"}).wait(10))
    again = store.save(clients(proxy.url).job("job-1").result())
    assert (again.job_key, again.input) == ("scene-12", {"prompt": "x"})


def test_a_changed_file_is_kept_when_it_cannot_be_fetched_again(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    store = store_of(clients, tmp_path)
    result = finished(clients, proxy, api)
    path = store.save(result).files[0].path
    for content in (b"mine", b"mine too"):
        path.write_bytes(content)
        proxy.plan("file", answer(Response(404)))
        with pytest.raises(DownloadError, match="expired"):
            store.save(result)
        assert store.find("job-1") is None
    assert {file.read_bytes() for file in path.parent.glob("*.damaged*")} == {b"mine", b"mine too"}
    assert store.save(result).files[0].path.read_bytes() == PNG


def test_half_a_result_is_not_found_and_the_rest_is_fetched_later(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    api.files = {"/a.png": PNG, "/b.png": PNG + b"b"}
    result = finished(clients, proxy, api)
    store = store_of(clients, tmp_path)
    proxy.plan("file", answer(Response(404)))
    with pytest.raises(DownloadError) as caught:
        store.save(result)
    assert len(caught.value.saved) == 1
    assert store.find("job-1") is None
    assert len(store.save(result).files) == 2
    assert proxy.arrived["file"] == 3


@pytest.mark.parametrize(
    "harm", ["a file is gone", "a file is cut", "no JSON", "another format", "a huge number", "a path that leads out"]
)
def test_what_is_not_whole_is_not_found(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, harm: str
) -> None:
    store = store_of(clients, tmp_path)
    result = finished(clients, proxy, api)
    kept = store.save(result)
    path = kept.folder / "result.json"
    record = json.loads(path.read_text())
    if harm == "a file is gone":
        kept.files[0].path.unlink()
    elif harm == "a file is cut":
        kept.files[0].path.write_bytes(PNG[:20])
    elif harm == "no JSON":
        path.write_text("{")
    elif harm == "another format":
        path.write_text(json.dumps({**record, "format": 99}))
    elif harm == "a huge number":
        path.write_text(json.dumps({**record, "saved_at": 10**400}))
    else:
        path.write_text(json.dumps({**record, "files": [{**record["files"][0], "name": "../../secret"}]}))
    assert store.find("job-1") is None
    assert store.list() == []
    assert store.save(result).files[0].path.read_bytes() == PNG
    assert store.find("job-1") is not None


@pytest.mark.parametrize("remember", [False, True])
def test_a_list_follows_what_changes_on_disk(proxy: FaultProxy, api: TinyApi, tmp_path: Path, remember: bool) -> None:
    store = ResultStore(tmp_path, remember=remember)
    kept = store.save(finished(Clients("sync"), proxy, api))
    (tmp_path / "a file").write_text("no result")
    first, again = store.list()[0], store.list()[0]
    assert first == again == kept
    assert (first is again) is remember  # what has not changed is not read again
    record = kept.folder / "result.json"
    (kept.folder / "new").write_text(record.read_text().replace("0.04", "0.05"))
    (kept.folder / "new").replace(record)
    assert store.list()[0].cost == 0.05
    content = kept.files[0].path.read_bytes()
    kept.files[0].path.write_bytes(content[:-1])
    assert store.list() == []
    kept.files[0].path.write_bytes(content)
    assert len(store.list()) == 1
    kept.folder.rename(tmp_path / "other")
    assert [found.folder for found in store.list()] == [tmp_path / "other"]
    (tmp_path / "other" / "result.json").unlink()
    assert store.list() == []


def test_ids_do_not_lead_out_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}")
    store = ResultStore(tmp_path / "results")
    for request_id in ("..", "../..", "/etc", "a/../../b", ""):
        assert store.find(request_id) is None
        assert store._folder_of(request_id).parent == tmp_path / "results"


def test_a_thumbnail_is_made_once(clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path) -> None:
    film = b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomiso2" + bytes(100)
    api.files = {
        "/a.jpg": picture("JPEG", (3000, 1500)),
        "/b.png": picture("PNG", (10, 400), "RGBA"),
        "/c.png": PNG[:40],
        "/d.mp4": film,
    }
    kept = store_of(clients, tmp_path).save(finished(clients, proxy, api))
    small = kept.thumbnail(1)
    with Image.open(small) as made:
        assert made.size == (256, 128)
    before = small.stat().st_mtime_ns
    assert kept.thumbnail(1) == small
    assert small.stat().st_mtime_ns == before
    with Image.open(kept.thumbnail(2, size=100)) as made:
        assert (made.size[1], made.mode) == (100, "RGBA")
    assert kept.thumbnail(3) is None
    assert kept.thumbnail(4) is None
    assert kept.thumbnail(9) is None
    assert store_of(clients, tmp_path).find("job-1") == kept  # thumbnails are no files of the result


def test_many_writers_share_a_store(proxy: FaultProxy, api: TinyApi, tmp_path: Path) -> None:
    result = finished(Clients("sync"), proxy, api)
    store = ResultStore(tmp_path)
    threads = [threading.Thread(target=store.save, args=(result,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = store.find("job-1")
    assert found is not None
    assert sorted(path.name for path in found.folder.iterdir()) == ["job-1-1.png", "result.json"]


@pytest.mark.parametrize("kind", [ResultStore, AsyncResultStore])
def test_a_file_is_no_store(tmp_path: Path, kind: type[ResultStore | AsyncResultStore]) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"a picture")
    with pytest.raises(ConfigurationError, match=r"photo\.jpg is a file; a store of results is a folder"):
        kind(tmp_path / "photo.jpg")
