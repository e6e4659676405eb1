"""Applies a fault to a request: around its handler, and to the reply on its way out, whose text it may change."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from .connections import Connections
    from .effects import Effect, Replacement

    Handler = Callable[[Request], Awaitable[Response]]

_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Upstream trouble</title></head>"
    b"<body><h1>Upstream trouble</h1><p>The gateway got no answer.</p></body></html>\n"
)
_LONGEST_HANG = 3600.0
# Seconds for the client to read what was sent before the connection is reset.
_READ_PAUSE = 0.02


async def deliver(effect: Effect, request: Request, handler: Handler, connections: Connections) -> Response:
    """The reply to `request` under `effect`."""
    if effect.delay:
        await asyncio.sleep(effect.delay)
    if effect.hang:
        return _Hanging()
    reply = await handler(request) if effect.handled else Response()
    if effect.reset:
        return _Reset(connections)
    if effect.replacement:
        reply = _replacement_reply(effect.replacement)
    if effect.corruption:
        headers = {key: value for key, value in reply.headers.items() if key.lower() != "content-length"}
        reply = Response(corrupt(bytes(reply.body), effect.corruption), reply.status_code, headers)
    if effect.reset_after is not None or effect.drip_bytes:
        return _Interrupted(reply, effect, connections)
    return reply


def _replacement_reply(replacement: Replacement) -> Response:
    headers = {}
    if replacement.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(replacement.retry_after))
    if replacement.location:
        headers["Location"] = replacement.location
    if replacement.body == "html":
        return Response(_PAGE, replacement.status, headers, media_type="text/html")
    if replacement.body == "empty" or replacement.status in (204, 304):
        return Response(b"", replacement.status, headers)
    body: dict[str, object] = {"message": f"The simulator answers {replacement.status} here, as its script says."}
    if replacement.error_code is not None:
        body = {
            "error_code": replacement.error_code,
            "error_message": "The simulator answers with this error, as its script says.",
        }
    return Response(json.dumps(body).encode(), replacement.status, headers, media_type="application/json")


class _Hanging(Response):
    """Sends nothing until the client closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def until_closed() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        try:
            await asyncio.wait_for(until_closed(), _LONGEST_HANG)
        except TimeoutError:
            await super().__call__(scope, receive, send)


class _Reset(Response):
    """Resets the connection without a reply."""

    def __init__(self, connections: Connections) -> None:
        super().__init__()
        self._wires = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._wires.reset(scope["client"])
        await asyncio.sleep(0)


class _Interrupted(Response):
    """Sends a reply in drips, or only its start and then a reset."""

    def __init__(self, reply: Response, effect: Effect, connections: Connections) -> None:
        super().__init__(reply.body, reply.status_code)
        self.raw_headers = reply.raw_headers
        self._effect = effect
        self._wires = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        data = bytes(self.body)
        # A reset comes before the end, also of a reply that is shorter.
        end = len(data) if self._effect.reset_after is None else min(self._effect.reset_after, max(0, len(data) - 1))
        step = self._effect.drip_bytes or max(1, end)
        for start in range(0, end, step):
            part = data[start : min(start + step, end)]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            if self._effect.drip_bytes:
                await asyncio.sleep(self._effect.drip_seconds)
        if self._effect.reset_after is None:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        if end == 0:
            # Sends the headers, which wait for a first part of the body.
            await send({"type": "http.response.body", "body": b"", "more_body": True})
        await asyncio.sleep(_READ_PAUSE)
        self._wires.reset(scope["client"])
        await asyncio.sleep(_READ_PAUSE)


def corrupt(data: bytes, corruption: tuple[str, ...]) -> bytes:
    """`data`, a JSON object as text, changed in the way that `corruption` names; other data is only cut or broken."""
    how, *words = corruption
    if how == "bad":
        return data[:-1] + b", oops"
    if how == "cut":
        return data[: len(data) // 2]
    try:
        body = json.loads(data)
    except ValueError:
        return data
    if not isinstance(body, dict):
        return data
    if how == "duplicate":
        return _with_duplicate_keys(body)
    if how == "set":
        body[words[0]] = _value(words[1])
    else:
        for path in words:
            _change(body, path.split("."), remove=how == "without")
    return json.dumps(body, ensure_ascii=False).encode("utf-8")


def _with_duplicate_keys(body: dict[str, Any]) -> bytes:
    """Each key twice: first with a value of the same kind that is not true, then with the true one."""
    wrong = {"status": "in_queue", "request_id": "0" * 32}
    pairs = []
    for key, value in body.items():
        first = wrong.get(key, value)
        pairs += [
            f"{json.dumps(key)}: {json.dumps(first)}",
            f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}",
        ]
    return ("{" + ", ".join(pairs) + "}").encode("utf-8")


def _value(text: str) -> Any:
    """JSON if it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _change(body: Any, path: list[str], *, remove: bool) -> None:
    for step in path[:-1]:
        body = body.get(step) if isinstance(body, dict) else None
    if isinstance(body, dict) and path[-1] in body:
        if remove:
            del body[path[-1]]
        else:
            body[path[-1]] = None
