"""What the real API does not have: looking in, moving time, putting up files, setting faults, under /simulator/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from . import body as bodies
from .faults.rules import BadScript, parse_script
from .replies import origin_of, to_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from .engine import Engine
    from .faults.schedule import Schedule
    from .files import Files
    from .jobs import Job


class Admin:
    """Handlers for tests and the curious; no token is asked for."""

    def __init__(self, engine: Engine, files: Files, schedule: Schedule) -> None:
        self._engine = engine
        self._files = files
        self._schedule = schedule

    def routes(self) -> list[Route]:
        return [
            Route("/simulator/stats", self.stats, methods=["GET"]),
            Route("/simulator/jobs", self.jobs, methods=["GET"]),
            Route("/simulator/script", self.add_script, methods=["POST"]),
            Route("/simulator/script", self.clear_script, methods=["DELETE"]),
            Route("/simulator/skip", self.skip, methods=["POST"]),
            Route("/simulator/balance", self.set_balance, methods=["POST"]),
            Route("/simulator/files", self.host, methods=["POST"]),
        ]

    async def stats(self, _: Request) -> Response:
        """How many submits were truly accepted, how many jobs wait and run, how many requests came and met a fault."""
        return to_json({**self._engine.stats(), **self._schedule.counts()})

    async def jobs(self, _: Request) -> Response:
        return to_json({"jobs": [_shown(job) for job in self._engine.jobs()]})

    async def add_script(self, request: Request) -> Response:
        try:
            rules = parse_script((await request.body()).decode("utf-8", "replace"))
        except BadScript as fault:
            return to_json({"message": str(fault)}, 422)
        self._schedule.add(rules)
        return to_json({"rules": [rule.text for rule in rules]})

    async def clear_script(self, _: Request) -> Response:
        self._schedule.clear()
        return to_json({"rules": []})

    async def skip(self, request: Request) -> Response:
        """{"seconds": 60} lets a minute pass at once."""
        try:
            self._engine.clock.skip(float(bodies.parse(await request.body())["seconds"]))
        except (bodies.BadBody, KeyError, TypeError, ValueError):
            return to_json({"message": 'expected {"seconds": S}, S not negative'}, 422)
        return to_json({"now": self._engine.clock.date(self._engine.clock.now())})

    async def set_balance(self, request: Request) -> Response:
        """{"token": "...", "balance_usd": 5} sets what a token owns."""
        try:
            told = bodies.parse(await request.body())
            self._engine.set_balance(str(told["token"]), float(told["balance_usd"]))
        except (bodies.BadBody, KeyError, TypeError, ValueError):
            return to_json({"message": 'expected {"token": "...", "balance_usd": USD}'}, 422)
        return to_json({"balance_usd": self._engine.balance(str(told["token"]))})

    async def host(self, request: Request) -> Response:
        """Puts up the body as a file; `?name=` is what its URL ends with."""
        path = self._files.host(await request.body(), request.query_params.get("name", ""))
        return to_json({"url": origin_of(request) + path}, 201)


def _shown(job: Job) -> dict[str, Any]:
    return {
        "request_id": job.request_id,
        "model_id": job.model_id,
        "state": job.state,
        "input": job.input,
        "cost": job.cost,
        "error": job.error,
    }
