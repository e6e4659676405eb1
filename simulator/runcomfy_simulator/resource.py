"""A path and its methods: the handler of each, a 405 that names them, and the faults that requests meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from .fault_injection.delivery import Handler
    from .fault_injection.gate import Gate


class Refused(Exception):
    """Ends a handler with this reply."""

    def __init__(self, reply: Response) -> None:
        super().__init__(reply.status_code)
        self.reply = reply


class Resource:
    """An ASGI endpoint. `handlers` has for each method the subject that faults call it, and its handler."""

    def __init__(self, gate: Gate, handlers: Mapping[str, tuple[str, Handler]]) -> None:
        self._gate = gate
        self._handlers = handlers
        self._allowed = ", ".join(sorted(handlers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        entry = self._handlers.get("GET" if request.method == "HEAD" else request.method)
        if entry is None:
            text = f"{request.method} is not allowed here, but {self._allowed}."
            reply: Response = JSONResponse({"message": text}, 405, {"Allow": self._allowed})
        else:
            subject, handler = entry
            reply = await self._gate.answer(subject, request, _with_refusals(handler))
        await reply(scope, receive, send)


def _with_refusals(handler: Handler) -> Handler:
    async def run(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as refused:
            return refused.reply

    return run
