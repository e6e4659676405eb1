"""What the help and docs/cli.md show is true: examples run as they are pasted, JSON has the shape that is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runcomfy_simulator import Simulator

from tests.support.cli import EDIT, SCHEMAS, SCRIPT, TEXT_TO_IMAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.cli import Answer, Cli

    Paste = Callable[[str, Simulator], None]

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
NAMES = (
    "models",
    "show",
    "schema",
    "validate",
    "run",
    "submit",
    "status",
    "result",
    "cancel",
    "pending",
    "jobs",
    "settle",
    "balance",
)


@pytest.fixture
def paste(tmp_path: Path, environment: dict[str, str]) -> Paste:
    """Runs lines as a person pastes them into a shell; each must succeed."""

    def run(lines: str, sim: Simulator) -> None:
        path = f"{SCRIPT.parent}:{environment['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lines],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**environment, "PATH": path, "RUNCOMFY_BASE_URL": sim.url, "RUNCOMFY_API_TOKEN": sim.token},
            check=False,
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout}\n{done.stderr}"

    return run


# The rest is pasted in the long run: each starts several processes.
SHORT = ("run", "submit", "validate", "completion")


def example_of(command: str, cli: Cli) -> str:
    """The example of a command's help, as an 80-column terminal shows it."""
    text = cli(command, "--help", env={"COLUMNS": "80"}).out
    assert max(map(len, text.splitlines())) <= 80
    example = text.partition("\nExample:\n")[2]
    assert example.strip(), f"{command} --help has no example"
    return example


@pytest.mark.parametrize(
    "command",
    [name if name in SHORT else pytest.param(name, marks=pytest.mark.long) for name in (*NAMES, "completion")],
)
def test_the_example_of_each_help_works_when_pasted(command: str, cli: Cli, quick_sim: Simulator, paste: Paste) -> None:
    example = example_of(command, cli)
    if command == "settle":
        # Its example is the cure of this ending.
        quick_sim.script("submit 1: lost reply")
        assert cli("submit", TEXT_TO_IMAGE, "prompt=x", "--job-key", "scene-12", sim=quick_sim).code == 75
    if command == "cancel":
        with Simulator(SCHEMAS, queue_seconds=60) as slow_sim:
            paste(example, slow_sim)
    else:
        paste(example, quick_sim)


def test_every_command_of_the_help_is_in_the_document(cli: Cli) -> None:
    listed = re.findall(r"^│ (\w+)  ", cli("--help", env={"COLUMNS": "200"}).out, re.MULTILINE)
    assert sorted(listed) == sorted([*NAMES, "batch", "completion", "mcp", "studio"])
    table = DOC.partition("\n\nEvery command has")[0]
    assert [name for name in listed if not re.search(rf"`{name}\b", table)] == []


def keys(value: object) -> object:
    """A document's shape: its keys, through lists; values that are maps of the user's own count as leaves."""
    if isinstance(value, dict):
        return {
            key: None if key in ("output", "body", "example", "states", "schema") else keys(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [keys(value[0])] if value else []
    return None


def documented(name: str) -> object:
    section = DOC.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
    block = re.search(r"^```json\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert block is not None, name
    return json.loads(block[1])


def ask(name: str, cli: Cli, sim: Simulator) -> Answer:
    run = ("run", TEXT_TO_IMAGE, "prompt=x", "--json")
    if name == "error":
        sim.script("job: fail")
        return cli(*run, sim=sim)
    if name == "models":
        return cli("models", EDIT, "--json")
    if name == "show":
        return cli("show", TEXT_TO_IMAGE, "--json")
    if name == "schema":
        return cli("schema", TEXT_TO_IMAGE, "--json")
    if name == "validate":
        return cli("validate", TEXT_TO_IMAGE, "-", "--json", stdin='{"prompt": "a red fox", "scale": 2}')
    if name == "run":
        return cli(*run, sim=sim)
    if name == "dry-run":
        return cli(*run, "--dry-run")
    if name == "completion":
        return cli(name, "bash", "--json")
    if name == "balance":
        return cli("balance", "--json", sim=sim)
    submitted = cli("submit", TEXT_TO_IMAGE, "prompt=x", "--json", sim=sim)
    if name == "submit":
        return submitted
    if name == "jobs":
        cli("result", submitted.json["request_id"], "--wait", sim=sim)
    words = () if name in ("pending", "jobs") else (submitted.json["request_id"],)
    return cli(name, *words, "--json", sim=sim)


@pytest.mark.parametrize("name", re.findall(r"^### ([\w-]+)$", DOC, re.MULTILINE))
def test_json_has_the_shape_that_is_documented(name: str, cli: Cli, sim: Simulator) -> None:
    assert keys(ask(name, cli, sim).json) == keys(documented(name))


def test_every_exit_code_is_documented() -> None:
    from runcomfy_client import errors
    from runcomfy_client.cli import errors as cli_errors

    table = DOC.partition("## Exit codes")[2].partition("## JSON")[0]
    documented = {
        code: int(row.split("|")[1])
        for row in table.splitlines()
        if row[:3].strip("| ") or row.startswith("| ")
        for code in re.findall(r"`(\w+)`", row.rpartition("|")[0].rpartition("|")[2])
        if row.split("|")[1].strip().isdecimal()
    }
    kinds = [getattr(errors, name) for name in errors.__all__]
    leaves = [kind for kind in kinds if kind not in (errors.RunComfyError, errors.JobError)]
    for kind in [*leaves, cli_errors.CommandError, *cli_errors.CommandError.__subclasses__(), KeyboardInterrupt]:
        error = kind.__new__(kind)
        assert documented[cli_errors.code_of(error)] == cli_errors.exit_code(error)


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="plays the scenes on a POSIX terminal")
def test_the_pictures_show_what_the_commands_print() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "pictures.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
