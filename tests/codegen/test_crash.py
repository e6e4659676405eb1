"""Killed at any moment, `generate` leaves the old tree whole, or the new one; the next run cleans up and finishes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.codegen import input_of, write_store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.codegen.conftest import Workshop

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a signal that cannot be caught")
MODELS = 3


def models(maximum: int) -> Mapping[str, dict[str, object]]:
    return {
        f"acme/family-{number}/draw": input_of({"seed": {"type": "integer", "maximum": maximum}})  # type: ignore[misc]
        for number in range(MODELS)
    }


def started(workshop: Workshop) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "runcomfy_codegen.console", "generate", "--no-cache"]
    arguments = ["--schemas", str(workshop.schemas), "--output", str(workshop.output)]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def left_behind(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".runcomfy")]


def killed_at_moments(workshop: Workshop, rounds: int) -> set[str]:
    """Kill a run that changes every model, at moments spread over its length; which trees were found."""
    write_store(workshop.schemas, models(1))  # type: ignore[arg-type]
    workshop.generate()
    old = workshop.files()
    write_store(workshop.schemas, models(2))  # type: ignore[arg-type]
    began = time.monotonic()
    workshop_run = started(workshop)
    _, errors = workshop_run.communicate()
    assert workshop_run.returncode == 0, errors
    length = time.monotonic() - began
    new = workshop.files()
    dice = random.Random(7)
    found: set[str] = set()
    for number in range(rounds):
        write_store(workshop.schemas, models(1))  # type: ignore[arg-type]
        workshop.generate()
        assert workshop.files() == old
        write_store(workshop.schemas, models(2))  # type: ignore[arg-type]
        run = started(workshop)
        # Most of the danger is at the end, where files are written.
        share = (number + 1) / rounds if number % 2 else dice.uniform(0.85, 1.1)
        time.sleep(length * share)
        run.kill()
        run.communicate()
        here = workshop.files()
        assert here in (old, new), "neither the old tree nor the new one"
        found.add("old" if here == old else "new")
    run = started(workshop)
    run.communicate()
    assert run.returncode == 0
    assert workshop.files() == new
    assert left_behind(workshop.output) == []
    return found


def test_a_kill_leaves_a_whole_tree(workshop: Workshop) -> None:
    killed_at_moments(workshop, 1)


@pytest.mark.long
def test_a_kill_at_any_moment_leaves_a_whole_tree(workshop: Workshop) -> None:
    assert killed_at_moments(workshop, 120) == {"old", "new"}


def test_a_kill_between_staging_and_swap_leaves_the_old_tree(generated: Workshop) -> None:
    """The moment that a timer hardly meets: everything is staged, nothing is swapped."""
    before = generated.files()
    generated.write("acme/solo/input.json", '{"type": "object", "properties": {}}')
    code = (
        "import os, signal, sys\n"
        "import runcomfy_codegen.writing.commit as commit\n"
        "commit._exchange = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from runcomfy_codegen.cli import run\n"
        f"run(['generate', '--schemas', {str(generated.schemas)!r}, '--output', {str(generated.output)!r}])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == -9
    assert generated.files() == before
    assert len(left_behind(generated.output)) == 1
    assert not generated.generate().failed
    assert left_behind(generated.output) == []
    assert generated.files() != before


def test_what_a_kill_after_the_swap_left_goes_though_nothing_is_to_be_written(generated: Workshop) -> None:
    (generated.output / ".runcomfy.staging-x/new").mkdir(parents=True)
    outcome = generated.generate()
    assert outcome.plan is not None
    assert outcome.plan.is_empty
    assert left_behind(generated.output) == []
