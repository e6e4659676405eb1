"""docs/codegen.md and the help name the same commands and options, and each console script tells its version."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from runcomfy_codegen import console, terminal

SCRIPTS = Path(sys.executable).parent
DOC = (Path(__file__).parents[2] / "docs" / "codegen.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\| `(\w+)", DOC.partition("\n## ")[0], re.MULTILINE)


def ask(script: str, *words: str) -> str:
    done = subprocess.run([str(SCRIPTS / script), *words], capture_output=True, text=True, check=True)
    return done.stdout


def test_every_command_is_documented() -> None:
    listed = re.findall(
        r"^    (\w+)(?:\s|$)", ask("runcomfy-codegen", "--help").partition("COMMAND\n")[2], re.MULTILINE
    )
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented_and_no_other(command: str) -> None:
    help_text = ask("runcomfy-codegen", command, "--help")
    section = DOC.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
    assert section, command
    rows = "\n".join(row.partition(" | ")[0] for row in section.splitlines() if row.startswith("| `"))
    assert set(re.findall(r"--[\w-]+", rows)) == set(re.findall(r"^  (--[\w-]+)", help_text, re.MULTILINE))
    if "--schemas" in help_text:
        assert "[tool.runcomfy] of pyproject.toml" in " ".join(help_text.split())


def test_every_exit_code_is_documented() -> None:
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", DOC.partition("## Exit codes")[2], re.MULTILINE)}
    known = {terminal.OK, terminal.DRIFT, terminal.USAGE, terminal.BAD_SCHEMA, terminal.UNAVAILABLE, terminal.NO_ACCESS}
    assert codes == known | {console._BUG, console._IO_ERROR, console._INTERRUPTED}


@pytest.mark.parametrize("script", ["runcomfy-client", "runcomfy-codegen", "runcomfy-sim"])
def test_each_script_tells_its_version(script: str) -> None:
    assert ask(script, "--version").strip() == version("runcomfy-client")
