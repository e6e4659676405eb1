"""Servers in processes of their own, so that their cost is not counted: the simulator, and the cheap one of `wire`."""

from __future__ import annotations

import re
import subprocess
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .catalog import SOURCES
from .environments import peers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_ORIGIN = re.compile(r"http://127\.0\.0\.1:\d+")


@contextmanager
def simulator(schemas: Path) -> Iterator[str]:
    """The simulator with these schemas; gives its origin."""
    command = ["runcomfy_simulator.console", "serve", "--schemas", str(schemas), "--port", "0"]
    with _served([*command, "--balance", "1000000", "--queue-seconds", "0", "--run-seconds", "3600"]) as origin:
        yield origin


@contextmanager
def wire(*, latency: float, polls: int = 3) -> Iterator[str]:
    """The cheap server: seconds that each reply takes, and the poll that says a job is over; gives its origin."""
    with _served(["benchmarks.wire", "--latency", str(latency), "--polls", str(polls)]) as origin:
        yield origin


@contextmanager
def _served(module: Sequence[str]) -> Iterator[str]:
    with tempfile.TemporaryFile("w+") as errors:
        server = subprocess.Popen(
            [peers(), "-m", *module],
            env=SOURCES,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert server.stdout is not None
        try:
            for line in server.stdout:
                if found := _ORIGIN.search(line):
                    yield found[0]
                    return
            errors.seek(0)
            raise RuntimeError(f"{module[0]} did not start:\n{errors.read()}")
        finally:
            server.kill()
            server.wait()
            server.stdout.close()
