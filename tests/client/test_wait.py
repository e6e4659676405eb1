"""The wait rule over real sockets: through misses, within one deadline, to the true outcome."""

from __future__ import annotations

import logging
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.errors import (
    AuthenticationError,
    ConfigurationError,
    JobCancelledError,
    JobFailedError,
    JobNotReadyError,
    JobTimeoutError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TransportError,
)

from tests.support import fault_proxy as faults
from tests.support.fault_proxy import answer
from tests.support.http_wire import Response, json_response
from tests.support.internals import set_constant
from tests.support.tiny_api import COMPLETED, QUEUED, RUNNING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.both import Clients
    from tests.support.fault_proxy import FaultProxy
    from tests.support.tiny_api import TinyApi

# The rules are the same for both async transports.
KINDS = ("sync", "async-plain", pytest.param("async", marks=pytest.mark.long))

PASSING = {
    "reset": faults.reset_before_reply,
    "closed": faults.closed_before_reply,
    "half a body": faults.half_body,
    "408": answer(faults.html(408)),
    "429": answer(json_response({}, 429, retry_after="0")),
    "500": answer(json_response({"detail": "oops"}, 500)),
    "502": answer(faults.html(502)),
    "503": answer(faults.html(503)),
    "504": answer(faults.html(504)),
    "not JSON": answer(faults.html(200)),
    "a list": answer(json_response([1])),
    "a redirect": answer(Response(302, b"", {"Location": "http://127.0.0.1:1/"})),
    "a passing error code": answer(json_response({"error_code": 503001})),
}


def test_a_job_is_followed_to_its_result(clients: Clients, proxy: FaultProxy) -> None:
    seen: list[Any] = []
    result = clients(proxy.url).submit("any/model", {}).wait(10, on_update=seen.append)
    assert [(update.state, update.queue_position) for update in seen] == [
        ("in_queue", 1),
        ("in_progress", None),
        ("completed", None),
    ]
    assert [update.elapsed for update in seen] == sorted(update.elapsed for update in seen)
    assert str(seen[0]).startswith("in_queue, position 1 (")
    assert (result.request_id, result.model_id, result.cost) == ("job-1", "any/model", 0.04)
    assert [file.kind for file in result.files] == ["image"]
    assert result.output.images[0].url == result.files[0].url
    assert result.raw["status"] == "succeeded"


def test_an_update_comes_only_with_news(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses = [QUEUED, QUEUED, {**QUEUED, "queue_position": 0}, RUNNING, RUNNING, COMPLETED]
    updates = list(clients(proxy.url).submit("any/model", {}).updates())
    assert [(update.state, update.queue_position) for update in updates] == [
        ("in_queue", 1),
        ("in_queue", 0),
        ("in_progress", None),
        ("completed", None),
    ]


def test_iteration_may_be_left_and_taken_up_again(clients: Clients, proxy: FaultProxy) -> None:
    job = clients(proxy.url).submit("any/model", {})
    for update in job.updates():
        assert update.state == "in_queue"
        break
    assert [update.state for update in job.updates()][-1] == "completed"


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_missed_poll_is_not_the_end(clients: Clients, proxy: FaultProxy, fault: faults.Fault) -> None:
    job = clients(proxy.url).submit("any/model", {})
    proxy.plan("status", fault, fault)
    proxy.plan("result", fault)
    assert job.wait(10).files
    assert proxy.arrived["submit"] == 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(401, None, AuthenticationError), (403, None, PermissionDeniedError), (403, 403001, PermissionDeniedError)],
)
def test_a_refusal_to_tell_ends_the_wait(
    clients: Clients, proxy: FaultProxy, status: int, code: int | None, kind: type[Exception]
) -> None:
    job = clients(proxy.url).submit("any/model", {})
    proxy.always("status", answer(json_response({"error_code": code}, status)))
    with pytest.raises(kind, match="job-1") as caught:
        job.wait(10)
    assert caught.value.request_id == "job-1"  # type: ignore[attr-defined]  # all of them have it
    assert proxy.arrived["status"] == 1


def test_a_job_not_known_yet_gets_a_grace_after_ones_own_submit(clients: Clients, proxy: FaultProxy) -> None:
    client = clients(proxy.url)
    unknown = answer(json_response({"error_code": 404001}, 404))
    job = client.submit("any/model", {})
    proxy.plan("status", unknown, unknown)
    assert job.wait(10).files
    proxy.plan("status", unknown)
    with pytest.raises(NotFoundError):
        client.job("job-1").wait(10)


def test_the_streak_of_misses_is_bounded(clients: Clients, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    set_constant(monkeypatch, "MOST_MISSES", 3)
    job = clients(proxy.url).submit("any/model", {})
    proxy.always("status", answer(faults.html(502)))
    with pytest.raises(ServerError) as caught:
        job.wait()
    assert proxy.arrived["status"] == 4
    assert caught.value.request_id == "job-1"
    assert "client.job('job-1')" in "".join(caught.value.__notes__)


def test_misses_of_the_result_are_bounded_too(
    clients: Clients, proxy: FaultProxy, api: TinyApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_constant(monkeypatch, "MOST_MISSES", 3)
    api.statuses = [COMPLETED]
    job = clients(proxy.url).submit("any/model", {})
    proxy.always("result", faults.reset_before_reply)
    with pytest.raises(TransportError, match="job-1"):
        job.wait()


def test_a_job_known_to_be_over_is_asked_for_its_result_alone(
    clients: Clients, proxy: FaultProxy, api: TinyApi
) -> None:
    api.statuses = [COMPLETED]
    job = clients(proxy.url).submit("any/model", {})
    proxy.plan("result", faults.reset_before_reply, answer(faults.html(502)))
    assert job.wait(10).files
    assert (proxy.arrived["status"], proxy.arrived["result"]) == (1, 3)


def test_the_deadline_tells_of_a_job_whose_result_could_not_be_read(
    clients: Clients, proxy: FaultProxy, api: TinyApi
) -> None:
    api.statuses = [COMPLETED]
    job = clients(proxy.url).submit("any/model", {})
    proxy.always("result", answer(faults.html(502)))
    with pytest.raises(JobTimeoutError, match=r"is over \(completed\).*client\.job\('job-1'\)") as caught:
        job.wait(0.5)
    assert caught.value.state == "completed"
    assert "paid" not in str(caught.value)  # it may have failed, or been cancelled
    assert "HTTP 502" in str(caught.value)
    assert isinstance(caught.value.__cause__, ServerError)


def test_the_deadline_tells_of_the_last_miss_and_claims_no_more(clients: Clients, proxy: FaultProxy) -> None:
    client = clients(proxy.url)
    proxy.always("status", answer(faults.html(502)))
    with pytest.raises(JobTimeoutError, match=r"HTTP 502.*may still run") as caught:
        client.submit("any/model", {}).wait(0.3)
    assert isinstance(caught.value.__cause__, ServerError)
    proxy.always("status", answer(json_response({"error_code": 404001}, 404)))
    with pytest.raises(JobTimeoutError, match="HTTP 404") as caught:
        client.submit("any/model", {}).wait(0.3)
    assert isinstance(caught.value.__cause__, NotFoundError)
    assert "run" not in str(caught.value)


def test_a_miss_that_was_made_good_is_not_the_cause(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses = [QUEUED]
    job = clients(proxy.url).submit("any/model", {})
    proxy.plan("status", answer(faults.html(502)))
    with pytest.raises(JobTimeoutError, match="still runs") as caught:
        job.wait(1.5, poll_interval=1.0)  # the deadline comes in a pause, not in a poll
    assert caught.value.__cause__ is None
    assert "502" not in str(caught.value)


def test_there_is_one_deadline_over_everything(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses = [QUEUED]
    job = clients(proxy.url).submit("any/model", {})
    begun = time.monotonic()
    with pytest.raises(JobTimeoutError, match=r"(still runs|may still run).*client\.job\('job-1'\)") as caught:
        job.wait(0.5)
    assert 0.4 < time.monotonic() - begun < 4
    assert (caught.value.request_id, caught.value.state) == ("job-1", "in_queue")


@pytest.mark.parametrize(
    "fault",
    [faults.silence, faults.drip(0.1), faults.drip(0.05, head=True)],
    ids=["silence", "a dripping body", "a dripping head"],
)
def test_the_deadline_holds_within_a_poll(clients: Clients, proxy: FaultProxy, fault: faults.Fault) -> None:
    job = clients(proxy.url).submit("any/model", {})
    proxy.always("status", fault)
    begun = time.monotonic()
    with pytest.raises(JobTimeoutError):
        job.wait(0.5)
    assert time.monotonic() - begun < 4
    proxy.always("status", lambda wire: wire.send(wire.forward().encoded()))
    assert job.wait(10).files  # the connection was given up, not the client


@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "a date"])
def test_retry_after_is_honoured(clients: Clients, proxy: FaultProxy, as_date: bool) -> None:
    # A date counts by the server's own clock, here a day ahead of ours.
    there = time.time() + 86_400
    headers = (
        {"Retry-After": formatdate(there + 1, usegmt=True), "Date": formatdate(there, usegmt=True)}
        if as_date
        else {"Retry-After": "1"}
    )
    job = clients(proxy.url).submit("any/model", {})
    proxy.plan("status", answer(Response(503, b"", headers)))
    begun = time.monotonic()
    assert job.wait(10).files
    assert 0.9 < time.monotonic() - begun < 5


def test_retry_after_does_not_outlast_the_deadline(clients: Clients, proxy: FaultProxy) -> None:
    job = clients(proxy.url).submit("any/model", {})
    proxy.plan("status", answer(Response(429, b"", {"Retry-After": "3600"})))
    begun = time.monotonic()
    with pytest.raises(JobTimeoutError):
        job.wait(0.4)
    assert time.monotonic() - begun < 4


def test_a_rate_limit_pauses_all_jobs_of_the_client(clients: Clients, proxy: FaultProxy) -> None:
    client = clients(proxy.url, max_retries=0)
    one, two = client.submit("any/model", {}), client.submit("any/model", {})
    proxy.plan("status", answer(Response(429, b"", {"Retry-After": "0.6"})))
    with pytest.raises(RateLimitError):
        one.status()
    begun = time.monotonic()
    two.wait(10)
    assert time.monotonic() - begun > 0.5


@pytest.mark.parametrize(
    ("statuses", "result", "kind", "message"),
    [
        ([COMPLETED], {"status": "failed", "error": "out of memory"}, JobFailedError, "out of memory"),
        ([COMPLETED], {"status": "failed", "error": {"message": "bad", "code": 7}}, JobFailedError, "bad"),
        ([COMPLETED], {"status": "failed", "error": ["one", "two"]}, JobFailedError, "one; two"),
        ([{"status": "failed"}], {"status": "failed"}, JobFailedError, "no reason"),
        ([{"status": "failed", "error": "at once"}], {"status": "in_progress"}, JobFailedError, "at once"),
        ([COMPLETED], {"status": "succeeded", "output": None, "error": "no picture"}, JobFailedError, "no picture"),
        ([COMPLETED], {"status": "succeeded", "output": {}}, JobFailedError, "has no output"),
        ([{"status": "cancelled"}], {"status": "cancelled"}, JobCancelledError, "job-1"),
        ([{"status": "Canceled"}], {"status": "canceled"}, JobCancelledError, "job-1"),
        ([{"status": "cancelled"}], {"status": "in_queue"}, JobCancelledError, "job-1"),
    ],
)
def test_what_is_no_success_is_reported_as_it_is(
    clients: Clients,
    proxy: FaultProxy,
    api: TinyApi,
    statuses: list[dict[str, Any]],
    result: dict[str, Any],
    kind: type[Exception],
    message: str,
) -> None:
    api.statuses, api.result = statuses, result
    with pytest.raises(kind, match=message) as caught:
        clients(proxy.url).submit("any/model", {}).wait(10)
    assert caught.value.request_id == "job-1"  # type: ignore[attr-defined]  # all of them have it


@pytest.mark.parametrize("word", ["completed", "Succeeded"])
def test_a_success_has_an_output(clients: Clients, proxy: FaultProxy, api: TinyApi, word: str) -> None:
    api.statuses, api.result = [COMPLETED], {"status": word}
    assert clients(proxy.url).submit("any/model", {}).wait(10).files


def test_the_result_has_the_last_word(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    """`completed` on /status may come before the result is there, in both ways that are known."""
    api.statuses = [COMPLETED]
    job = clients(proxy.url).submit("any/model", {})
    proxy.plan(
        "result",
        answer(json_response({"error_code": 400005}, 400)),
        answer(json_response({"status": "in_progress"})),
        answer(json_response({"status": "succeeded", "output": None})),
    )
    assert job.wait(10).files


def test_an_unknown_state_is_wondered_at_once_and_means_running(
    clients: Clients, proxy: FaultProxy, api: TinyApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.statuses = [{"status": "warming_up"}, {"status": "warming_up"}, {}, COMPLETED]
    with caplog.at_level(logging.WARNING, "runcomfy"):
        job = clients(proxy.url).submit("any/model", {})
        assert [update.state for update in job.updates()] == ["warming_up", "in_progress", "completed"]
    assert [record.message for record in caplog.records if "warming_up" in record.message] != []
    assert len(caplog.records) == 2


def test_an_error_beside_a_success_is_a_warning(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    api.result = {"status": "succeeded", "error": "one of two was dropped"}
    result = clients(proxy.url).submit("any/model", {}).wait(10)
    assert result.files
    assert "one of two was dropped" in "".join(result.warnings)


def test_one_look_and_one_read(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    job = clients(proxy.url).submit("any/model", {})
    assert (job.status().state, job.status().state) == ("in_queue", "in_progress")
    api.result = {"status": "in_progress"}
    with pytest.raises(JobNotReadyError, match="in_progress"):
        job.result()
    proxy.plan("result", answer(json_response({"error_code": 400005, "message": "not ready"}, 400)))
    with pytest.raises(JobNotReadyError):
        job.result()
    api.result = {"status": "succeeded", "cost": "0.5"}
    assert job.result().cost == 0.5


def test_a_job_is_picked_up_by_its_id(clients: Clients, proxy: FaultProxy) -> None:
    job = clients(proxy.url).job("some-id")
    assert job.wait(10).files
    assert job.model_id is None
    assert not proxy.arrived["submit"]


def test_what_costs_nothing_is_tried_again(clients: Clients, proxy: FaultProxy) -> None:
    client = clients(proxy.url, max_retries=2)
    proxy.plan("balance", faults.reset_before_reply, answer(faults.html(503)))
    assert client.balance().usd == 12.5
    proxy.plan("catalog", faults.reset_before_reply)
    assert [entry.model_id for entry in client.catalog.list()] == ["any/model"]
    proxy.plan("balance", *[answer(faults.html(503))] * 3)
    with pytest.raises(ServerError):
        client.balance()


def test_the_pause_between_polls_may_be_chosen(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses = [{"status": "in_queue", "queue_position": 50}, RUNNING, RUNNING, RUNNING, COMPLETED]
    job = clients(proxy.url).submit("any/model", {})
    begun = time.monotonic()
    job.wait(10, poll_interval=0.2)
    assert 0.8 <= time.monotonic() - begun < 4
    begun = time.monotonic()
    api.asked.clear()
    assert len(list(job.updates(10, poll_interval=0.2))) == 3
    assert 0.8 <= time.monotonic() - begun < 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"timeout": "5"}, r"argument timeout is '5'; it must be a number of seconds"),
        ({"timeout": -1}, "argument timeout is -1"),
        ({"timeout": float("nan")}, "argument timeout is nan"),
        ({"timeout": True}, "argument timeout is True"),
        ({"poll_interval": 0}, "argument poll_interval is 0; it must be a number of seconds, more than 0"),
        ({"poll_interval": "1"}, "argument poll_interval is '1'"),
        ({"on_update": "print"}, "argument on_update is 'print'; it must be a function"),
        ({"poll_state": {}}, "argument poll_state is {}; it must be a PollState"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_sent(
    clients: Clients, proxy: FaultProxy, arguments: dict[str, Any], message: str
) -> None:
    job = clients(proxy.url).job("job-1")
    with pytest.raises(ConfigurationError, match=message):
        job.wait(**arguments)
    assert proxy.arrived["status"] == 0


def test_a_time_limit_beyond_all_clocks_is_none(clients: Clients, proxy: FaultProxy) -> None:
    for timeout in (float("inf"), 1e300, 10**400):
        assert clients(proxy.url).submit("any/model", {}).wait(timeout).files


def test_a_wrong_argument_of_updates_is_refused_at_once(clients: Clients, proxy: FaultProxy) -> None:
    with pytest.raises(ConfigurationError, match="timeout"):
        clients(proxy.url).job("job-1").updates("5")


def test_a_job_from_the_journal_has_run_since_its_submit(clients: Clients, proxy: FaultProxy, tmp_path: Path) -> None:
    journal = tmp_path / "jobs.sqlite"
    job = clients(proxy.url, journal=journal).submit("any/model", {})
    assert 0 <= job.elapsed < 5
    time.sleep(0.5)
    again = clients(proxy.url, journal=journal).job("job-1")
    assert again.elapsed >= 0.5
    assert again.status().elapsed >= 0.5
    assert clients(proxy.url).job("job-1").elapsed is None


def test_a_job_of_a_key_has_run_since_its_submit(clients: Clients, proxy: FaultProxy, tmp_path: Path) -> None:
    journal, options = tmp_path / "jobs.sqlite", {"job_key": "scene-12"}
    clients(proxy.url, journal=journal).submit("any/model", {}, options)
    time.sleep(0.5)
    again = clients(proxy.url, journal=journal).submit("any/model", {}, options)
    assert proxy.arrived["submit"] == 1
    assert 0.5 <= again.elapsed < 5
    assert again.status().elapsed >= 0.5


@pytest.mark.parametrize("position", [True, -1, 10**400, "2", None])
def test_a_position_that_is_none_is_left_out(
    clients: Clients, proxy: FaultProxy, api: TinyApi, position: object
) -> None:
    api.statuses = [{"status": "in_queue", "queue_position": position}, COMPLETED]
    updates = list(clients(proxy.url).submit("any/model", {}).updates(10))
    assert [update.queue_position for update in updates] == [None, None]


@pytest.mark.parametrize("reason", ["The prompt was refused.", "The prompt was refused", "Is this a prompt?"])
def test_the_message_of_a_failed_job_ends_once(clients: Clients, proxy: FaultProxy, api: TinyApi, reason: str) -> None:
    api.result = {"status": "failed", "error": {"message": reason}}
    with pytest.raises(JobFailedError) as caught:
        clients(proxy.url).submit("any/model", {}).wait(10)
    assert str(caught.value) == f"Job job-1 failed: {reason if reason[-1] in '.?' else reason + '.'}"
