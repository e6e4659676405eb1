"""Two runs for one output folder: the second waits and says so, also for one that is killed meanwhile."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.codegen.conftest import Workshop

INTEGER = '{"type": "object", "properties": {"seed": {"type": "integer"}}}'
BOOLEAN = '{"type": "object", "properties": {"loop": {"type": "boolean"}}}'
# It stops when all is staged and nothing is swapped, and goes on when it is told to.
SLOW = (
    "import sys\n"
    "import runcomfy_codegen.writing.commit as commit\n"
    "exchange = commit._exchange\n"
    "def slow(*folders):\n"
    "    print('here', flush=True)\n"
    "    sys.stdin.readline()\n"
    "    exchange(*folders)\n"
    "commit._exchange = slow\n"
    "from runcomfy_codegen.cli import run\n"
    "sys.exit(run(sys.argv[1:]))\n"
)


def start(workshop: Workshop, *command: str) -> subprocess.Popen[str]:
    arguments = ["generate", "--schemas", str(workshop.schemas), "--output", str(workshop.output)]
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *command, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@pytest.fixture
def first(generated: Workshop) -> Iterator[subprocess.Popen[str]]:
    """A run that has the turn and is about to write an integer."""
    generated.write("acme/solo/input.json", INTEGER)
    with start(generated, "-c", SLOW) as run:
        assert run.stdout
        assert run.stdout.readline() == "here\n"
        yield run
        run.kill()


@pytest.fixture
def second(generated: Workshop, first: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A run that came later, knows of a boolean and has said that it waits."""
    before = generated.files()
    generated.write("acme/solo/input.json", BOOLEAN)
    with start(generated, "-m", "runcomfy_codegen.console") as run:
        assert run.stderr
        assert run.stderr.readline() == (
            f"runcomfy-codegen: another run is writing below {generated.output}; waiting for it to end\n"
        )
        assert generated.files() == before
        yield run
        run.kill()


def ended(run: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = run.communicate(timeout=60)
    return run.returncode, errors


def left_behind(workshop: Workshop) -> list[str]:
    return [path.name for path in workshop.output.iterdir() if path.name.startswith(".runcomfy")]


@pytest.mark.long
def test_the_last_to_start_has_the_last_word(
    generated: Workshop, first: subprocess.Popen[str], second: subprocess.Popen[str]
) -> None:
    assert first.stdin
    first.stdin.write("go on\n")
    first.stdin.flush()
    assert ended(first) == (0, "")
    assert ended(second) == (0, "")
    assert "loop" in generated.files()["specs/acme/solo.py"].decode()
    assert left_behind(generated) == []
    assert not generated.generate(check=True).drifted


def test_a_run_that_was_killed_keeps_nobody_waiting(
    generated: Workshop, first: subprocess.Popen[str], second: subprocess.Popen[str]
) -> None:
    assert len(left_behind(generated)) == 1
    first.kill()
    assert ended(second) == (0, "")
    assert "loop" in generated.files()["specs/acme/solo.py"].decode()
    assert left_behind(generated) == []


def test_where_no_lock_can_be_there_is_none(workshop: Workshop) -> None:
    """And what another run may be at work with stays."""
    workshop.output.mkdir()
    (workshop.output / ".cache").write_text("in the way")
    (workshop.output / ".runcomfy.staging-x").mkdir()
    assert not workshop.generate().failed
    assert not workshop.generate(check=True).drifted
    assert left_behind(workshop) == [".runcomfy.staging-x"]
