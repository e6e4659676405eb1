"""Where each request meets its faults: the script's, those of chance, and those that its own job's prompt asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import body as bodies
from .delivery import deliver
from .rules import triggers

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from ..engine import Engine
    from .delivery import Handler
    from .effects import Effect
    from .rules import Rule
    from .schedule import Schedule
    from .wires import Wires


class Gate:
    """Lets requests through to their handlers, or brings a fault to them."""

    def __init__(self, engine: Engine, schedule: Schedule, wires: Wires) -> None:
        self._engine = engine
        self._schedule = schedule
        self._wires = wires

    async def answer(self, subject: str, request: Request, handler: Handler) -> Response:
        """The reply to a request of `subject`; of a submit it keeps the body and its rules in `request.state`."""
        own = await self._of_submit(request) if subject == "submit" else self._of_job(request)
        effect = self._schedule.next(subject, own)
        if effect is None:
            return await handler(request)
        return await deliver(effect, request, handler, self._wires)

    def job_effect(self, own: tuple[Rule, ...]) -> Effect | None:
        """How the job of a submit that is accepted is made to go."""
        return self._schedule.next("job", own)

    async def _of_submit(self, request: Request) -> tuple[Rule, ...]:
        request.state.raw = raw = await bodies.read(request)
        request.state.rules = rules = _asked_for(raw) if raw and b"#" in raw else ()
        return rules

    def _of_job(self, request: Request) -> tuple[Rule, ...]:
        # A file's path begins with the id of its job.
        request_id = request.path_params.get("request_id") or request.path_params.get("path", "").partition("/")[0]
        job = self._engine.find(request_id) if request_id else None
        return job.rules if job else ()


def _asked_for(raw: bytes) -> tuple[Rule, ...]:
    """The faults that the texts of a body ask for."""
    try:
        body = bodies.parse(raw)
    except bodies.BadBody:
        return ()
    texts = [text for text in body.values() if isinstance(text, str) and not text.startswith(("data:", "http"))]
    return tuple(triggers(texts))
