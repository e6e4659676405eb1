"""Runs child processes and counts what they cost: processor seconds, not wall time, in rounds that take turns."""

from __future__ import annotations

import ctypes
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import resource

TIME_LIMIT = 600.0
# Python reads an empty variable as one that is not set.
KEEP_BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}
_PR_SET_CHILD_SUBREAPER = 36
Subject: TypeAlias = Callable[[], float]


class ChildFailedError(Exception):
    """A measured process ended with an error; the message has its last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one child process, with all processes it started, took from the machine.

    `peak_kib` is the most memory they held together, shared pages counted once; 0 if it was not watched.
    """

    user: float
    system: float
    peak_kib: int
    stdout: str

    @property
    def cpu(self) -> float:
        """Processor seconds, user and system."""
        return self.user + self.system

    @property
    def milliseconds(self) -> float:
        """Processor milliseconds, user and system."""
        return self.cpu * 1000


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    memory: bool = False,
    limit: float = TIME_LIMIT,
) -> Cost:
    """Run `command` to its end and count it.

    It keeps the bytecode of what it imports, as installed packages have it, even where the environment forbids that:
    else ours would be compiled anew in every run, and the peers, whom pip compiled, would not.

    Args:
        env: variables on top of this process's own.
        memory: watch the memory of all its processes (Linux); a run that is watched is not one to be timed.
        limit: seconds of wall time after which it is killed.

    Raises:
        ChildFailedError: another exit code, or killed at the limit.
    """
    with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as err:
        adopt_orphans()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=cwd,
            env={**os.environ, **KEEP_BYTECODE, **(env or {})},
            start_new_session=True,
        )
        killer = threading.Timer(limit, os.killpg, (child.pid, signal.SIGKILL))
        killer.start()
        watch = _MemoryWatch(child.pid) if memory else None
        try:
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            family = [used, *_orphans_of(child.pid)]
        finally:
            killer.cancel()
            peak = watch.end() if watch else 0
        out.seek(0)
        if child.returncode != 0:
            err.seek(0)
            words = err.read().decode("utf-8", "replace").strip().splitlines()[-12:]
            raise ChildFailedError(f"{' '.join(command)[:300]}\nended with {child.returncode}:\n" + "\n".join(words))
        return Cost(
            user=sum(each.ru_utime for each in family),
            system=sum(each.ru_stime for each in family),
            peak_kib=peak,
            stdout=out.read().decode("utf-8", "replace"),
        )


class _MemoryWatch:
    """Looks ten times a second at how much memory the processes of a group hold."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """Stop watching; the peak in KiB."""
        self._over.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            self._peak = max(self._peak, sum(_proportional_kib(each) for each in _members(self._group)))


def _members(group: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if os.getpgid(int(entry.name)) == group:
                    yield int(entry.name)
            except ProcessLookupError:
                continue


def _proportional_kib(process: int) -> int:
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def adopt_orphans() -> None:
    """Let processes whose parent has ended become children of this one, so that their cost can be read (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _orphans_of(group: int) -> Iterator[resource.struct_rusage]:
    """What the rest of a process group took: a pool's server is not waited for by the one that started it."""
    while True:
        try:
            yield os.wait4(-group, 0)[2]
        except ChildProcessError:
            return


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the middle half of the runs around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The median and quartiles of `values`; with fewer than four, all of them."""
        if len(values) < 4:
            return cls(statistics.median(values), min(values), max(values))
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


@dataclass(slots=True)
class Rounds:
    """What each subject cost in each round; values of one round were taken side by side."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def cost(self, name: str, *, above: str | None = None) -> Spread:
        """What `name` cost; `above`: a subject whose cost is taken off, round by round."""
        return Spread.of(self._column(name, above))

    def ratio(self, name: str, to: str, *, above: str | None = None) -> Spread:
        """`name` divided by `to`, round by round, so that what slowed the machine slowed both."""
        pairs = zip(self._column(name, above), self._column(to, above), strict=True)
        return Spread.of([mine / theirs for mine, theirs in pairs])

    def _column(self, name: str, above: str | None) -> list[float]:
        if above is None:
            return self.values[name]
        return [value - floor for value, floor in zip(self.values[name], self.values[above], strict=True)]


def take_turns(subjects: Mapping[str, Subject], rounds: int, *, warm_up: int = 1) -> Rounds:
    """Measure all `subjects` in every round, forwards and backwards in turn (A B, B A, ...), after `warm_up` rounds."""
    order = list(subjects)
    found = Rounds({name: [] for name in order})
    for number in range(-warm_up, rounds):
        for name in order if number % 2 == 0 else reversed(order):
            value = subjects[name]()
            if number >= 0:
                found.values[name].append(value)
    return found
