"""The harness counts what it says: all processes of a child, in turns, pair by pair."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.harness import ChildFailedError, Rounds, Spread, run, take_turns

if TYPE_CHECKING:
    from pathlib import Path

BURN = "import time\nwhile time.process_time() < {seconds}: pass"


def test_a_child_costs_what_it_burns() -> None:
    cost = run([sys.executable, "-c", BURN.format(seconds=0.3)])
    assert 0.3 <= cost.cpu < 0.9


def test_a_child_keeps_its_bytecode_as_installed_packages_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "ours.py").write_text("", encoding="utf-8")
    run([sys.executable, "-c", "import ours"], env={"PYTHONPATH": str(tmp_path)})
    assert list(tmp_path.glob("__pycache__/ours.*.pyc"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans on")
def test_a_grandchild_that_nobody_waited_for_is_counted_too() -> None:
    grandchild = BURN.format(seconds=0.4)
    cost = run(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {grandchild!r}])"]
    )
    assert cost.cpu >= 0.4


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_memory_is_summed_over_all_processes() -> None:
    hold = "import time; held = bytearray(60_000_000); time.sleep(0.6)"
    two = f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {hold!r}]); {hold}; c.wait()"
    assert run([sys.executable, "-c", two], memory=True).peak_kib > 110_000


def test_a_child_that_fails_says_why() -> None:
    with pytest.raises(ChildFailedError, match=r"ended with 1:(.|\n)*ZeroDivisionError"):
        run([sys.executable, "-c", "1 / 0"])


def test_a_child_that_hangs_is_killed() -> None:
    with pytest.raises(ChildFailedError, match="ended with -9"):
        run([sys.executable, "-c", "import time; time.sleep(60)"], limit=0.3)


def test_rounds_take_turns_there_and_back() -> None:
    order: list[str] = []

    def subject(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = take_turns({"a": lambda: subject("a"), "b": lambda: subject("b")}, rounds=2, warm_up=1)
    assert order == ["b", "a", "a", "b", "b", "a"]
    assert found.values == {"a": [3.0, 6.0], "b": [4.0, 5.0]}


def test_ratios_are_taken_pair_by_pair() -> None:
    # A machine that is ten times slower in the second round changes the costs, not the ratio.
    found = Rounds({"ours": [2.0, 20.0], "theirs": [4.0, 40.0], "floor": [1.0, 10.0]})
    assert found.ratio("ours", "theirs") == Spread(0.5, 0.5, 0.5)
    assert found.ratio("ours", "theirs", above="floor") == Spread(1 / 3, 1 / 3, 1 / 3)
