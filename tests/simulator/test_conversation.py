"""Submit, poll, read, cancel: what each call answers, in every reading of the API."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.simulator import IMAGE, VIDEO

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.simulator import Call, Start


def test_a_job_queues_runs_and_ends(start: Start, call: Call) -> None:
    simulator = start(queue_seconds=10, run_seconds=20)
    caller = call(simulator)
    accepted = caller.submit(IMAGE, prompt="A boat")
    assert accepted.status_code == 200
    body = accepted.json()
    request_id = body["request_id"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", request_id)
    base = f"{simulator.url}/v1/requests/{request_id}"
    assert body == {
        "request_id": request_id,
        "status_url": f"{base}/status",
        "result_url": f"{base}/result",
        "cancel_url": f"{base}/cancel",
    }
    assert caller.status(request_id)["status"] == "in_queue"
    simulator.skip(10)
    running = caller.status(request_id)
    assert running["status"] == "in_progress"
    assert "queue_position" not in running
    simulator.skip(20)
    assert caller.status(request_id)["status"] == "completed"
    result = caller.result(request_id)
    assert result["status"] == "succeeded"
    assert result["output"]["images"][0].startswith(f"{simulator.url}/files/")
    assert result["finished_at"] > result["created_at"]


@pytest.mark.parametrize(
    ("profile", "submit", "early", "word", "first", "output"),
    [
        ("docs", 200, (200, None), "succeeded", 0, "images"),
        ("nodes", 202, (200, None), "succeeded", 1, "images"),
        ("zapier", 200, (400, 400005), "succeeded", 0, "images"),
        ("third-party", 200, (200, None), "completed", 1, "image"),
    ],
)
def test_profiles_differ_where_the_sources_do(
    start: Start,
    call: Call,
    profile: str,
    submit: int,
    early: tuple[int, int | None],
    word: str,
    first: int,
    output: str,
) -> None:
    simulator = start(profile=profile, queue_seconds=5, run_seconds=5)
    caller = call(simulator)
    reply = caller.submit(IMAGE, prompt="A boat")
    assert reply.status_code == submit
    request_id = reply.json()["request_id"]
    assert caller.status(request_id)["queue_position"] == first
    before = caller.get(f"/v1/requests/{request_id}/result")
    assert (before.status_code, before.json().get("error_code")) == early
    simulator.skip(10)
    result = caller.result(request_id)
    assert result["status"] == word
    assert list(result["output"]) == [output]
    assert result.get("input") == ({"prompt": "A boat"} if profile == "third-party" else None)
    assert result.get("model_id") == (IMAGE if profile in ("docs", "nodes") else None)


@pytest.mark.parametrize(("profile", "code"), [("docs", 400), ("nodes", 401), ("zapier", 401), ("third-party", 403)])
def test_nothing_is_answered_without_a_good_token(start: Start, call: Call, profile: str, code: int) -> None:
    simulator = start(profile=profile, token="right")
    caller = call(simulator)
    calls = [
        ("POST", f"/v1/models/{IMAGE}"),
        ("GET", "/v1/models"),
        ("GET", f"/v1/models/{IMAGE}"),
        ("GET", "/v1/models/categories"),
        ("GET", "/v1/requests/x/status"),
        ("GET", "/v1/requests/x/result"),
        ("POST", "/v1/requests/x/cancel"),
        ("GET", "/prod/v2/balance"),
    ]
    for authorization in ("", "Bearer", "Bearer wrong", "right", "Basic right"):
        for method, path in calls:
            body = {"prompt": "x"} if method == "POST" else None
            reply = caller.request(method, path, headers={"Authorization": authorization}, json=body)
            assert reply.status_code == code, (method, path, authorization)
            assert reply.json()["error_code"] == 400004
    assert simulator.accepted == 0


def test_any_well_formed_token_is_taken_by_default(start: Start, call: Call) -> None:
    simulator = start()
    assert call(simulator, "anything-printable").get("/prod/v2/balance").status_code == 200
    assert call(simulator, "two words").get("/prod/v2/balance").status_code == 400


def test_slots_and_positions(start: Start, call: Call) -> None:
    simulator = start(slots=2, run_seconds=10)
    caller = call(simulator)
    jobs = [caller.accepted(IMAGE, prompt=str(number)) for number in range(5)]

    def seen() -> list[Any]:
        replies = [caller.status(job) for job in jobs]
        return [reply.get("queue_position", reply["status"]) for reply in replies]

    assert seen() == ["in_progress", "in_progress", 0, 1, 2]
    assert caller.post(f"/v1/requests/{jobs[2]}/cancel").json()["outcome"] == "cancelled"
    assert seen() == ["in_progress", "in_progress", "cancelled", 0, 1]
    simulator.skip(10)
    assert seen() == ["completed", "completed", "cancelled", "in_progress", "in_progress"]


def test_jobs_go_on_between_polls(start: Start, call: Call) -> None:
    simulator = start(slots=1, run_seconds=10)
    caller = call(simulator)
    jobs = [caller.accepted(IMAGE, prompt=str(number)) for number in range(3)]
    simulator.skip(25)
    assert [caller.status(job)["status"] for job in jobs] == ["completed", "completed", "in_progress"]
    ended = [job.ended for job in simulator.jobs[:2]]
    started = [job.started for job in simulator.jobs[1:]]
    assert started == ended, "each takes the slot at the moment that the one before leaves it"


def test_only_queued_jobs_can_be_cancelled(start: Start, call: Call) -> None:
    simulator = start(queue_seconds=5, run_seconds=5)
    caller = call(simulator)
    queued, running = caller.accepted(IMAGE, prompt="a"), caller.accepted(IMAGE, prompt="b")
    first = caller.post(f"/v1/requests/{queued}/cancel")
    assert (first.status_code, first.json()["outcome"], first.json()["status"]) == (202, "cancelled", "cancelled")
    assert caller.result(queued)["status"] == "cancelled"
    simulator.skip(5)
    second = caller.post(f"/v1/requests/{running}/cancel")
    assert (second.status_code, second.json()["outcome"], second.json()["status"]) == (
        202,
        "not_cancellable",
        "in_progress",
    )
    simulator.skip(5)
    assert caller.post(f"/v1/requests/{running}/cancel").json()["outcome"] == "not_cancellable"


@pytest.mark.parametrize(
    ("profile", "outcome"),
    [("docs", "cancelled"), ("nodes", "cancellation_requested"), ("zapier", "cancelled"), ("third-party", "cancelled")],
)
def test_the_outcome_of_a_cancel(start: Start, call: Call, profile: str, outcome: str) -> None:
    caller = call(start(profile=profile, queue_seconds=5))
    reply = caller.post(f"/v1/requests/{caller.accepted(IMAGE, prompt='a')}/cancel")
    assert (reply.status_code, reply.json()["status"], reply.json()["outcome"]) == (202, "cancelled", outcome)


def test_jobs_belong_to_their_token(start: Start, call: Call) -> None:
    simulator = start()
    mine = call(simulator, "mine").accepted(IMAGE, prompt="a")
    other = call(simulator, "other")
    for method, path in (("GET", "status"), ("GET", "result"), ("POST", "cancel")):
        reply = other.request(method, f"/v1/requests/{mine}/{path}")
        assert (reply.status_code, reply.json()["error_code"]) == (403, 403001)
    assert call(simulator, "mine").status(mine)["status"] == "completed"


def test_request_ids_and_files_expire(start: Start, call: Call) -> None:
    simulator = start(request_ttl=100)
    caller = call(simulator)
    url = caller.output(IMAGE, prompt="a")["images"][0]
    request_id = simulator.jobs[0].request_id
    simulator.skip(99)
    assert httpx.get(url).status_code == 200
    simulator.skip(2)
    reply = caller.get(f"/v1/requests/{request_id}/status")
    assert (reply.status_code, reply.json()["error_code"]) == (404, 404001)
    assert httpx.get(url).status_code == 404
    assert simulator.accepted == 1


def test_unknown_ids(start: Start, call: Call) -> None:
    caller = call(start())
    request = caller.get("/v1/requests/nothing/result")
    assert (request.status_code, request.json()["error_code"]) == (404, 404001)
    for reply in (caller.submit("acme/none/at-all", prompt="a"), caller.get("/v1/models/acme/none")):
        assert (reply.status_code, reply.json()["error_code"]) == (400, 400001)
    assert caller.submit(IMAGE.upper(), prompt="a").json()["error_code"] == 400001, "ids are case-sensitive"


@pytest.mark.parametrize(("profile", "code"), [("docs", 400), ("nodes", 402), ("zapier", 400), ("third-party", 402)])
def test_the_balance_runs_down(start: Start, call: Call, profile: str, code: int) -> None:
    simulator = start(profile=profile, balance=0.3)
    caller = call(simulator)
    request_id = caller.accepted(IMAGE, prompt="a")
    assert caller.result(request_id, include_cost="true")["cost"] == 0.25
    assert "cost" not in caller.result(request_id)
    assert caller.get("/prod/v2/balance").json() == {
        "balance_usd": 0.05,
        "balance_microdollars": 50_000,
        "currency": "USD",
    }
    caller.output(IMAGE, prompt="b")
    assert simulator.balance == -0.2, "costs are known only at the end, so it may go below zero"
    refused = caller.submit(IMAGE, prompt="c")
    assert (refused.status_code, refused.json()["error_code"]) == (code, 400002)
    assert simulator.accepted == 2
    assert call(simulator, "another").get("/prod/v2/balance").json()["balance_usd"] == 0.3


def test_costs_count_outputs_and_seconds(start: Start, call: Call) -> None:
    caller = call(start())
    images = caller.accepted(IMAGE, prompt="a", num_images=3)
    film = caller.accepted(VIDEO, prompt="a", duration=5)
    assert caller.result(images, include_cost="true")["cost"] == 0.75
    assert caller.result(film, include_cost="true")["cost"] == 0.5


def test_a_cost_may_come_late(start: Start, call: Call) -> None:
    simulator = start(cost_delay=30)
    caller = call(simulator)
    request_id = caller.accepted(IMAGE, prompt="a")
    assert "cost" not in caller.result(request_id, include_cost="true")
    simulator.skip(31)
    assert caller.result(request_id, include_cost="true")["cost"] == 0.25


def test_cancelled_and_failed_jobs_cost_nothing(start: Start, call: Call) -> None:
    simulator = start(queue_seconds=5)
    caller = call(simulator)
    cancelled = caller.accepted(IMAGE, prompt="a")
    caller.post(f"/v1/requests/{cancelled}/cancel")
    failed = caller.accepted(IMAGE, prompt="a #fail nsfw")
    simulator.skip(60)
    assert simulator.balance == 100
    assert [caller.result(job, include_cost="true")["cost"] for job in (cancelled, failed)] == [0, 0]
    assert [job.state for job in simulator.jobs] == ["cancelled", "failed"]


def test_run_times_by_model(start: Start, call: Call) -> None:
    simulator = start(run_seconds={"acme/film-*": 50, "*": 5})
    caller = call(simulator)
    film, image = caller.accepted(VIDEO, prompt="a"), caller.accepted(IMAGE, prompt="a")
    simulator.skip(6)
    assert caller.status(film)["status"] == "in_progress"
    assert caller.status(image)["status"] == "completed"


def test_many_simulators_at_once(start: Start, call: Call) -> None:
    simulators = [start() for _ in range(8)]
    for simulator in simulators[:3]:
        call(simulator).accepted(IMAGE, prompt="a")
    assert [simulator.accepted for simulator in simulators] == [1, 1, 1, 0, 0, 0, 0, 0]
    assert len({simulator.url for simulator in simulators}) == 8


def test_a_restart_loses_nothing(start: Start, call: Call) -> None:
    simulator = start()
    caller = call(simulator)
    url = caller.output(IMAGE, prompt="a")["images"][0]
    before = caller.get(url).content
    simulator.stop()
    with pytest.raises(httpx.ConnectError):
        caller.get("/v1/models")
    simulator.start()
    assert caller.status(simulator.jobs[0].request_id)["status"] == "completed"
    assert caller.get(url).content == before
    assert len(caller.output(IMAGE, prompt="b")["images"]) == 1


def test_a_stop_in_the_middle_of_a_request_leaves_no_traceback(
    start: Start, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    simulator = start()
    caller = call(simulator)
    simulator.script("request *: latency 30")
    with ThreadPoolExecutor(1) as pool:
        listed = pool.submit(caller.get, "/v1/models")
        time.sleep(0.1)  # the request is on its way
        simulator.stop()
        with pytest.raises(httpx.TransportError):
            listed.result()
    assert capsys.readouterr().err == ""


def test_it_listens_on_ipv6(start: Start, call: Call) -> None:
    try:
        simulator = start(host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert simulator.url.startswith("http://[::1]:")
    assert call(simulator).output(IMAGE, prompt="a")["images"][0].startswith(simulator.url)


def test_a_missing_schemas_folder_is_reported(tmp_path: Path, start: Start) -> None:
    with pytest.raises(FileNotFoundError, match="--schemas DIR"):
        start(schemas=tmp_path / "none")
