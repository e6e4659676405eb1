"""Downloads off the beaten track: equal names, odd addresses, records that cannot be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.errors import DownloadError

from tests.support.fault_proxy import answer
from tests.support.http_wire import Response, json_response
from tests.support.tiny_api import COMPLETED, PNG

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import FaultProxy
    from tests.support.tiny_api import TinyApi


def finished(clients: Clients, proxy: FaultProxy, api: TinyApi, **settings: Any) -> Any:
    api.statuses = [COMPLETED]
    return clients(proxy.url, **settings).submit("any/model", {"prompt": "x"}).wait(10)


def test_overwriting_is_for_what_was_there_before(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    """Two files of one result with one name are two files, each of them paid for."""
    contents = [PNG, PNG + b"2", PNG + b"3"]
    api.files = dict(zip(("/a/out.png", "/b/out.png", "/c/out.png"), contents, strict=True))
    result = finished(clients, proxy, api)
    for _ in range(2):
        paths = result.download(tmp_path, overwrite=True)
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
    assert (tmp_path / "one.png").read_bytes() == PNG


def test_a_redirect_to_no_address_is_an_error_of_its_file_alone(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    proxy.plan("file", answer(Response(302, b"", {"Location": "https://[bad"})))
    with pytest.raises(DownloadError, match="no address"):
        finished(clients, proxy, api).download(tmp_path)


def test_a_folder_at_home(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (path,) = finished(clients, proxy, api).download("~/out")
    assert path == tmp_path / "out" / "one.png"


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
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    (tmp_path / "job-1.json").mkdir()
    with pytest.raises(DownloadError, match=r"job-1\.json") as caught:
        finished(clients, proxy, api).download(tmp_path, sidecar=True)
    assert str(tmp_path / "one.png") in "".join(caught.value.__notes__)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job-1.json", "one.png"]


@pytest.mark.parametrize(
    ("request_id", "name"),
    [("Job_1-x.2", "Job_1-x.2"), ("y" * 256, "y" * 120), ('a*b:c"|<>', "a_b_c_"), (".hidden", "hidden")],
)
def test_a_record_has_a_name_that_file_systems_take(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path, request_id: str, name: str
) -> None:
    proxy.plan("submit", answer(json_response({"request_id": request_id}), worked=True))
    finished(clients, proxy, api).download(tmp_path, sidecar=True)
    assert (tmp_path / f"{name}.json").exists()
