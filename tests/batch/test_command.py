"""`runcomfy-client batch`: what its exit codes mean, what it prints, and how it is stopped."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Protocol

import pytest
from rich.console import Console
from runcomfy_client.batch.items import BatchStatus
from runcomfy_client.cli.batch_progress import BatchProgress
from runcomfy_simulator import Simulator

from tests.support.cli import SCHEMAS, SCRIPT, TEXT_TO_IMAGE, Answer
from tests.support.scripts import run_script

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = 8


class Command(Protocol):
    def __call__(self, *words: str) -> Answer: ...


@pytest.fixture(scope="module")
def one_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the one model that is asked for here, which is read in no time."""
    folder = tmp_path_factory.mktemp("schemas")
    shutil.copy(SCHEMAS / "output.json", folder)
    shutil.copytree(SCHEMAS / TEXT_TO_IMAGE, folder / TEXT_TO_IMAGE)
    return folder


@pytest.fixture
def sim(one_model: Path) -> Iterator[Simulator]:
    with Simulator(one_model, queue_seconds=0.0, run_seconds=0.05, slots=200) as simulator:
        yield simulator


def environment(sim: Simulator) -> dict[str, str]:
    return {**os.environ, "RUNCOMFY_BASE_URL": sim.url, "RUNCOMFY_API_TOKEN": sim.token}


@pytest.fixture
def batch(sim: Simulator, tmp_path: Path) -> Command:
    lines = [f"fox-{n},a paper fox number {n}" for n in range(COUNT)]
    (tmp_path / "rows.csv").write_text("\n".join(["key,prompt", *lines, ""]))

    def call(*words: str) -> Answer:
        return run_script("runcomfy-client", ("batch", *words), folder=tmp_path, environment=environment(sim))

    return call


ROWS = ("rows.csv", "--model", TEXT_TO_IMAGE)
RUN = ("run", *ROWS, "-o", "out")


def test_a_check_estimates_and_sends_nothing(batch: Command, sim: Simulator) -> None:
    answer = batch("check", *ROWS, "--price", f"{TEXT_TO_IMAGE}=0.5", "--json")
    assert answer.code == 0, answer.err
    assert (answer.json["jobs"], answer.json["estimate"]) == (COUNT, COUNT * 0.5)
    assert batch(*RUN, "--dry-run").code == 0
    assert sim.accepted == 0


def test_a_wrong_row_is_65_and_nothing_is_sent(batch: Command, sim: Simulator, tmp_path: Path) -> None:
    with (tmp_path / "rows.csv").open("a") as file:
        file.write("owl,\n")
    for words in (("check", *ROWS), RUN):
        answer = batch(*words)
        assert answer.code == 65
        assert f"line {COUNT + 2}: /prompt: " in answer.out
    assert sim.accepted == 0
    assert not (tmp_path / "out").exists()
    assert batch("check", "no-such-file.csv").code == 66


def test_a_batch_that_is_done_is_0_and_pays_nothing_again(batch: Command, sim: Simulator, tmp_path: Path) -> None:
    for _ in range(2):
        answer = batch(*RUN, "--json")
        assert answer.code == 0, answer.err
        assert answer.json["counts"]["done"] == COUNT
    assert sim.accepted == COUNT
    assert batch("status", "out", "--json").json["ended"] == COUNT
    assert json.loads((tmp_path / "out" / "report.json").read_text())["total"] == COUNT


def test_a_budget_and_a_pause_are_75(batch: Command, sim: Simulator) -> None:
    answer = batch(*RUN, "--budget", "0.15", "--price", f"{TEXT_TO_IMAGE}=0.05")
    assert answer.code == 75
    assert "a higher --budget goes on" in answer.err
    accepted = sim.accepted
    assert 0 < accepted < COUNT
    assert batch("pause", "out").code == 0
    assert batch(*RUN).code == 75
    assert sim.accepted == accepted
    assert batch("resume", "out").code == 0
    assert batch(*RUN).code == 0
    assert sim.accepted == COUNT


def test_failed_jobs_are_1_and_a_retry_runs_exactly_those(batch: Command, sim: Simulator) -> None:
    sim.script("job 2-3: fail")
    assert batch(*RUN).code == 1
    assert batch("failures", "out", "--json").json["failures"][0]["count"] == 2
    assert batch("retry", "out").code == 2
    assert batch("retry", "out", "--failed", "--yes").code == 0
    assert sim.accepted == COUNT + 2


def test_an_unsure_job_is_75_until_it_is_settled(batch: Command, sim: Simulator) -> None:
    sim.script("submit 1: lost reply")
    answer = batch(*RUN, "--submits", "1")
    assert answer.code == 75
    assert "fox-0 unsure" in answer.err
    (job,) = [job for job in sim.jobs if job.input["prompt"].endswith("number 0")]
    assert batch("settle", "out", "fox-0").code == 2
    assert batch("settle", "out", "fox-0", "--request-id", job.request_id).code == 0
    assert batch(*RUN).code == 0
    assert sim.accepted == COUNT


def test_what_cannot_be_meant_is_a_plain_error_and_sends_nothing(
    batch: Command, sim: Simulator, tmp_path: Path
) -> None:
    (tmp_path / "afile").write_text("")
    (tmp_path / "latin.csv").write_bytes("key,prompt\nfox,caf\xe9\n".encode("latin-1"))
    (tmp_path / "rich.jsonl").write_text(json.dumps({"input": {"prompt": "x"}, "price": 1e300}) + "\n")
    (tmp_path / "taken" / "results.jsonl").mkdir(parents=True)
    for words, code, text in (
        (("check", *ROWS, "--price", "bytedance/misspelt=3"), 2, "no row has that model"),
        ((*RUN, "--concurrency", "9" * 22), 2, "a whole number from 1 to"),
        (("run", *ROWS, "-o", "afile"), 2, "a file is there"),
        (("run", *ROWS, "-o", "taken"), 74, "cannot write"),
        (("check", "latin.csv", *ROWS[1:]), 65, "save the file as UTF-8"),
        (("check", "rich.jsonl", *ROWS[1:]), 65, "no amount of US dollars"),
        (("check", "rows.csv"), 65, "--model"),
    ):
        answer = batch(*words)
        assert (answer.code, text in answer.out + answer.err) == (code, True), answer
    assert sim.accepted == 0


def test_an_error_about_a_batch_says_what_to_do(batch: Command, sim: Simulator) -> None:
    sim.script("submit 1: lost reply")
    assert batch(*RUN, "--submits", "1").code == 75
    assert "hint: settle it first: it may have been paid" in batch("retry", "out", "--key", "fox-0").err


def test_an_expired_job_is_75_and_names_the_retry(batch: Command, sim: Simulator) -> None:
    sim.script("file 1-: 404")
    answer = batch("run", *ROWS, "-o", "out")
    assert (answer.code, "batch failures out" in answer.err) == (75, True)
    assert "To pay again: runcomfy-client batch retry out --failed" in batch("failures", "out").err


def test_a_refused_token_is_77(batch: Command, sim: Simulator) -> None:
    sim.script("submit 1-: 401")
    assert batch(*RUN).code == 77
    assert sim.accepted == 0


def test_sigterm_is_130_and_leaves_nothing_unsure(batch: Command, sim: Simulator, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [str(SCRIPT), "batch", *RUN, "--rate", "4"],
        cwd=tmp_path,
        env=environment(sim),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while sim.accepted < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert b"again to stop at once" in err
    counts = batch("status", "out", "--json").json["counts"]
    assert counts["unsure"] == counts["submitting"] == 0
    assert counts["waiting"] > 0
    assert batch(*RUN).code == 0
    assert sim.accepted == COUNT


def test_an_api_that_is_down_is_69_and_the_same_line_goes_on(batch: Command, sim: Simulator) -> None:
    sim.script("request *: drop")
    answer = batch(*RUN, "--price", f"{TEXT_TO_IMAGE}=0.05", "--max-unsure", "1000", "--base-url", "http://127.0.0.1:9")
    assert answer.code == 69, answer.err
    assert "the same line again goes on" in answer.err
    assert "127.0.0.1:9" in answer.err


def test_a_budget_without_a_price_is_2_and_names_the_option(batch: Command, sim: Simulator) -> None:
    sim.script("catalog *: 404")
    answer = batch(*RUN, "--budget", "5")
    assert answer.code == 2
    assert f"--price {TEXT_TO_IMAGE}=USD" in answer.err
    assert sim.accepted == 0


def test_an_export_has_a_line_for_each_job(batch: Command, sim: Simulator, tmp_path: Path) -> None:
    sim.script("job 3: fail")
    batch(*RUN)
    lines = [json.loads(line) for line in batch("export", "out").out.splitlines()]
    assert len(lines) == COUNT
    assert lines == [json.loads(line) for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()]
    assert batch("export", "out", "-o", "all.csv", "--json").json["jobs"] == COUNT
    with (tmp_path / "all.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["key"] for row in table] == [line["key"] for line in lines]
    assert {row["state"] for row in table} == {"done", "failed"}
    assert all((tmp_path / "out" / row["files"]).is_file() for row in table if row["files"])


def test_hints_name_the_folder_as_a_shell_takes_it(batch: Command, sim: Simulator) -> None:
    sim.script("submit 1: lost reply")
    answer = batch("run", *ROWS, "-o", "my pictures")
    assert "batch failures 'my pictures'" in answer.err
    assert "batch settle 'my pictures' KEY" in batch("failures", "my pictures").err


@pytest.mark.long
def test_a_watch_ends_with_the_run(batch: Command, sim: Simulator, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [str(SCRIPT), "batch", *RUN, "--rate", "4"], cwd=tmp_path, env=environment(sim), stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 30
    while sim.accepted < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    answer = batch("status", "out", "--watch")
    assert answer.code == 0
    assert f"{COUNT} of {COUNT} done" in answer.out
    assert process.wait(30) == 0


@pytest.mark.long
def test_the_example_of_each_help_works(batch: Command, sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "prompts.csv").write_text("key,prompt\nscene-12,a fox\nscene-13,an owl\n")
    sim.script("submit 1: lost reply")
    names = [name for name in re.findall(r"^│ (\w+)  ", batch("--help").out, re.MULTILINE) if name != "work"]
    order = ["check", "run"]
    assert set(order) < set(names)
    for name in sorted(names, key=lambda name: (order.index(name) if name in order else 9, name)):
        example = batch(name, "--help").out.partition("\nExample:\n")[2]
        words = shlex.split(example.replace("\\\n", " "))
        assert words[:2] == ["runcomfy-client", "batch"], f"{name} --help has no example"
        answer = batch(*words[2:])
        assert answer.code == (75 if name == "run" else 0), f"{words}: {answer.err}"


def test_the_display_says_all_that_counts_on_a_narrow_terminal() -> None:
    states = ("waiting", "submitting", "running", "fetching", "done", "failed", "refused", "unsure", "expired")
    status = BatchStatus(
        name="out",
        counts=dict(zip(states, (1700, 2, 96, 2, 180, 15, 3, 1, 1), strict=True)),
        spent=12.5,
        reserved=4.0,
        budget=100.0,
        estimate_left=70.0,
        paused=False,
        active=True,
        rate=240.0,
    )
    progress = BatchProgress(lambda: status)
    progress._status = status
    console = Console(width=60, record=True, file=io.StringIO(), force_terminal=True)
    console.print(progress)
    bar, *lines = console.export_text().splitlines()
    assert len(bar.strip()) == 60
    text = " ".join(line.strip() for line in lines)
    assert text.startswith("180 of 2000 done, 98 running, 2 fetching, 1700 waiting, 15 failed, 3 refused, 1 unsure, 1")
    assert text.endswith("240 a minute, 7:30 left; 12.50 USD spent, 4.00 reserved of 100.00")
