"""How commands end: the exit code of each kind of error, Ctrl-C, a reader that left, tracebacks only when asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from runcomfy_simulator import Simulator

from tests.support.cli import EDIT, SCHEMAS, SCRIPT, TEXT_TO_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.cli import Cli

RUN = ("run", TEXT_TO_IMAGE, "prompt=x", "--json")


@pytest.mark.parametrize(
    ("script", "words", "exit_code", "code"),
    [
        ("job: fail", RUN, 1, "job_failed"),
        ("submit: 401", RUN, 77, "authentication"),
        ("submit: 403", RUN, 77, "permission_denied"),
        ("submit: 402", RUN, 77, "insufficient_balance"),
        ("submit: 422", RUN, 65, "rejected_input"),
        ("submit: 429", RUN, 69, "rate_limit"),
        ("submit: 503", RUN, 75, "submission_unknown"),
        ("submit: lost reply", RUN, 75, "submission_unknown"),
        ("file: 404", RUN, 74, "download"),
    ],
)
def test_each_kind_of_error_has_its_exit_code(
    cli: Cli, sim: Simulator, script: str, words: tuple[str, ...], exit_code: int, code: str
) -> None:
    sim.script(script)
    answer = cli(*words, sim=sim)
    error = answer.json["error"]
    assert (answer.code, error["code"]) == (exit_code, code)
    assert error["exit_code"] == exit_code
    assert answer.json["ok"] is False
    assert answer.err.splitlines()[-1].startswith(("error: ", "hint: "))
    assert "Traceback" not in answer.err


def test_errors_after_the_submit_name_the_request(cli: Cli, sim: Simulator) -> None:
    sim.script("job: fail")
    assert cli(*RUN, sim=sim).json["error"]["request_id"] == sim.jobs[0].request_id


def test_nobody_answers(cli: Cli) -> None:
    answer = cli(*RUN, env={"RUNCOMFY_BASE_URL": "http://127.0.0.1:9", "RUNCOMFY_API_TOKEN": "t"})
    assert answer.code == 69
    assert answer.json["error"]["code"] == "transport"
    assert "hint: check that a server, such as the simulator, is running there; RUNCOMFY_BASE_URL sets" in answer.err
    assert "base_url=" not in answer.err


def test_no_token(cli: Cli) -> None:
    answer = cli("balance", "--json")
    assert answer.code == 77
    assert answer.json["error"]["code"] == "authentication"
    for name in ("RUNCOMFY_API_TOKEN", "RUNCOMFY_API_KEY", "RUNCOMFY_TOKEN"):
        assert name in answer.err
        assert name in answer.json["error"]["hint"]


def test_a_token_that_is_refused_is_named_by_its_place(cli: Cli, sim: Simulator) -> None:
    sim.script("submit: 401")
    answer = cli("run", TEXT_TO_IMAGE, "prompt=x", sim=sim)
    assert answer.code == 77
    assert answer.err.splitlines()[-1] == "hint: the token was read from RUNCOMFY_API_TOKEN"


def test_a_request_nobody_knows(cli: Cli, sim: Simulator) -> None:
    answer = cli("status", "5f0c2d9e", sim=sim)
    assert answer.code == 2
    assert answer.err.splitlines()[-1].startswith("hint: runcomfy-client pending")


def test_a_file_named_without_its_mark(cli: Cli) -> None:
    answer = cli("run", EDIT, "image_urls=my cat.png", "prompt=x", "--json")
    assert answer.code == 65
    assert answer.json["error"]["hint"] == "to send a file, write 'image_urls=@my cat.png'"


def test_an_address_that_would_show_the_token(cli: Cli) -> None:
    answer = cli("balance", "--json", "--base-url", "http://example.com", env={"RUNCOMFY_API_TOKEN": "t"})
    assert answer.code == 2
    assert answer.json["error"]["code"] == "configuration"


def test_a_missing_file(cli: Cli) -> None:
    answer = cli("run", EDIT, "image_urls=@none.png", "prompt=x", "--json")
    assert answer.code == 66
    assert answer.json["error"]["code"] == "no_file"


def test_a_folder_that_cannot_be_written_is_found_before_anything_is_paid(
    cli: Cli, sim: Simulator, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    answer = cli(*RUN, "-o", "file", sim=sim)
    assert answer.code == 74
    assert answer.json["error"]["code"] == "not_written"
    assert sim.accepted == 0


def test_the_wait_ends_and_the_job_goes_on(cli: Cli) -> None:
    with Simulator(SCHEMAS, queue_seconds=60) as sim:
        answer = cli(*RUN, "--timeout", "0.5", sim=sim)
        state = sim.jobs[0].state
    assert answer.code == 75
    assert answer.json["error"]["code"] == "job_timeout"
    assert f"runcomfy-client result {answer.json['error']['request_id']} --wait" in answer.err
    assert str(state) == "in_queue"


def test_tracebacks_only_when_asked_for(cli: Cli) -> None:
    assert "Traceback" not in cli("balance").err
    assert "Traceback" in cli("balance", "--debug").err


@pytest.fixture
def slow_sim(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """A simulator whose jobs stay where the test wants them."""
    with Simulator(SCHEMAS, **request.param) as simulator:
        yield simulator


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT to one process")
@pytest.mark.parametrize(
    ("slow_sim", "message", "state"),
    [
        ({"queue_seconds": 60.0}, "it was cancelled", "cancelled"),
        ({"queue_seconds": 0.0, "run_seconds": 60.0}, "still runs and is paid for", "in_progress"),
    ],
    indirect=["slow_sim"],
)
def test_ctrl_c_cancels_and_says_the_outcome(
    slow_sim: Simulator, environment: dict[str, str], tmp_path: Path, message: str, state: str
) -> None:
    with subprocess.Popen(
        [str(SCRIPT), *RUN],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**environment, "RUNCOMFY_BASE_URL": slow_sim.url, "RUNCOMFY_API_TOKEN": slow_sim.token},
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        second = process.stderr.readline()
        assert first.startswith("request ")
        assert second.startswith(("queued", "running"))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert message in err
    assert err.count(message) == 1
    assert '"code": "interrupted"' in out
    assert message in out
    assert str(slow_sim.jobs[0].state) == state


@pytest.mark.skipif(os.name == "nt", reason="a pipe of a shell")
@pytest.mark.parametrize("words", ["models", "run --help", f"show {EDIT}", f"validate {TEXT_TO_IMAGE} - --format json"])
def test_a_reader_that_has_enough_is_no_error(environment: dict[str, str], tmp_path: Path, words: str) -> None:
    many = (tmp_path / "many.jsonl").open("w")
    with many:
        many.write('{"prompt": 1}\n' * 5000)
    source = f"{words} --jsonl < many.jsonl" if "validate" in words else words
    done = subprocess.run(
        ["bash", "-c", f"'{SCRIPT}' {source} | true; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode in (0, 141)  # 0 if all was written before the reader left


@pytest.mark.skipif(os.name == "nt", reason="a shell's redirections")
@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        # Python's stream is None where the shell closed it.
        ("models >&-", 0, ""),
        ("show no/such 2>&-", 2, ""),
        (f"validate {TEXT_TO_IMAGE} - <&-", 65, ""),
        (f"run {EDIT} --dry-run prompt=x image_urls=@- <&-", 65, "the file is empty\n"),
        ("models >/dev/full", 74, "error: cannot write the output: No space left on device\n"),
        ("models --json >/dev/full", 74, "error: cannot write the output: No space left on device\n"),
        (f"validate {TEXT_TO_IMAGE} many.jsonl >/dev/full", 74, "No space left on device\n"),
        ("show no/such 2>/dev/full", 2, ""),
    ],
)
def test_streams_that_are_closed_or_full(
    line: str, code: int, message: str, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "many.jsonl").write_text('{"prompt": 1}\n' * 5000)
    done = subprocess.run(
        ["bash", "-c", f"'{SCRIPT}' {line}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert done.returncode == code
    assert done.stderr.endswith(message)
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")  # noqa: PTH110
def test_a_paid_job_goes_on_where_its_notes_cannot_be_written(
    quick_sim: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        ["bash", "-c", f"'{SCRIPT}' run {TEXT_TO_IMAGE} prompt=x 2>/dev/full"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**environment, "RUNCOMFY_BASE_URL": quick_sim.url, "RUNCOMFY_API_TOKEN": quick_sim.token},
        check=False,
    )
    assert done.returncode == 0
    assert (tmp_path / done.stdout.strip()).is_file()


def test_a_console_that_is_not_utf8_gets_utf8(environment: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [str(SCRIPT), "show", EDIT],
        capture_output=True,
        cwd=tmp_path,
        env={**environment, "PYTHONIOENCODING": "cp1252", "LC_ALL": "C"},
        check=True,
    )
    assert "width×height" in done.stdout.decode("utf-8")


def test_a_bug_is_named_as_one() -> None:
    code = (
        "import sys; sys.argv = ['', 'models'];"
        "import runcomfy_client.cli.commands.browse as browse; browse.parameters = lambda *a: 1 // 0;"
        "from runcomfy_client.cli.console import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "This is a bug of runcomfy-client" in done.stderr
    assert "Traceback" not in done.stderr
