"""Never a submit unasked, never one twice: by the simulator's own count of accepted submits."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import TYPE_CHECKING, Any

import pytest
from mcp.server.elicitation import AcceptedElicitation
from mcp.shared.exceptions import MCPError
from mcp_types import ErrorData, InputRequiredResult
from runcomfy import AsyncResultStore, AsyncRunComfy
from runcomfy._index import PACKAGE
from runcomfy_mcp.answers import Refusal
from runcomfy_mcp.consent import Approval, KeyTaken
from runcomfy_mcp.files import LocalFiles
from runcomfy_mcp.jobs import Jobs
from runcomfy_mcp.models import Models
from runcomfy_mcp.settings import Settings
from runcomfy_mcp.tools import Tools
from runcomfy_simulator import Simulator

from tests.support.agents import ERAS, MODEL, NEW, OLD, TOKEN, Host, yes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A server takes a second to start, so the short run has one example of most things.
long_in_old_era = [pytest.param(OLD, marks=pytest.mark.long), NEW]


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(queue_seconds=0.0, run_seconds=0.05, balance=1e9) as simulator:
        yield simulator


def wait_for_accepted(sim: Simulator, count: int) -> None:
    deadline = time.monotonic() + 20
    while sim.accepted < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def submit_begun(host: Host, job_key: str) -> Any:
    return host.begin("submit_job", model_id=MODEL, input={"prompt": job_key}, job_key=job_key)


# Who may say yes.


@pytest.mark.long
@pytest.mark.parametrize("era", ERAS)
def test_a_client_that_cannot_ask_is_refused_and_learns_what_a_person_can_do(
    sim: Simulator, tmp_path: Path, era: str
) -> None:
    with Host(sim, tmp_path, era=era, person=None) as host:
        result = host.submit("k")
        assert result.is_error
        answer = result.structured_content or {}
        assert answer["error"]["code"] == "cannot_ask"
        assert "mcp --spend budget --max-cost 5 --max-jobs 20" in answer["next"]
        assert host.facts("list_jobs", which="all")["total"] == 0
    assert sim.accepted == 0


@pytest.mark.long
@pytest.mark.parametrize("era", ERAS)
def test_a_client_that_lies_about_asking_never_pays(sim: Simulator, tmp_path: Path, era: str) -> None:
    """It says that it can ask, and answers with an error, or with answers to questions nobody has put."""
    with Host(sim, tmp_path, era=era) as host:
        unable: Any = ErrorData(code=-32601, message="no such thing")
        host.person = lambda: unable
        with contextlib.suppress(MCPError):  # in the newer era the client never gets to answer
            assert host.submit("k").is_error
        if era == NEW:
            host.person = yes
            # Other keys: the first question is still open for a while.
            arguments = {"model_id": MODEL, "input": {"prompt": "a cat"}, "job_key": "l"}
            call = host.client.session.call_tool
            first = host.run(call("submit_job", arguments, allow_input_required=True))
            assert isinstance(first, InputRequiredResult)
            assert first.input_requests is not None
            answers: Any = {name: yes() for name in first.input_requests}
            # An answer without its question, with a forged one, and with the question of another input.
            unasked = {**arguments, "job_key": "m"}
            again = host.run(call("submit_job", unasked, input_responses=answers, allow_input_required=True))
            assert isinstance(again, InputRequiredResult)
            for state, changed in (
                ("forged", arguments),
                (first.request_state, {**arguments, "input": {"prompt": "b"}}),
            ):
                with pytest.raises(MCPError, match="requestState"):
                    host.run(call("submit_job", changed, input_responses=answers, request_state=state))
        assert host.facts("list_jobs", which="all")["total"] == 0
    assert sim.accepted == 0


@pytest.mark.long
def test_never_looks_and_checks_only(sim: Simulator, tmp_path: Path) -> None:
    with Host(sim, tmp_path, "--spend", "never") as host:
        assert host.facts("validate_input", model_id=MODEL, input={"prompt": "x"})["ok"]
        assert host.refusal("submit_job", model_id=MODEL, input={"prompt": "x"}, job_key="k")["code"] == "spending_off"
        assert host.refusal("cancel_job", request_id="a")["code"] == "spending_off"
        assert host.questions == []
    assert sim.accepted == 0


def test_a_key_that_is_freed_meanwhile_pays_nothing_without_consent(sim: Simulator, tmp_path: Path) -> None:
    """The key had its job when the question was left out, and has none when the job is to be submitted."""
    settings = Settings(spend="ask", max_cost=None, max_jobs=None, results=tmp_path)

    async def submit(answer: object) -> Any:
        async with AsyncRunComfy(TOKEN, sim.url, journal=tmp_path / "journal.sqlite3") as client:
            jobs = Jobs(client, AsyncResultStore(tmp_path))
            tools = Tools(settings, PACKAGE, client, Models(PACKAGE, client), jobs, LocalFiles(()))
            try:
                return await tools.submit(MODEL, {"prompt": "x"}, "k", AcceptedElicitation.model_construct(data=answer))
            finally:
                await jobs.close()

    for answer, code in (
        (KeyTaken(), "job_key_free"),
        (Approval(approve=False), "not_approved"),
        (None, "not_approved"),
    ):
        with pytest.raises(Refusal) as refusal:
            asyncio.run(submit(answer))
        assert refusal.value.code == code
    assert sim.accepted == 0
    asyncio.run(submit(Approval(approve=True)))
    assert asyncio.run(submit(KeyTaken())).structured_content["already_submitted"]
    assert sim.accepted == 1


# Budgets.


@pytest.mark.parametrize("era", long_in_old_era)
def test_five_submits_at_once_against_a_budget_for_two(sim: Simulator, tmp_path: Path, era: str) -> None:
    """From two servers on one journal."""
    words = ("--spend", "budget", "--max-cost", "0.09", "--max-jobs", "3")  # a job is estimated at 0.04 USD
    with Host(sim, tmp_path, *words, era=era) as first, Host(sim, tmp_path, *words, era=era) as second:
        calls = [submit_begun(host, f"k{number}") for number, host in enumerate((first, second, first, second, first))]
        results = [call.result(60) for call in calls]
        accepted = [result for result in results if not result.is_error]
        codes = {result.structured_content["error"]["code"] for result in results if result.is_error}
        assert (len(accepted), codes, sim.accepted) == (2, {"budget_exceeded"}, 2)
        assert first.questions == second.questions == []


@pytest.mark.long
@pytest.mark.parametrize("era", ERAS)
def test_a_restart_resets_no_budget(sim: Simulator, tmp_path: Path, era: str) -> None:
    words = ("--spend", "budget", "--max-cost", "0.09")
    with Host(sim, tmp_path, *words, era=era) as first:
        jobs = [first.facts("submit_job", model_id=MODEL, input={"prompt": key}, job_key=key) for key in "ab"]
    with Host(sim, tmp_path, *words, era=era) as second:
        error = second.refusal("submit_job", model_id=MODEL, input={"prompt": "x"}, job_key="new")
        assert (error["code"], error["jobs"]) == ("budget_exceeded", 2)
        again = second.facts("submit_job", model_id=MODEL, input={"prompt": "a"}, job_key="a")
        assert again["request_id"] == jobs[0]["request_id"]
    assert sim.accepted == 2


@pytest.mark.long
@pytest.mark.parametrize("era", ERAS)
def test_jobs_are_counted_exactly(sim: Simulator, tmp_path: Path, era: str) -> None:
    with Host(sim, tmp_path, "--spend", "budget", "--max-jobs", "3", era=era) as host:
        calls = [submit_begun(host, f"k{number}") for number in range(8)]
        assert sum(not call.result(60).is_error for call in calls) == 3
        sim.script("submit 1: error body 400002")
        assert host.submit("one more").is_error
    assert sim.accepted == 3


@pytest.mark.long
def test_a_refused_submit_leaves_its_place_in_the_budget(sim: Simulator, tmp_path: Path) -> None:
    with Host(sim, tmp_path, "--spend", "budget", "--max-jobs", "1") as host:
        sim.script("submit 1: error body 400002")
        assert host.refusal("submit_job", model_id=MODEL, input={"prompt": "x"}, job_key="k")["code"] == (
            "insufficient_balance"
        )
        assert not host.submit("k", "x").is_error
    assert sim.accepted == 1


# Lost replies, calls that are given up, servers that die.


@pytest.mark.long
@pytest.mark.parametrize("era", ERAS)
def test_a_lost_reply_is_unsure_and_the_same_key_sends_nothing(sim: Simulator, tmp_path: Path, era: str) -> None:
    sim.script("submit 1: lost reply")
    with Host(sim, tmp_path, era=era) as host:
        for _ in range(2):
            result = host.submit("k")
            answer = result.structured_content or {}
            assert (result.is_error, answer["error"]["code"]) == (True, "submission_unknown")
            assert "settle" in answer["next"]
            assert "same job_key sends nothing" in answer["next"]
        (row,) = host.facts("list_jobs")["jobs"]
        assert (row["state"], row["job_key"], row["request_id"]) == ("unsure", "k", None)
        assert len(host.questions) == 1
    assert sim.accepted == 1


@pytest.mark.long
@pytest.mark.parametrize("era", ERAS)
def test_a_call_that_is_given_up_is_found_and_finished_by_another_server(
    sim: Simulator, tmp_path: Path, era: str
) -> None:
    sim.script("job *: run 4", "submit 1: latency 3")
    with Host(sim, tmp_path, "--spend", "budget", "--max-jobs", "5", era=era) as host:
        arguments = {"model_id": MODEL, "input": {"prompt": "x"}, "job_key": "k"}
        assert host.facts("list_jobs")["total"] == 0  # by now the server has started
        with pytest.raises(MCPError):
            host.run(host.client.session.call_tool("submit_job", arguments, read_timeout_seconds=2))
        (row,) = host.facts("list_jobs")["jobs"]
        assert row["job_key"] == "k"
    with Host(sim, tmp_path, "--spend", "never", era=era) as other:
        (row,) = other.facts("list_jobs")["jobs"]
        assert row["state"] == "submitted"
        facts = other.facts("wait_for_job", request_id=row["request_id"])
        while facts["state"] != "completed":
            facts = other.facts("wait_for_job", request_id=row["request_id"])
        assert len(facts["files"]) == 1
    assert sim.accepted == 1


@pytest.mark.long
@pytest.mark.parametrize("era", ERAS)
def test_a_server_killed_between_post_and_reply_has_paid_once(sim: Simulator, tmp_path: Path, era: str) -> None:
    sim.script("submit 1: drip 1 bytes every 0.5")
    words = ("--spend", "budget", "--max-jobs", "5")
    with Host(sim, tmp_path, *words, era=era) as host:
        call = submit_begun(host, "k")
        wait_for_accepted(sim, 1)
        host.kill()
        with pytest.raises(MCPError):
            call.result(60)
    with Host(sim, tmp_path, *words, era=era) as other:
        result = other.submit("k", "k")
        assert (result.structured_content or {})["error"]["code"] == "submission_unknown"
        (row,) = other.facts("list_jobs")["jobs"]
        assert row["state"] == "unsure"
        assert other.facts("get_balance")["last_24_hours"] == {"jobs": 1, "spent_usd": 0.0, "reserved_usd": 0.04}
    assert sim.accepted == 1


FAULTS = ("latency 0.2", "latency 0.6", "lost reply", "503", "503 accepted", "drop", "html", "cut json", "429")


@pytest.mark.parametrize(
    ("era", "first", "count"),
    [(NEW, 0, 2), pytest.param(OLD, 5, 50, marks=pytest.mark.long), pytest.param(NEW, 55, 50, marks=pytest.mark.long)],
    ids=["a sample", "the whole, old", "the whole, new"],
)
def test_time_outs_and_repeats_never_pay_twice(
    sim: Simulator, tmp_path: Path, era: str, first: int, count: int
) -> None:
    """Random calls that are given up and repeated, several at once, while the API answers badly."""
    asked = 0
    with Host(sim, tmp_path, era=era) as host:
        for seed in range(first, first + count):
            draw = random.Random(seed)
            key, before = f"key-{seed}", {job.request_id for job in sim.jobs}
            sim.clear_script()
            sim.script(f"submit {draw.randint(1, 2)}: {draw.choice(FAULTS)}", f"submit 3: {draw.choice(FAULTS)}")
            arguments = {"model_id": MODEL, "input": {"prompt": key}, "job_key": key}
            call = host.client.session.call_tool
            for _ in range(draw.randint(2, 4)):
                calls = []
                for _ in range(draw.randint(1, 2)):
                    if draw.random() < 0.5:
                        calls.append(host.begin("submit_job", **arguments))
                    else:
                        seconds = draw.choice((0.01, 0.05, 0.3))
                        host_call = call(
                            "submit_job", arguments, read_timeout_seconds=seconds, allow_input_required=True
                        )
                        with contextlib.suppress(MCPError, TimeoutError):
                            host.run(host_call)
                    time.sleep(draw.random() * 0.05)
                for each in calls:
                    each.result(60)
            asked += len(host.questions)
            deadline = time.monotonic() + 10
            while any(row["state"] == "sending" for row in host.facts("list_jobs", limit=100)["jobs"]):
                assert time.monotonic() < deadline
            accepted = [job for job in sim.jobs if job.request_id not in before and job.input["prompt"] == key]
            assert len(accepted) <= 1, seed
            assert len(sim.jobs) - len(before) <= 1, seed
    assert asked
