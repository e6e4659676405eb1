"""A server that costs next to nothing, so that what is measured is the client: canned replies over raw asyncio.

It speaks the shape of two queue APIs, RunComfy's and fal.ai's, so that both clients can do their usual
conversation: a submit, polls (the last of which says the job is over), the result. It knows how often each request id
was asked for and counts what arrived. `python -m benchmarks.wire` prints its port and serves until it is killed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BACKLOG = 8192


class World:
    """All jobs: which was polled how often, and how many requests of each kind have come."""

    def __init__(self, polls: int, latency: float) -> None:
        self.polls = polls
        self.latency = latency
        self.origin = ""
        self.counts: Counter[str] = Counter()
        self._polled: dict[str, int] = {}

    def answer(self, method: str, path: str) -> bytes:
        """The whole HTTP reply to one request."""
        parts = path.partition("?")[0].strip("/").split("/")
        if parts[0] == "counts":
            return _reply(dict(self.counts))
        if parts[0] == "v1":
            return self._runcomfy(method, parts)
        return self._fal(method, parts)

    def _runcomfy(self, method: str, parts: Sequence[str]) -> bytes:
        if method == "POST":
            request_id = self._submitted()
            home = f"{self.origin}/v1/requests/{request_id}"
            links = {f"{name}_url": f"{home}/{name}" for name in ("status", "result", "cancel")}
            return _reply({"request_id": request_id, **links})
        if parts[1] != "requests":
            return _reply({"detail": "not found"}, "404 Not Found")  # the catalog, the balance
        request_id, call = parts[2], parts[3]
        if call == "status":
            left = self._poll(request_id)
            state = "completed" if left <= 0 else "in_queue" if left > 1 else "in_progress"
            position = {"queue_position": 1} if state == "in_queue" else {}
            return _reply({"request_id": request_id, "status": state, **position})
        self.counts["results"] += 1
        output = {"images": ["https://results.runcomfy.net/a.png"]}
        stamps = {"created_at": "2026-11-01T10:00:00Z", "finished_at": "2026-11-01T10:00:05Z"}
        return _reply({"request_id": request_id, "status": "succeeded", "output": output, **stamps})

    def _fal(self, method: str, parts: Sequence[str]) -> bytes:
        if method == "POST":
            request_id = self._submitted()
            home = f"{self.origin}/{'/'.join(parts)}/requests/{request_id}"
            links = {"response_url": home, "status_url": f"{home}/status", "cancel_url": f"{home}/cancel"}
            return _reply({"request_id": request_id, "status": "IN_QUEUE", "queue_position": 1, **links})
        if parts[-1] == "status":
            left = self._poll(parts[-2])
            state = "COMPLETED" if left <= 0 else "IN_QUEUE" if left > 1 else "IN_PROGRESS"
            return _reply({"status": state, "request_id": parts[-2], "queue_position": 1, "logs": []})
        self.counts["results"] += 1
        return _reply({"images": [{"url": "https://results.example/a.png"}], "seed": 7})

    def _submitted(self) -> str:
        self.counts["submits"] += 1
        request_id = f"job-{self.counts['submits']:08d}"
        self._polled[request_id] = 0
        return request_id

    def _poll(self, request_id: str) -> int:
        """How many more polls there will be before the job is over; 0 is said by the last one."""
        self.counts["polls"] += 1
        self._polled[request_id] += 1
        self.counts["polled jobs"] += self._polled[request_id] == 1
        return self.polls - self._polled[request_id]


class Conversation(asyncio.Protocol):
    """One connection, kept alive; requests are answered in order."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._world.counts["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end])
            body_end = self._take_body(head, end + 4)
            if body_end is None:
                return
            del self._buffer[:body_end]
            method, path, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
            self._send(self._world.answer(method, path))

    def _take_body(self, head: bytes, start: int) -> int | None:
        """Where the request in the buffer ends; None while it is not all there."""
        lines = head.lower().split(b"\r\n")
        if any(line.startswith(b"transfer-encoding:") for line in lines):
            end = self._buffer.find(b"\r\n0\r\n\r\n", start - 2)
            return None if end < 0 else end + 7
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
        return start + length if len(self._buffer) >= start + length else None

    def _send(self, reply: bytes) -> None:
        if self._world.latency:
            asyncio.get_running_loop().call_later(self._world.latency, self._write, reply)
        else:
            self._write(reply)

    def _write(self, reply: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(reply)


def _reply(body: object, status: str = "200 OK") -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def _serve(world: World, tell: Callable[[str], None]) -> None:
    server = await asyncio.get_running_loop().create_server(
        partial(Conversation, world), "127.0.0.1", 0, backlog=BACKLOG
    )
    port = server.sockets[0].getsockname()[1]
    world.origin = f"http://127.0.0.1:{port}"
    tell(world.origin)
    async with server:
        await server.serve_forever()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the origin, then serve."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wire", description=__doc__)
    parser.add_argument("--polls", type=int, default=3, help="the poll that says the job is over")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds each reply takes")
    options = parser.parse_args(arguments)
    if sys.platform != "win32":
        import uvloop

        uvloop.install()
    asyncio.run(_serve(World(options.polls, options.latency), partial(print, flush=True)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
