"""A wrong line is answered in the command line's words: the option's name, what it takes, the nearest that there is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import EDIT, TEXT_TO_IMAGE

if TYPE_CHECKING:
    from pathlib import Path

    from runcomfy_simulator import Simulator

    from tests.support.cli import Cli

RUN = ("run", TEXT_TO_IMAGE, "prompt=x")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("balance", "extra"), "balance takes no such argument: extra"),
        (("status", "a", "b"), "status takes no such argument: b"),
        ((*RUN, "--timeout", "abc"), "--timeout takes a number, not 'abc'"),
        (("jobs", "--limit", "x"), "--limit takes a whole number, not 'x'"),
        (("jobs", "--limit"), "--limit needs a value"),
        (("validate", "--format", "xml", "a.json"), "--format takes one of text, json, junit, github, not 'xml'"),
        (("completion", "tcsh"), "SHELL takes one of bash, zsh, fish, powershell, not 'tcsh'"),
        ((*RUN, "--name", "{foo}"), "--name is '{foo}'; it must be"),
        ((*RUN, "--job-key", "k" * 1001), "--job-key takes a text of at most 1,000 characters"),
        (("--hlep",), "there is no option --hlep; did you mean --help?"),
        (("--nothing",), "there is no option --nothing"),
        (("modles",), "there is no command modles; did you mean models?"),
        (("batch", "reprot"), "there is no command reprot; did you mean report?"),
        (("jobs", "--since"), "there is no option --since\n"),
        (("jobs", "--jsno"), "there is no option --jsno; did you mean --json?"),
        (("status", "../x"), "REQUEST is an id as `submit` and `run` print it; '../x' is none"),
        (("result", "../x"), "REQUEST is an id"),
        (("cancel", "../x"), "REQUEST is an id"),
        (("settle", "z", "--request-id", "../a"), "--request-id is an id"),
    ],
)
def test_a_wrong_line_is_a_usage_error_in_plain_words(
    cli: Cli, sim: Simulator, words: tuple[str, ...], message: str
) -> None:
    answer = cli(*words, sim=sim)
    assert answer.code == 2, answer.err
    assert message in answer.err
    assert not re.search(r"(?<!{)job_key|The argument|Unused|unable|Invalid value|Parameter", answer.err)
    assert cli(*words, "--json", sim=sim).json["error"]["code"] == "usage" or words[-1] == "--limit"
    assert sim.accepted == 0


def test_a_job_key_that_is_taken_is_named_as_the_option(cli: Cli, sim: Simulator) -> None:
    assert cli("submit", TEXT_TO_IMAGE, "prompt=x", "--job-key", "k", sim=sim).code == 0
    answer = cli("submit", TEXT_TO_IMAGE, "prompt=y", "--job-key", "k", sim=sim)
    assert answer.code == 2
    assert "--job-key 'k' was used for another input" in answer.err
    assert "job_key" not in answer.err


def test_a_payload_that_names_another_model_is_warned_of(cli: Cli, tmp_path: Path) -> None:
    payload = {"$schema": f"schemas/{EDIT}.json", "prompt": "x"}
    (tmp_path / "a.json").write_text(json.dumps(payload))
    answer = cli("validate", TEXT_TO_IMAGE, "a.json")
    assert answer.code == 0
    assert re.search(rf"/\$schema +other_model +is that of {EDIT}, and the payload is checked for", answer.out)
    (found,) = cli("validate", TEXT_TO_IMAGE, "a.json", "--json").json["payloads"]
    assert [each["code"] for each in found["warnings"]] == ["other_model"]
    assert "other_model" in cli("run", TEXT_TO_IMAGE, "--input", "@a.json", "--dry-run").err + answer.out
    dry = cli("run", TEXT_TO_IMAGE, "--input", "@a.json", "--dry-run", "--json").json
    assert EDIT in dry["warnings"][0]
    assert dry["request"]["body"] == {"prompt": "x"}
    payload["$schema"] = f"schemas/{TEXT_TO_IMAGE}.json"
    (tmp_path / "a.json").write_text(json.dumps(payload))
    assert cli("validate", TEXT_TO_IMAGE, "a.json").out == "a.json: ok\n"


def test_help_says_what_may_be_left_out(cli: Cli) -> None:
    text = cli("validate", "--help", env={"COLUMNS": "120"}).out
    (line,) = [line for line in text.splitlines() if "Model id; may be left out" in line]
    assert "*" not in line
    assert "[required]" not in text
    assert "One or more payload files" in text


@pytest.mark.parametrize("command", ["status", "result", "cancel"])
def test_help_of_commands_that_ask_speaks_of_no_recording(cli: Cli, command: str) -> None:
    text = " ".join(cli(command, "--help", env={"COLUMNS": "200"}).out.split())
    assert "The journal the job is on record in" in text
    assert "Record the job" not in text
    assert "Record nothing" not in text


class TestExtraInput:
    LORA = '{"lora": {"path": "https://example.com/paper.safetensors"}}'

    def test_it_goes_beside_a_checked_input(self, cli: Cli, sim: Simulator, tmp_path: Path) -> None:
        (tmp_path / "lora.json").write_text(self.LORA)
        for value in (self.LORA, "@lora.json"):
            words = (TEXT_TO_IMAGE, "prompt=x", "--extra-input", value)
            body = cli("submit", *words, "--dry-run", "--json").json["request"]["body"]
            assert body == {"prompt": "x", **json.loads(self.LORA)}
        with_extras = sim.accepted
        answer = cli("submit", *words, "scale=2", sim=sim)
        assert answer.code == 65
        assert "/scale" in answer.err
        assert sim.accepted == with_extras

    def test_a_submit_sends_it(self, cli: Cli, sim: Simulator) -> None:
        words = ("prompt=x", "--extra-input", self.LORA, "--job-key", "moon")
        answer = cli("submit", TEXT_TO_IMAGE, *words, sim=sim)
        assert answer.code == 0, answer.err
        assert sim.jobs[0].input == {"prompt": "x", **json.loads(self.LORA)}

    @pytest.mark.parametrize(
        ("value", "code", "message"),
        [
            ("[1]", 2, "--extra-input takes a JSON object"),
            ("lora.path=x", 2, "--extra-input takes a JSON object"),
            ("@none.json", 66, "--extra-input: no such file"),
            ('{"prompt": "y"}', 2, "--extra-input repeats 'prompt'"),
        ],
    )
    def test_what_it_cannot_be(self, cli: Cli, value: str, code: int, message: str) -> None:
        answer = cli(*RUN, "--extra-input", value, "--dry-run")
        assert answer.code == code
        assert message in answer.err

    @pytest.mark.parametrize("word", ["lora.path=https://example.com/a", 'loras:=[{"path": "x"}]'])
    def test_the_hint_names_it(self, cli: Cli, word: str) -> None:
        answer = cli(*RUN, word, "--dry-run")
        assert answer.code == 65
        assert "--extra-input '{\"lora" in answer.err
