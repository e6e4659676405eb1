"""`run`, `submit` and what is asked of a job later: what is sent, what is told, what lands on disk."""

from __future__ import annotations

import io
import json
import shlex
import struct
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from runcomfy_simulator import Simulator

from tests.support.cli import EDIT, SCHEMAS, TEXT_TO_IMAGE
from tests.support.fault_proxy import FaultProxy, forward_to

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cli import Cli
    from tests.support.fault_proxy import Wire


def picture(width: int = 64, height: int = 64) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, "PNG")
    return file.getvalue()


def test_run_sends_what_was_given_and_saves_what_came(cli: Cli, sim: Simulator, tmp_path: Path) -> None:
    answer = cli("run", TEXT_TO_IMAGE, "prompt=a red fox", "scale=0.3", "-o", "out", sim=sim)
    assert answer.code == 0
    (job,) = sim.jobs
    assert job.input == {"prompt": "a red fox", "scale": 0.3}
    assert answer.err.splitlines()[0] == f"request {job.request_id}"
    (name,) = answer.out.splitlines()
    with Image.open(tmp_path / name) as saved:
        assert saved.format == "PNG"
    assert list((tmp_path / "out").iterdir()) == [tmp_path / name]


def test_run_as_json(cli: Cli, quick_sim: Simulator, tmp_path: Path) -> None:
    facts = cli("run", TEXT_TO_IMAGE, "prompt=x", "--json", "-o", "out", sim=quick_sim).json
    assert list(facts) == ["ok", "request_id", "model_id", "state", "output", "files", "cost", "warnings"]
    assert (facts["ok"], facts["model_id"], facts["state"]) == (True, TEXT_TO_IMAGE, "completed")
    (file,) = facts["files"]
    assert list(file) == ["url", "kind", "path"]
    assert (tmp_path / file["path"]).is_file()
    assert file["url"] in json.dumps(facts["output"])


def test_run_without_fetching_prints_the_urls(cli: Cli, quick_sim: Simulator, tmp_path: Path) -> None:
    answer = cli("run", TEXT_TO_IMAGE, "prompt=x", "--no-download", sim=quick_sim)
    assert answer.out.startswith(quick_sim.url)
    assert not list(tmp_path.glob("*.png"))


def test_the_state_is_printed_line_by_line_where_there_is_no_terminal(cli: Cli, tmp_path: Path) -> None:
    with Simulator(SCHEMAS, queue_seconds=0.6, run_seconds=0.6, slots=1) as sim:
        answer = cli("run", TEXT_TO_IMAGE, "prompt=x", sim=sim)
    words = [line.partition(" (")[0] for line in answer.err.splitlines()]
    assert words[0].startswith("request ")
    assert words[1].startswith("queued, position ")
    assert words[2:4] == ["running", "completed"]
    assert "\x1b" not in answer.err


def test_a_local_file_goes_along_as_a_data_uri(cli: Cli, sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    answer = cli("run", EDIT, "image_urls=@a.png", "prompt=x", sim=sim)
    assert answer.code == 0, answer.err
    (uri,) = sim.jobs[0].input["image_urls"]
    assert uri.startswith("data:image/png;base64,")


def test_a_file_that_breaks_a_rule_is_refused_with_the_pages_words(cli: Cli, sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "wide.png").write_bytes(picture(4097, 2000))
    answer = cli("run", EDIT, "image_urls=@wide.png", "prompt=x", "--json", sim=sim)
    assert answer.code == 65
    (problem,) = answer.json["error"]["report"]["errors"]
    assert (problem["path"], problem["code"]) == ("/image_urls/0", "media_rule")
    assert "4096" in problem["message"]
    assert sim.accepted == 0


def test_all_errors_are_reported_before_anything_is_sent(cli: Cli, sim: Simulator) -> None:
    answer = cli("run", TEXT_TO_IMAGE, "scale=2", "force_singel=true", "seed:=null", sim=sim)
    assert answer.code == 65
    for part in ("/scale", "did you mean 'force_single'", "'prompt' is required", "/seed"):
        assert part in answer.err
    assert sim.accepted == 0


def test_null_is_a_fault_as_it_is_in_a_file(cli: Cli, sim: Simulator) -> None:
    answer = cli("submit", TEXT_TO_IMAGE, "prompt=x", "scale:=null", sim=sim)
    assert answer.code == 65
    assert sim.accepted == 0


def test_dry_run_shows_the_request_and_sends_nothing(cli: Cli, sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    answer = cli("run", EDIT, "image_urls=@a.png", "prompt=x", "--dry-run", "--json", sim=sim)
    request = answer.json["request"]
    assert list(request) == ["method", "url", "headers", "content_length", "body"]
    assert request["url"] == f"{sim.url}/v1/models/{EDIT}"
    assert request["body"]["image_urls"][0].startswith("data:image/png;base64,[")
    assert sim.token not in answer.out
    assert sim.accepted == 0
    assert cli("submit", EDIT, "image_urls=@a.png", "prompt=x", sim=sim).code == 0
    sent = json.dumps(sim.jobs[0].input, separators=(",", ":"), ensure_ascii=False)
    assert request["content_length"] == len(sent.encode())


def test_dry_run_gives_the_advice_that_a_submit_gives(cli: Cli, tmp_path: Path) -> None:
    chunk = struct.pack(">I4s", 7 * 1024 * 1024, b"teXt") + bytes(7 * 1024 * 1024 + 4)
    small = picture()
    (tmp_path / "heavy.png").write_bytes(small[:33] + chunk + small[33:])
    answer = cli("run", EDIT, "image_urls=@heavy.png", "prompt=x", "--dry-run", "--json")
    (warning,) = answer.json["warnings"]
    assert "7.00 MB" in warning
    assert f"warning: {warning}" in answer.err


def test_dry_run_reads_a_model_id_as_a_submit_does(cli: Cli, sim: Simulator) -> None:
    words = ("acme/any:fast", "prompt=x", "--no-validate", "--json")
    shown = cli("run", *words, "--dry-run", sim=sim).json["request"]["url"]
    with FaultProxy(forward_to(sim.url)) as proxy:
        cli("submit", *words, sim=sim, env={"RUNCOMFY_BASE_URL": proxy.url})
        assert [sim.url + request.path for request in proxy.requests] == [shown]
    assert cli("run", "../../acme", *words[1:], "--dry-run", sim=sim).code == 2


def test_dry_run_needs_no_token(cli: Cli) -> None:
    answer = cli("run", TEXT_TO_IMAGE, "prompt=x", "--dry-run")
    assert answer.code == 0
    assert answer.out.startswith(f"POST https://model-api.runcomfy.net/v1/models/{TEXT_TO_IMAGE}\n")


def test_input_from_stdin_with_words_on_top(cli: Cli, sim: Simulator) -> None:
    given = '{"prompt": "a", "scale": 0.1}'
    assert cli("submit", TEXT_TO_IMAGE, "--input", "-", "scale=0.2", sim=sim, stdin=given).code == 0
    assert sim.jobs[0].input == {"prompt": "a", "scale": 0.2}


def test_submit_prints_the_request_id_and_the_job_can_be_picked_up(cli: Cli, sim: Simulator, tmp_path: Path) -> None:
    request_id = cli("submit", TEXT_TO_IMAGE, "prompt=x", sim=sim).out.strip()
    assert sim.jobs[0].request_id == request_id
    pending = cli("pending", "--json").json
    assert [(one["request_id"], one["state"], one["model_id"]) for one in pending["pending"]] == [
        (request_id, "submitted", TEXT_TO_IMAGE)
    ]
    assert list(pending["pending"][0]) == [
        "submission_id",
        "state",
        "model_id",
        "request_id",
        "job_key",
        "note",
        "base_url",
        "created_at",
    ]
    answer = cli("result", request_id, "--wait", "--json", "-o", "out", sim=sim)
    assert answer.json["state"] == "completed"
    assert (tmp_path / answer.json["files"][0]["path"]).is_file()
    assert cli("pending", "--json").json["pending"] == []
    assert "Nothing is pending" in cli("pending").err


def test_status_of_a_job(cli: Cli, sim: Simulator) -> None:
    request_id = cli("submit", TEXT_TO_IMAGE, "prompt=x", "--json", sim=sim).json["request_id"]
    sim.skip(10)
    assert cli("status", request_id, sim=sim).out == "completed\n"
    assert cli("status", request_id, "--json", sim=sim).json == {
        "ok": True,
        "request_id": request_id,
        "state": "completed",
        "queue_position": None,
        "over": True,
    }


def test_a_result_that_is_not_there_yet(cli: Cli) -> None:
    with Simulator(SCHEMAS, queue_seconds=60) as sim:
        request_id = cli("submit", TEXT_TO_IMAGE, "prompt=x", sim=sim).out.strip()
        answer = cli("result", request_id, sim=sim)
    assert answer.code == 75
    assert f"runcomfy-client result {request_id} --wait" in answer.err


def test_cancel_says_the_outcome(cli: Cli) -> None:
    with Simulator(SCHEMAS, queue_seconds=60) as sim:
        request_id = cli("submit", TEXT_TO_IMAGE, "prompt=x", sim=sim).out.strip()
        first = cli("cancel", request_id, "--json", sim=sim)
        again = cli("cancel", request_id, sim=sim)
        outcome = cli("result", request_id, "--json", sim=sim)
    assert first.code == 0
    assert first.json == {"ok": True, "request_id": request_id, "cancelled": True, "outcome": "cancelled"}
    assert again.code == 1
    assert again.out == "not cancelled (not_cancellable)\n"
    assert outcome.code == 1
    assert outcome.json["error"]["code"] == "job_cancelled"


def test_balance(cli: Cli, sim: Simulator) -> None:
    sim.balance = 12.5
    assert cli("balance", sim=sim).out == "12.50 USD\n"
    facts = cli("balance", "--json", sim=sim).json
    assert facts == {"ok": True, "usd": 12.5, "microdollars": 12_500_000, "currency": "USD"}


def test_a_job_key_makes_a_line_safe_to_run_again(cli: Cli, sim: Simulator) -> None:
    line = ("run", TEXT_TO_IMAGE, "prompt=x", "--job-key", "scene-12", "--json")
    first, second = cli(*line, sim=sim).json, cli(*line, sim=sim).json
    assert first["request_id"] == second["request_id"]
    assert sim.accepted == 1
    other = cli("submit", TEXT_TO_IMAGE, "prompt=y", "--job-key", "scene-12", "--json", sim=sim)
    assert other.code == 2
    assert other.json["error"]["code"] == "job_key_taken"
    assert other.json["error"]["request_id"] == first["request_id"]
    assert "runcomfy-client settle scene-12 --release" in other.json["error"]["hint"]
    assert sim.accepted == 1


@pytest.mark.parametrize("words", [("--journal", "my jobs.sqlite"), ("--journal=my jobs.sqlite",)])
def test_the_hint_after_a_lost_reply_names_the_journal_that_has_it(
    cli: Cli, sim: Simulator, words: tuple[str, ...]
) -> None:
    sim.script("submit 1: lost reply")
    lost = cli("submit", TEXT_TO_IMAGE, "prompt=x", "--job-key", "scene-12", *words, "--json", sim=sim)
    assert lost.code == 75
    _, _, line = lost.json["error"]["hint"].partition("then: runcomfy-client ")
    settled = cli(*shlex.split(line.partition("or runcomfy-client ")[2]), "--json")
    assert settled.json["entry"]["state"] == "refused"


def test_an_id_that_cannot_be_written_down_is_not_reported_as_a_taken_key(
    cli: Cli, sim: Simulator, tmp_path: Path
) -> None:
    """The job was started: whoever reads "nothing was sent" pays a second one."""

    def lose_the_journal(wire: Wire) -> None:
        (tmp_path / "jobs.sqlite").unlink()
        wire.send(wire.forward().encoded())

    with FaultProxy(forward_to(sim.url)) as proxy:
        proxy.plan("submit", lose_the_journal)
        answer = cli(
            *("submit", TEXT_TO_IMAGE, "prompt=x", "--job-key", "scene-12", "--journal", "jobs.sqlite", "--json"),
            sim=sim,
            env={"RUNCOMFY_BASE_URL": proxy.url},
        )
    (job,) = sim.jobs
    assert answer.code == 74
    assert answer.json["error"]["code"] == "journal"
    assert answer.json["error"]["request_id"] == job.request_id
    assert job.request_id in answer.err
    assert "nothing was sent" not in answer.err


@pytest.mark.parametrize(
    "words",
    [
        ("--job-key", ""),  # as a script with an unset variable has it: it must not pay twice
        ("--job-key", "a", "--no-journal"),
        ("--timeout", "-1"),
        ("--timeout", "nan"),
    ],
)
def test_options_that_would_surprise_are_refused_before_anything_is_paid(
    cli: Cli, sim: Simulator, words: tuple[str, ...]
) -> None:
    answer = cli("run", TEXT_TO_IMAGE, "prompt=x", *words, "--json", sim=sim)
    assert answer.code == 2
    assert answer.json["error"]["code"] == "usage"
    assert words[0] in answer.err
    assert sim.accepted == 0


def test_only_what_is_on_record_is_settled(cli: Cli, sim: Simulator) -> None:
    assert cli("submit", TEXT_TO_IMAGE, "prompt=x", "--job-key", "scene-12", sim=sim).code == 0
    for name, told in (("scene-13", "is not in"), ("scene-12", "nothing to settle")):
        answer = cli("settle", name, "--not-started")
        assert answer.code == 2
        assert told in answer.err


def test_a_time_to_wait_needs_a_wait(cli: Cli, sim: Simulator) -> None:
    answer = cli("result", "5f0c2d9e", "--timeout", "5", sim=sim)
    assert answer.code == 2
    assert "--wait" in answer.err


def test_an_unsure_submit_is_settled_by_hand(cli: Cli, sim: Simulator) -> None:
    sim.script("submit 1: lost reply")
    line = ("submit", TEXT_TO_IMAGE, "prompt=x", "--job-key", "scene-12", "--json")
    lost = cli(*line, sim=sim)
    assert lost.code == 75
    assert lost.json["error"]["code"] == "submission_unknown"
    assert "runcomfy-client settle scene-12" in lost.err
    assert [one["state"] for one in cli("pending", "--json").json["pending"]] == ["unsure"]
    assert cli(*line, sim=sim).code == 75
    assert sim.accepted == 1
    settled = cli("settle", "scene-12", "--request-id", sim.jobs[0].request_id, "--json")
    assert settled.json["entry"]["state"] == "submitted"
    assert cli(*line, sim=sim).json["request_id"] == sim.jobs[0].request_id
    assert sim.accepted == 1
    released = cli("settle", "scene-12", "--release", "--json")
    assert released.json["entry"]["state"] == "released"
    assert cli("settle", "scene-12").code == 2


def test_a_new_token_takes_over_the_jobs_of_the_old_one(cli: Cli, sim: Simulator) -> None:
    line = ("submit", TEXT_TO_IMAGE, "prompt=x", "--job-key", "scene-12", "--json")
    request_id = cli(*line, sim=sim).json["request_id"]
    cli("submit", TEXT_TO_IMAGE, "prompt=y", sim=sim)
    new = {"RUNCOMFY_API_TOKEN": "another-token"}
    taken = cli(*line, sim=sim, env=new)
    assert taken.code == 2
    words, _, command = taken.json["error"]["hint"].rpartition("runcomfy-client ")
    assert "new token" in words
    assert "--release" not in command  # that would pay again
    adopted = cli(*shlex.split(command), "--json", sim=sim, env=new)
    assert adopted.json["entry"]["request_id"] == request_id
    assert "2 submits taken over" in adopted.err
    assert cli(*line, sim=sim, env=new).json["request_id"] == request_id
    assert sim.accepted == 2
    for words, env, told in (
        (shlex.split(command), new, "already"),
        (shlex.split(command), {"RUNCOMFY_API_TOKEN": ""}, "no token"),
        (["settle", "scene-13", "--adopt"], new, "not on record"),
    ):
        refused = cli(*words, sim=sim, env=env)
        assert refused.code != 0
        assert told in refused.err


def test_no_journal_leaves_no_trace(cli: Cli, sim: Simulator, tmp_path: Path) -> None:
    assert cli("submit", TEXT_TO_IMAGE, "prompt=x", "--no-journal", sim=sim).code == 0
    assert not (tmp_path / "home" / "state").exists()
    assert cli("submit", TEXT_TO_IMAGE, "prompt=x", "--journal", "mine.sqlite3", sim=sim).code == 0
    assert (tmp_path / "mine.sqlite3").exists()
    assert not (tmp_path / "home" / "state").exists()


def test_a_model_without_a_schema_is_sent_as_it_is(cli: Cli, sim: Simulator) -> None:
    refused = cli("submit", "acme/new/model", "prompt=x", sim=sim)
    assert refused.code == 2
    assert "--no-validate" in refused.err
    sent = cli("submit", "acme/new/model", "prompt=x", "--no-validate", "--json", sim=sim)
    # The simulator does not know it either, and says so as the API does.
    assert sent.code == 2
    assert sent.json["error"]["error_code"] == 400001


def test_unchecked_input_is_sent_and_checked_by_the_api(cli: Cli, sim: Simulator) -> None:
    answer = cli("submit", TEXT_TO_IMAGE, "prompt=x", "scale=7", "--no-validate", "--json", sim=sim)
    assert answer.code == 65
    assert answer.json["error"]["code"] == "rejected_input"
    assert answer.json["error"]["status_code"] == 422


@pytest.mark.parametrize(
    "words", [["run"], ["run", TEXT_TO_IMAGE, "prompt"], ["status"], ["settle", "x"], ["nonsense"]]
)
def test_usage_errors(cli: Cli, words: list[str]) -> None:
    answer = cli(*words, "--json")
    assert answer.code == 2
    assert answer.json["error"]["code"] == "usage"
    assert "--help" in answer.err or "inputs look like" in answer.err or "settle needs" in answer.err


def test_files_are_called_as_asked_and_not_fetched_twice(cli: Cli, quick_sim: Simulator, tmp_path: Path) -> None:
    answer = cli("run", TEXT_TO_IMAGE, "prompt=x", "--json", sim=quick_sim)
    name = f"{answer.json['request_id']}-1"
    (saved,) = tmp_path.glob(f"{name}.*")
    before = saved.stat().st_mtime_ns
    again = cli("result", answer.json["request_id"], "--json", sim=quick_sim)
    assert again.json["files"][0]["path"] == answer.json["files"][0]["path"]
    assert saved.stat().st_mtime_ns == before
    cli("result", answer.json["request_id"], "--name", "fox-{index}{suffix}", sim=quick_sim)
    assert len(list(tmp_path.glob("fox-1.*"))) == 1


def test_a_name_that_is_none_is_refused_before_anything_is_paid(cli: Cli, quick_sim: Simulator) -> None:
    answer = cli("run", TEXT_TO_IMAGE, "prompt=x", "--name", "{prompt}{suffix}", sim=quick_sim)
    assert answer.code == 2
    assert "{request_id}" in answer.err
    assert "request " not in answer.err.splitlines()[0]


def test_jobs_lists_the_journal_with_totals(cli: Cli, sim: Simulator) -> None:
    done = cli("run", TEXT_TO_IMAGE, "prompt=x", "--json", sim=sim).json
    sim.script("submit 1: 422")
    cli("submit", TEXT_TO_IMAGE, "prompt=y", sim=sim)
    cli("submit", TEXT_TO_IMAGE, "prompt=z", "--job-key", "scene-12", sim=sim)
    facts = cli("jobs", "--json").json
    assert [(one["state"], one["job_key"]) for one in facts["jobs"]] == [
        ("completed", None),
        ("refused", None),
        ("submitted", "scene-12"),
    ]
    assert facts["jobs"][0]["request_id"] == done["request_id"]
    assert facts["jobs"][0]["cost"] == done["cost"]
    assert facts["totals"]["states"] == {"completed": 1, "refused": 1, "submitted": 1}
    assert facts["totals"]["files"] == len(facts["jobs"][0]["files"]) == 1
    rows = cli("jobs", "--limit", "1")
    assert len(rows.out.splitlines()) == 1
    assert "scene-12" in rows.out
    assert "3 jobs: 1 completed, 1 refused, 1 submitted" in rows.err
    assert "2 older ones are not listed" in rows.err


def test_pending_refresh_sees_what_ended(cli: Cli, sim: Simulator) -> None:
    ids = [cli("submit", TEXT_TO_IMAGE, "prompt=x", sim=sim).out.strip() for _ in range(2)]
    sim.skip(10)
    assert len(cli("pending", "--json").json["pending"]) == 2
    facts = cli("pending", "--refresh", "--json", sim=sim).json
    assert facts["pending"] == []
    assert [(one["request_id"], one["state"]) for one in facts["ended"]] == [(each, "completed") for each in ids]
    assert all(one["cost"] is not None for one in cli("jobs", "--json").json["jobs"])


def test_result_all_fetches_what_is_over(cli: Cli, tmp_path: Path) -> None:
    with Simulator(SCHEMAS, queue_seconds=0, run_seconds=1, slots=1) as sim:
        ids = [cli("submit", TEXT_TO_IMAGE, "prompt=x", sim=sim).out.strip() for _ in range(2)]
        answer = cli("result", "--all", "--wait", "-o", "out", "--json", sim=sim)
        assert answer.code == 0
        assert [one["request_id"] for one in answer.json["results"]] == ids
        paths = [one["files"][0]["path"] for one in answer.json["results"]]
        assert all((tmp_path / path).is_file() for path in paths)
        again = cli("result", "--all", "--json", sim=sim)
    assert again.json == {"ok": True, "results": [], "running": 0, "elsewhere": 0}


def test_a_journal_that_is_not_there_hides_no_jobs(cli: Cli, sim: Simulator, tmp_path: Path) -> None:
    for words in (("pending",), ("jobs",), ("settle", "x", "--not-started"), ("status", "x"), ("result", "x")):
        answer = cli(*words, "--journal", "typo.sqlite", "--json", sim=sim)
        assert (answer.code, answer.json["error"]["code"]) == (66, "no_file"), words
    assert not (tmp_path / "typo.sqlite").exists()
    # The default journal is made by the first submit, and nothing else.
    for words in (("pending",), ("jobs",)):
        assert cli(*words).code == 0
    assert not (tmp_path / "home" / "state").exists()
