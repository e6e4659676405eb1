"""Words that fit the reader: no Python on the command line, foreign text cleaned, lines that fit the terminal."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runcomfy_client import errors
from runcomfy_client.cli.errors import error_facts, hint
from runcomfy_client.cli.text import json_text, printable_lines
from runcomfy_client.schema.findings import wrap
from runcomfy_simulator import Simulator

from tests.support.cli import EDIT, SCHEMAS, SCRIPT, TEXT_TO_IMAGE
from tests.support.fault_proxy import FaultProxy, forward_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.cli import Cli
    from tests.support.fault_proxy import Wire

CLIENT = Path(errors.__file__).parent
# What only Python can do with.
PYTHON = re.compile(
    r"pathlib|client\.\w+|job\.\w+\(|\.wait\(|journal\.\w+\(|token=|\w+=\.\.\.|__init__|runcomfy\.[A-Z]"
)


@cache
def raised_messages() -> list[tuple[str, int, str]]:
    """The message of every exception that the library makes from a text: file, line, text with {} for values."""
    messages = []
    for path in sorted(CLIENT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if name.endswith(("Error", "Finding")) and isinstance(node, ast.Call):
                for argument in node.args[:2]:
                    text = text_of(argument)
                    if " " in text:
                        messages.append((str(path.relative_to(CLIENT)), node.lineno, text))
    return messages


def text_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return ""


def test_there_are_messages_to_read() -> None:
    assert len(raised_messages()) > 100


@pytest.mark.parametrize("mark", ["..", " .", ",,", "  ", ";.", "?."])
def test_no_message_ends_twice(mark: str) -> None:
    # A command to type, such as `pip install -e .`, is no sentence.
    bad = [message for message in raised_messages() if mark in re.sub(r"`[^`]*`", "`", message[2]).replace("...", "")]
    assert bad == []


def test_messages_keep_python_in_their_cure() -> None:
    bad = [text for _, _, text in raised_messages() if PYTHON.search(text) and not text.startswith(ABOUT_ARGUMENTS)]
    assert bad == []


# About arguments that only Python can pass.
ABOUT_ARGUMENTS = (
    "Settle a submit either with",
    "Settle a job either with",
    "The token (from {}) is empty",
    "Only client.journal can adopt",
    "Only client.journal can count",
    "A journal is a path or a runcomfy.Journal",
    "timeout is {}; it must be",
)


@pytest.mark.parametrize(
    "name", [name for name in errors.__all__ if name not in ("InvalidInputError", "InvalidBatchError", "RunComfyError")]
)
def test_json_has_the_message_without_the_cure(name: str) -> None:
    error = getattr(errors, name)("It broke.", cure="Call client.job('a').wait().", request_id="a")
    error.add_note(errors.CureNote("client.journal.settle('a')", "a"))
    facts = error_facts(error)
    assert facts["message"] == "It broke."
    assert "client." not in str(hint(error, ["run"], "runcomfy-client"))
    assert "client.job" in str(error)


def test_a_report_on_the_command_line_has_no_python(cli: Cli) -> None:
    payload = '{"image_urls": ["cat.png"], "prompt": "x"}'
    for form in ("text", "json", "junit", "github"):
        answer = cli("validate", EDIT, "-", "--format", form, stdin=payload)
        assert answer.code == 65
        assert "neither an https:// URL nor a data: URI" in answer.out
        assert "pathlib" not in answer.out
    answer = cli("run", EDIT, "image_urls=cat.png", "prompt=x", "--json")
    assert "pathlib" not in answer.out + answer.err
    assert answer.json["error"]["hint"] == "to send a file, write image_urls=@cat.png"


def test_a_wait_that_ends_names_the_command_to_go_on(cli: Cli) -> None:
    with Simulator(SCHEMAS, queue_seconds=60) as sim:
        answer = cli("run", TEXT_TO_IMAGE, "prompt=x", "--timeout", "0.5", "--json", sim=sim)
    assert not PYTHON.search(answer.out + answer.err)
    assert ".." not in answer.json["error"]["message"]
    assert answer.json["error"]["hint"].startswith("pick it up again: runcomfy-client result ")


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT to one process")
@pytest.mark.parametrize(("seconds", "goes_on"), [((0.0, 60.0), True), ((60.0, 0.0), False)])
def test_after_ctrl_c_on_a_running_job_the_next_command_is_shown(
    seconds: tuple[float, float], goes_on: bool, environment: dict[str, str], tmp_path: Path
) -> None:
    queue, run = seconds
    with Simulator(SCHEMAS, queue_seconds=queue, run_seconds=run) as sim:
        with subprocess.Popen(
            [str(SCRIPT), "run", TEXT_TO_IMAGE, "prompt=x"],
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**environment, "RUNCOMFY_BASE_URL": sim.url, "RUNCOMFY_API_TOKEN": sim.token},
        ) as process:
            assert process.stderr is not None
            lines = [process.stderr.readline(), process.stderr.readline()]
            deadline = time.monotonic() + 20
            while goes_on and not lines[-1].startswith("running") and time.monotonic() < deadline:
                lines.append(process.stderr.readline())
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
        request_id = sim.jobs[0].request_id
    assert process.returncode == 130
    assert "client.job" not in err
    assert (f"hint: pick it up again: runcomfy-client result {request_id} --wait\n" in err) is goes_on


ESC = "\x1b[31mred\x9b0m\x07"


def test_foreign_text_is_escaped_wherever_it_is_printed(cli: Cli, sim: Simulator) -> None:
    """A server that puts escape sequences into a state, a currency and an error."""

    def replies(body: dict[str, object]) -> Callable[[Wire], None]:
        data = json.dumps(body).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        return lambda wire: send(wire, head.encode() + data)

    def send(wire: Wire, data: bytes) -> None:
        wire.forward()
        wire.send(data)

    with FaultProxy(forward_to(sim.url)) as proxy:
        env = {"RUNCOMFY_BASE_URL": proxy.url}
        request_id = cli("submit", TEXT_TO_IMAGE, "prompt=x", sim=sim).out.strip()
        for words in (("status", request_id), ("status", request_id, "--json")):
            proxy.plan("status", replies({"request_id": request_id, "status": ESC}))
            answer = cli(*words, sim=sim, env=env)
            assert answer.code == 0
            assert "red" in answer.out
            assert answer.out.replace("\n", "").isprintable()
            assert answer.err.replace("\n", "").isprintable()


def test_json_stays_json_where_text_is_escaped() -> None:
    value = {"a": ESC, "b": "ü\u2028\ud800", "c": ["\n"]}
    text = json_text(value)
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == value
    assert printable_lines("a\x1bb\nc") == "a\\x1bb\nc"


@pytest.mark.parametrize("width", [20, 40, 60])
def test_no_word_is_cut(width: int) -> None:
    url = "https://example.com/" + "a" * 80
    text = f"error: see {url} and well-known words and runcomfy-client"
    lines = wrap(text, width, 2).split("\n")
    assert url in " ".join(lines).split()
    assert " ".join(" ".join(lines).split()) == text
    assert all(len(line) <= width for line in lines if url not in line)


def test_the_library_prints_in_one_place() -> None:
    """Else foreign text could reach a terminal unescaped."""
    allowed = {
        "output.py": {"write", "write_row", "emit_json", "note", "print_marked"},
        "commands/account.py": {"completion"},
        "commands/batch.py": {"_agreed"},
    }
    for path in sorted((CLIENT / "cli").rglob("*.py")):
        name = str(path.relative_to(CLIENT / "cli"))
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                    assert function.name in allowed.get(name, set()), f"{name}: {function.name}"
