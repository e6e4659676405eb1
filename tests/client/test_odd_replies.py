"""Replies as no document describes them: what was started is known as started, and what was paid for is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.api.replies import LONGEST_RETRY_AFTER, retry_after
from runcomfy_client.errors import APIError, JobFailedError, RejectedInputError, SubmissionUnknownError
from runcomfy_client.journal import Journal

from tests.support import fault_proxy as faults
from tests.support.fault_proxy import answer
from tests.support.http_wire import Response, json_response
from tests.support.internals import Reply, cost_in, set_constant
from tests.support.tiny_api import COMPLETED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import FaultProxy
    from tests.support.tiny_api import TinyApi

KINDS = ("sync", "async")
A, B = (f"https://files.runcomfy.net/{name}" for name in "ab")


@pytest.mark.parametrize(
    "content",
    [
        b'{"request_id": "job-1", "error_code": 0}',
        b'{"request_id": "job-1", "error_code": ""}',
        b'{"request_id": "job-1", "error_code": "0"}',
        b'{"request_id": "job-1", "echo": "caf\xe9"}',
        b'\xef\xbb\xbf{"request_id": "job-1"}',
    ],
)
def test_a_job_that_was_started_is_not_reported_otherwise(clients: Clients, proxy: FaultProxy, content: bytes) -> None:
    proxy.plan("submit", answer(Response(200, content), worked=True))
    assert clients(proxy.url).submit("any/model", {}).request_id == "job-1"


@pytest.mark.parametrize(
    "content",
    [
        b'{"error_code": "' + b"1" * 5000 + b'"}',
        b'{"error": ' + b"[" * 700 + b"]" * 700 + b"}",
        b'{"error": ' + b"[" * 100_000 + b"}",
        b'{"error": "half a character: \\ud83d"}',
    ],
)
def test_a_strange_refusal_is_a_refusal(clients: Clients, proxy: FaultProxy, content: bytes, tmp_path: Path) -> None:
    proxy.plan("submit", answer(Response(422, content)))
    with pytest.raises(RejectedInputError) as caught:
        clients(proxy.url, journal=tmp_path / "jobs.sqlite").submit("any/model", {})
    assert len(str(caught.value).encode()) < 2000
    with Journal(tmp_path / "jobs.sqlite") as journal:
        assert [entry.state for entry in journal.entries()] == ["refused"]


@pytest.mark.parametrize("content", [b'{\x00"\x00x', b"\xff\xfe{\x00x", b"\x00\x00\x00{\x00"])
def test_a_reply_cut_within_a_wide_character_is_no_json(
    clients: Clients, proxy: FaultProxy, content: bytes, tmp_path: Path
) -> None:
    proxy.plan("submit", answer(Response(200, content)))
    with pytest.raises(SubmissionUnknownError):
        clients(proxy.url, journal=tmp_path / "jobs.sqlite").submit("any/model", {})
    with Journal(tmp_path / "jobs.sqlite") as journal:
        assert [entry.state for entry in journal.entries()] == ["unsure"]


def test_an_error_code_beside_a_result_costs_no_result(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses, api.result = [COMPLETED], {"status": "succeeded", "error_code": 500123}
    result = clients(proxy.url).submit("any/model", {}).wait(10)
    assert len(result.files) == 1
    assert "500123" in " ".join(result.warnings)


def test_an_error_code_of_the_job_is_the_jobs_end(
    clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Path
) -> None:
    """And not a server error, which would be asked about again for minutes."""
    body = {"status": "failed", "error_code": 500123, "message": "out of memory"}
    api.statuses, api.result, api.output = [body], body, {}
    with pytest.raises(JobFailedError, match="out of memory"):
        clients(proxy.url, journal=tmp_path / "jobs.sqlite").submit("any/model", {}).wait(10)
    assert (proxy.arrived["status"], proxy.arrived["result"]) == (1, 1)
    with Journal(tmp_path / "jobs.sqlite") as journal:
        assert [(entry.state, entry.note) for entry in journal.entries()] == [("failed", "out of memory")]


@pytest.mark.parametrize("place", ["status", "result"])
def test_a_reply_of_many_levels_costs_no_result(clients: Clients, proxy: FaultProxy, api: TinyApi, place: str) -> None:
    levels: list[object] = []
    for _ in range(700):
        levels = [levels]
    api.statuses, api.result = [{"status": "completed"}], {"status": "succeeded"}
    (api.statuses[0] if place == "status" else api.result)["inputs"] = levels
    assert len(clients(proxy.url).submit("any/model", {}).wait(5).files) == 1


def test_an_error_code_without_an_end_is_an_error(clients: Clients, proxy: FaultProxy) -> None:
    proxy.plan("status", answer(json_response({"status": "in_queue", "error_code": 403001})))
    with pytest.raises(APIError, match="403001"):
        clients(proxy.url).submit("any/model", {}).wait(10)


@pytest.mark.parametrize("cost", [10**400, float("nan"), float("inf"), "nan", "1e999"])
def test_a_cost_that_is_no_amount_is_not_known(cost: object) -> None:
    assert cost_in({"cost": cost}) is None


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (A, [("file", A)]),
        ([A, {"image": B}], [("file", A), ("image", B)]),
        ({"result": A}, [("file", A)]),
        ({"video_url": A, "meta": [{"image_href": B}]}, [("video", A), ("image", B)]),
        ({"images": [A], "video_url": B}, [("image", A)]),
        ({"video_url": "https://example.com/a.mp4"}, []),
        ({"input": {"video_url": A}}, []),
        ({"image_url": "https://files.runcomfy.net/mine"}, []),
        ({"status_url": "{api}/v1/requests/job-1/status"}, []),
        ({"image": "https://[bad"}, [("image", "https://[bad")]),
    ],
)
def test_files_in_undocumented_places(
    clients: Clients, proxy: FaultProxy, api: TinyApi, output: Any, found: list[tuple[str, str]]
) -> None:
    """A paid file is offered where it cannot be a mistake: it lies where results lie, and is not what was sent."""
    api.statuses, api.output = [COMPLETED], json.loads(json.dumps(output).replace("{api}", proxy.url))
    result = clients(proxy.url).submit("any/model", {"ref": "https://files.runcomfy.net/mine"}).wait(10)
    assert [(file.kind, file.url) for file in result.files] == found


def test_an_address_that_is_none_costs_no_result(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    api.output = {"image_urls": ["https://[bad"], "images": [A]}
    result = clients(proxy.url).job("some-id", "bytedance/dreamina-4-0/edit").wait(10)
    assert [file.url for file in result.files] == [A]


@pytest.mark.parametrize("asked", ["1e10", "9" * 30])
def test_a_pause_without_end_has_one(asked: str) -> None:
    """The clocks of a sleep and a lock end after some hundred years, with an error of their own."""
    assert retry_after(Reply(429, {"retry-after": asked})) == LONGEST_RETRY_AFTER


def test_a_submit_does_not_sit_out_a_pause_of_hours(
    clients: Clients, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:

    set_constant(monkeypatch, "LONGEST_PAUSE", 0.2)
    client = clients(proxy.url)
    proxy.plan("submit", answer(Response(429, b"", {"Retry-After": "3600"})))
    with pytest.raises(APIError):
        client.submit("any/model", {})
    assert client.submit("any/model", {}).request_id == "job-1"


def test_a_long_pause_of_a_wait_is_reported(
    clients: Clients, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.plan("status", answer(Response(503, b"", {"Retry-After": "3600"})))
    with pytest.raises(Exception, match="may still run"):
        clients(proxy.url).submit("any/model", {}).wait(0.3)
    assert [record.levelname for record in caplog.records if "Next poll in 3600.0 s" in record.message] == ["WARNING"]


def test_a_miss_is_not_worth_a_warning(clients: Clients, proxy: FaultProxy, caplog: pytest.LogCaptureFixture) -> None:
    proxy.plan("status", faults.reset_before_reply)
    clients(proxy.url).submit("any/model", {}).wait(10)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
