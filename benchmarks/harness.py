"""Runs child processes and counts what they cost: processor seconds, not wall time, in rounds that take turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

TIME_LIMIT = 600.0
Subject: TypeAlias = Callable[[], float]


class ChildFailedError(Exception):
    """A measured process ended with an error; the message has its last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one child process, with the children it waited for, took from the machine."""

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
    codes: Sequence[int] = (0,),
    limit: float = TIME_LIMIT,
) -> Cost:
    """Run `command` to its end and count it.

    Args:
        env: variables on top of this process's own.
        codes: the exit codes that are no failure.
        limit: seconds of wall time after which it is killed.

    Raises:
        ChildFailedError: another exit code, or killed at the limit.
    """
    with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as err:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd, env={**os.environ, **(env or {})}
        )
        killer = threading.Timer(limit, child.kill)
        killer.start()
        try:
            _, status, used = os.wait4(child.pid, 0)
        finally:
            killer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        if child.returncode not in codes:
            err.seek(0)
            words = err.read().decode("utf-8", "replace").strip().splitlines()[-12:]
            raise ChildFailedError(f"{' '.join(command)[:300]}\nended with {child.returncode}:\n" + "\n".join(words))
        return Cost(
            user=used.ru_utime,
            system=used.ru_stime,
            peak_kib=used.ru_maxrss,
            stdout=out.read().decode("utf-8", "replace"),
        )


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
