"""What a wait knows is a value: it can be written down, and another process goes on from it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_client.api.values import PollState
from runcomfy_client.errors import ConfigurationError, JobTimeoutError, NotFoundError

from tests.support.fault_proxy import answer, html
from tests.support.http_wire import json_response
from tests.support.tiny_api import COMPLETED, QUEUED, RUNNING

if TYPE_CHECKING:
    from tests.support.both import Clients
    from tests.support.fault_proxy import FaultProxy
    from tests.support.tiny_api import TinyApi

OTHER_PROCESS = """
import json, sys
from runcomfy_client.api.values import PollState
from runcomfy_client.client import SyncClient

with SyncClient("secret", sys.argv[1]) as client:
    state = PollState.from_dict(json.loads(sys.argv[2]))
    seen = []
    result = client.job(sys.argv[3]).wait(10, poll_state=state, on_update=seen.append)
    print(json.dumps({"files": len(result.files), "seen": [[each.state, each.elapsed] for each in seen]}))
"""


def in_another_process(url: str, state: PollState) -> dict[str, Any]:
    command = [sys.executable, "-c", OTHER_PROCESS, url, json.dumps(state.to_dict()), "job-1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_another_process_goes_on_with_a_wait(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses = [QUEUED]
    job = clients(proxy.url).submit("any/model", {})
    with pytest.raises(JobTimeoutError) as caught:
        job.wait(0.5)
    state = caught.value.poll_state
    assert (state.state, state.queue_position, state.over) == ("in_queue", 1, False)
    api.statuses = [QUEUED] * (api.asked["job-1"] + 1) + [COMPLETED]
    found = in_another_process(proxy.url, state)
    # That it is in the queue is no news there, and the time counts from the first poll here.
    assert [each[0] for each in found["seen"]] == ["completed"]
    assert found["seen"][0][1] >= 0.5
    assert found["files"] == 1


def test_another_process_does_not_ask_again_what_is_known(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    """/status has said that the job is over, and only /result is missing."""
    api.statuses = [COMPLETED]
    proxy.always("result", answer(html(502)))
    with pytest.raises(JobTimeoutError) as caught:
        clients(proxy.url).submit("any/model", {}).wait(0.5)
    asked = proxy.arrived["status"]
    proxy.never("result")
    assert in_another_process(proxy.url, caught.value.poll_state)["files"] == 1
    assert proxy.arrived["status"] == asked


def test_a_poll_gives_state_update_and_pause(clients: Clients, proxy: FaultProxy, api: TinyApi) -> None:
    api.statuses = [QUEUED, QUEUED, RUNNING, COMPLETED]
    job = clients(proxy.url).submit("any/model", {})
    state, seen = None, []
    while state is None or not state.over:
        found = job.poll(state)
        state = PollState.from_dict(json.loads(json.dumps(found.state.to_dict())))
        assert state == found.state
        assert found.update is None or found.update.state == state.state
        assert (found.pause > 0) is not state.over
        seen.append(found.update.state if found.update else None)
    assert seen == ["in_queue", None, "in_progress", "completed"]
    assert found.update.raw["output"]
    assert job.result().files


def test_a_poll_that_brings_nothing_is_counted(clients: Clients, proxy: FaultProxy) -> None:
    job = clients(proxy.url).submit("any/model", {})
    proxy.plan("status", answer(html(502)), answer(html(502)))
    first = job.poll()
    second = job.poll(first.state)
    assert (first.update, second.state.misses, "HTTP 502" in str(second.miss)) == (None, 2, True)
    assert job.poll(second.state).state.misses == 0
    proxy.plan("status", answer(json_response({"error_code": 404001}, 404)))
    with pytest.raises(NotFoundError):
        clients(proxy.url).job("job-1").poll()


def test_an_end_that_a_poll_sees_is_recorded(clients: Clients, proxy: FaultProxy, api: TinyApi, tmp_path: Any) -> None:
    api.statuses = [COMPLETED]
    client = clients(proxy.url, journal=tmp_path / "jobs.sqlite")
    assert client.submit("any/model", {}).poll().state.over
    assert [entry.state for entry in client.journal.entries()] == ["completed"]


def test_a_server_that_makes_up_words_does_not_fill_the_state(
    clients: Clients, proxy: FaultProxy, api: TinyApi
) -> None:
    api.statuses = [{"status": f"word-{number}"} for number in range(20)] + [COMPLETED]
    job = clients(proxy.url).submit("any/model", {})
    state: Any = None
    for _ in range(20):
        state = job.poll(state).state
    assert len(state.unknown_states) == 10


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"begun_at": "1", "state_since": 1.0},
        {"begun_at": 1.0, "state_since": float("nan")},
        {"begun_at": 1.0, "state_since": 1.0, "misses": -1},
        {"begun_at": 1.0, "state_since": 1.0, "queue_start": [1]},
        {"begun_at": 1.0, "state_since": 1.0, "ended": "yes"},
    ],
)
def test_what_is_no_state_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="no PollState"):
        PollState.from_dict(values)


def test_a_state_of_a_later_version_is_read() -> None:
    written = {"begun_at": 1.0, "state_since": 2, "unheard_of": [1]}
    assert PollState.from_dict(written) == PollState(begun_at=1.0, state_since=2)
