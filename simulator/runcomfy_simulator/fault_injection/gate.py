"""Where each request meets its faults: the script's, random ones, and those that its own job's prompt asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import request_body
from .delivery import deliver
from .rules import triggers

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from ..engine import Engine
    from ..jobs import Job
    from .connections import Connections
    from .delivery import Handler
    from .effects import Effect
    from .rules import FaultRule
    from .schedule import Schedule


class Gate:
    """Passes requests on to their handlers, or applies a fault to them."""

    def __init__(self, engine: Engine, schedule: Schedule, connections: Connections) -> None:
        self._engine = engine
        self._schedule = schedule
        self._connections = connections

    async def answer(self, subject: str, request: Request, handler: Handler) -> Response:
        """The reply to a request of `subject`. A submit's body and the rules in it are kept in `request.state`."""
        if subject == "submit":
            effect = self._schedule.next(subject, await self._read_submit(request))
        elif job := self._find_job(request):
            effect = self._schedule.next(subject, job.rules, job.phase)
        else:
            effect = self._schedule.next(subject)
        if effect is None:
            return await handler(request)
        return await deliver(effect, request, handler, self._connections)

    def job_effect(self, own: tuple[FaultRule, ...]) -> Effect | None:
        """How the job of an accepted submit differs from others."""
        return self._schedule.next("job", own)

    async def _read_submit(self, request: Request) -> tuple[FaultRule, ...]:
        request.state.raw = raw = await request_body.read(request)
        request.state.rules = rules = _rules_in(raw) if raw and b"#" in raw else ()
        return rules

    def _find_job(self, request: Request) -> Job | None:
        # A file's path begins with the id of its job.
        request_id = request.path_params.get("request_id") or request.path_params.get("path", "").partition("/")[0]
        return self._engine.find(request_id) if request_id else None


def _rules_in(raw: bytes) -> tuple[FaultRule, ...]:
    """The fault rules in the texts of a body."""
    try:
        body = request_body.parse(raw)
    except request_body.InvalidBody:
        return ()
    texts = [text for text in body.values() if isinstance(text, str) and not text.startswith(("data:", "http"))]
    return tuple(triggers(texts))
