"""What a message says to type next works as it stands: in the same journal, at the same address."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.cli.errors import hint
from runcomfy_client.errors import DownloadError, JobTimeoutError, NotFoundError, SubmissionUnknownError
from runcomfy_simulator import Simulator

from tests.support.cli import SCHEMAS, TEXT_TO_IMAGE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cli import Cli

PROGRAM = "runcomfy-client"


@pytest.mark.parametrize("error", [DownloadError, JobTimeoutError])
def test_a_hint_about_a_job_keeps_journal_and_address(error: type[DownloadError] | type[JobTimeoutError]) -> None:
    argv = ["result", "abc", "--journal", "my jobs.sqlite", "--base-url=http://localhost:9"]
    found = str(hint(error("It broke.", request_id="abc"), argv, PROGRAM))
    assert "result abc" in found
    assert found.endswith("--journal 'my jobs.sqlite' --base-url http://localhost:9")


def test_other_hints_keep_the_journal() -> None:
    lost = NotFoundError("No such request.", request_id="abc")
    assert "pending --journal a.sqlite lists" in str(hint(lost, ["status", "abc", "--journal", "a.sqlite"], PROGRAM))


def test_an_unsure_submit_has_both_commands_to_paste() -> None:
    error = SubmissionUnknownError("Nobody knows.", job_key="scene 12")
    found = hint(error, ["run", "--journal", "a.sqlite"], PROGRAM)
    assert found is not None
    assert found.commands == (
        "runcomfy-client settle 'scene 12' --request-id ID --journal a.sqlite",
        "runcomfy-client settle 'scene 12' --not-started --journal a.sqlite",
    )
    assert all(command in str(found) for command in found.commands)


def test_pending_advises_commands_for_its_journal(cli: Cli, sim: Simulator) -> None:
    submit = ("submit", TEXT_TO_IMAGE, "prompt=x", "--journal", "my.sqlite")
    assert cli(*submit, sim=sim).code == 0
    sim.script("submit 1: lost reply")
    lost = cli(*submit, "--job-key", "z", sim=sim)
    assert lost.code == 75
    (advice,) = [line for line in lost.err.splitlines() if line.startswith("hint: ")]
    stderr = cli("pending", "--journal", "my.sqlite").err
    for command in (
        "result REQUEST_ID --wait --journal my.sqlite",
        "settle NAME --request-id ID --journal my.sqlite",
        "settle NAME --not-started --journal my.sqlite",
    ):
        assert command in stderr
    settle = shlex.split(advice.rpartition("runcomfy-client ")[2])
    assert cli(*settle).code == 0
    assert "pending --journal my.sqlite lists" in cli("settle", "nobody", *settle[2:]).err


def test_result_all_advises_a_wait_in_its_journal(cli: Cli) -> None:
    with Simulator(SCHEMAS, queue_seconds=60) as sim:
        assert cli("submit", TEXT_TO_IMAGE, "prompt=x", "--journal", "my.sqlite", sim=sim).code == 0
        stderr = cli("result", "--all", "--journal", "my.sqlite", sim=sim).err
    assert "runcomfy-client result --all --wait --journal my.sqlite" in stderr


@pytest.mark.parametrize("command", [("run", TEXT_TO_IMAGE, "prompt=x"), ("submit", TEXT_TO_IMAGE), ("status", "abc")])
def test_a_journal_is_not_named_and_left_out_at_once(cli: Cli, sim: Simulator, command: tuple[str, ...]) -> None:
    answer = cli(*command, "--journal", "a.sqlite", "--no-journal", sim=sim)
    assert answer.code == 2
    assert "--journal and --no-journal exclude each other" in answer.err
    assert sim.accepted == 0


@pytest.mark.parametrize("words", [("pending", "--refresh"), ("result", "--all")])
def test_jobs_of_another_account_or_address_are_counted_not_hidden(
    cli: Cli, sim: Simulator, tmp_path: Path, words: tuple[str, ...]
) -> None:
    for _ in range(2):
        assert cli("submit", TEXT_TO_IMAGE, "prompt=x", sim=sim).code == 0
    # Without a token nobody can be asked, and nothing is said of the jobs.
    for more in ((), ("--json",)):
        answer = cli(*words, *more, env={"RUNCOMFY_BASE_URL": sim.url})
        assert answer.code == 77
        assert "No RunComfy token" in answer.err
    message = "2 jobs belong to another account or address"
    other = {"RUNCOMFY_API_TOKEN": "another-token"}
    stderr = cli(*words, sim=sim, env=other).err
    assert message in stderr
    assert "take them over: runcomfy-client settle NAME --adopt" in stderr
    assert cli(*words, "--json", sim=sim, env=other).json["elsewhere"] == 2
    with Simulator(SCHEMAS) as another:
        assert message in cli(*words, sim=another, env={"RUNCOMFY_API_TOKEN": sim.token}).err
    own = cli(*words, "--json", sim=sim)
    assert own.json["elsewhere"] == 0
    assert len(own.json.get("ended", own.json.get("results"))) == 2
