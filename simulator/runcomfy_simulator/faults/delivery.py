"""Brings a fault to a request: around its handler, and around the reply on its way out."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING

from starlette.responses import Response

from .spoiling import spoilt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from .effects import Effect, Instead
    from .wires import Wires

    Handler = Callable[[Request], Awaitable[Response]]

_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Upstream trouble</title></head>"
    b"<body><h1>Upstream trouble</h1><p>The gateway got no answer.</p></body></html>\n"
)
_LONGEST_HANG = 3600.0
# Time for what was sent to be read before the connection is reset.
_BREATH = 0.02


async def deliver(effect: Effect, request: Request, handler: Handler, wires: Wires) -> Response:
    """The reply to `request` under `effect`."""
    if effect.delay:
        await asyncio.sleep(effect.delay)
    if effect.hang:
        return _Hanging()
    reply = await handler(request) if effect.handled else Response()
    if effect.gone:
        return _Gone(wires)
    if effect.instead:
        reply = _stand_in(effect.instead)
    if effect.spoil:
        headers = {key: value for key, value in reply.headers.items() if key.lower() != "content-length"}
        reply = Response(spoilt(bytes(reply.body), effect.spoil), reply.status_code, headers)
    if effect.reset_after is not None or effect.drip_bytes:
        return _Damaged(reply, effect, wires)
    return reply


def _stand_in(instead: Instead) -> Response:
    headers = {}
    if instead.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(instead.retry_after))
    if instead.location:
        headers["Location"] = instead.location
    if instead.body == "html":
        return Response(_PAGE, instead.status, headers, media_type="text/html")
    if instead.body == "empty" or instead.status in (204, 304):
        return Response(b"", instead.status, headers)
    body: dict[str, object] = {"message": f"The simulator was told to answer {instead.status} here."}
    if instead.error_code is not None:
        body = {
            "error_code": instead.error_code,
            "error_message": "The simulator was told to answer with an error body.",
        }
    return Response(json.dumps(body).encode(), instead.status, headers, media_type="application/json")


class _Hanging(Response):
    """Says nothing until the client goes away."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def until_gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        try:
            await asyncio.wait_for(until_gone(), _LONGEST_HANG)
        except TimeoutError:
            await super().__call__(scope, receive, send)


class _Gone(Response):
    """Resets the connection without a word."""

    def __init__(self, wires: Wires) -> None:
        super().__init__()
        self._wires = wires

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._wires.reset(scope["client"])
        await asyncio.sleep(0)


class _Damaged(Response):
    """Sends a reply in drips, or only its start and then a reset."""

    def __init__(self, reply: Response, effect: Effect, wires: Wires) -> None:
        super().__init__(reply.body, reply.status_code)
        self.raw_headers = reply.raw_headers
        self._effect = effect
        self._wires = wires

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
        await asyncio.sleep(_BREATH)
        self._wires.reset(scope["client"])
        await asyncio.sleep(_BREATH)
