"""Loads a simulator in a process of its own; `python -m tests.support.load --jobs 2000` prints what it held."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.simulator import IMAGE, write_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = "Host: {host}\r\nAuthorization: Bearer load\r\n"


@dataclass(frozen=True)
class Load:
    """What was measured. Memory is resident, in MiB, of the simulator's process."""

    jobs: int
    submits_a_second: float
    polls: int
    polls_a_second: float
    slowest_poll_ms: float
    memory_idle: float
    memory_first: float
    memory_last: float
    faulty: int


@contextlib.contextmanager
def simulator_process(schemas: Path, *options: str) -> Iterator[tuple[int, str, int]]:
    """`runcomfy-sim serve` on a free port; gives its process id, host and port."""
    command = [
        str(Path(sys.executable).with_name("runcomfy-sim")),
        "serve",
        "--port",
        "0",
        "--schemas",
        str(schemas),
        *options,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if match := re.search(r"https?://([\d.]+):(\d+) ", line):
                    yield process.pid, match[1], int(match[2])
                    break
        finally:
            process.terminate()


class Wire:
    """One kept-alive connection that speaks just enough HTTP: a client library would be what is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader, self._writer = reader, writer
        self._head = _HEAD.format(host=host)

    @classmethod
    async def to(cls, host: str, port: int) -> Wire:
        return cls(*await asyncio.open_connection(host, port), f"{host}:{port}")

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{self._head}{length}\r\n".encode() + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        size = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])  # type: ignore[index]  # it always tells
        return int(head[9:12]), await self._reader.readexactly(size)

    def close(self) -> None:
        self._writer.close()


def memory(pid: int) -> float:
    """Resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1024**2


async def load(pid: int, host: str, port: int, *, jobs: int, seconds: float, connections: int = 64) -> Load:
    """Submit `jobs`, then poll all of them in turn for `seconds`."""
    wires = [await Wire.to(host, port) for _ in range(connections)]
    idle = memory(pid)
    ids: list[str] = []
    body = json.dumps({"prompt": "A girl is sitting on the boat"}).encode()
    slowest, faulty = 0.0, 0

    async def submit(wire: Wire, count: int) -> None:
        for _ in range(count):
            _, reply = await wire.ask("POST", f"/v1/models/{IMAGE}", body)
            ids.append(json.loads(reply)["request_id"])

    async def poll(wire: Wire, first: int, until: float) -> int:
        nonlocal slowest, faulty
        polls = 0
        while (began := time.perf_counter()) < until:
            status, reply = await wire.ask("GET", f"/v1/requests/{ids[(first + polls * connections) % jobs]}/status")
            slowest = max(slowest, time.perf_counter() - began)
            faulty += status != 200 or b'"in_' not in reply
            polls += 1
        return polls

    began = time.perf_counter()
    shares = [jobs // connections + (number < jobs % connections) for number in range(connections)]
    await asyncio.gather(*(submit(wire, share) for wire, share in zip(wires, shares, strict=True)))
    submitting = time.perf_counter() - began
    done, marks = 0, []
    began = time.perf_counter()
    for _ in range(4):
        until = time.perf_counter() + seconds / 4
        done += sum(await asyncio.gather(*(poll(wire, number, until) for number, wire in enumerate(wires))))
        marks.append(memory(pid))
    polling = time.perf_counter() - began
    for wire in wires:
        wire.close()
    return Load(jobs, jobs / submitting, done, done / polling, slowest * 1000, idle, marks[0], marks[-1], faulty)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        write_schemas(Path(folder))
        with simulator_process(Path(folder), "--queue-seconds", "600") as (pid, host, port):
            print(asyncio.run(load(pid, host, port, jobs=options.jobs, seconds=options.seconds)))


if __name__ == "__main__":
    main()
