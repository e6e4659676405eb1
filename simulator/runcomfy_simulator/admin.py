"""What the real API does not have, under /simulator/: see jobs, move time, upload files, set faults and balances."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from . import request_body
from .fault_injection.rules import ScriptError, parse_script
from .files import LARGEST_UPLOAD
from .replies import json_response, request_origin

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from .engine import Engine
    from .fault_injection.schedule import Schedule
    from .files import Files
    from .jobs import Job

_LARGEST_BODY = 64 * 1024


class Admin:
    """Handlers for tests and for people who watch; no token is needed."""

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
            Route("/simulator/files", self.upload, methods=["POST"]),
        ]

    async def stats(self, _: Request) -> Response:
        """How many submits were accepted, how many jobs wait and run, how many requests came and met a fault."""
        return json_response({**self._engine.stats(), **self._schedule.counts()})

    async def jobs(self, _: Request) -> Response:
        return json_response({"jobs": [_job_view(job) for job in self._engine.jobs()]})

    async def add_script(self, request: Request) -> Response:
        raw = await request_body.read(request, _LARGEST_BODY)
        if raw is None:
            return json_response({"message": f"The script has more than {_LARGEST_BODY // 1024} KiB."}, 413)
        try:
            rules = parse_script(raw.decode("utf-8", "replace"))
            self._schedule.add(rules)
        except ScriptError as error:
            return json_response({"message": str(error)}, 422)
        return json_response({"rules": [rule.text for rule in rules]})

    async def clear_script(self, _: Request) -> Response:
        self._schedule.clear()
        return json_response({"rules": []})

    async def skip(self, request: Request) -> Response:
        """{"seconds": 60} moves the clock a minute forward."""
        try:
            self._engine.clock.skip(float(request_body.parse(await self._small_body(request))["seconds"]))
        except (request_body.InvalidBody, KeyError, TypeError, ValueError):
            return json_response({"message": 'expected {"seconds": S}, S from 0 to a thousand years'}, 422)
        return json_response({"now": self._engine.clock.date(self._engine.clock.now())})

    async def set_balance(self, request: Request) -> Response:
        """{"token": "...", "balance_usd": 5} sets what a token has left."""
        try:
            body = request_body.parse(await self._small_body(request))
            token, dollars = str(body["token"]), float(body["balance_usd"])
            if not math.isfinite(dollars):
                raise ValueError(dollars)
            self._engine.set_balance(token, dollars)
        except (request_body.InvalidBody, KeyError, TypeError, ValueError):
            return json_response({"message": 'expected {"token": "...", "balance_usd": USD}'}, 422)
        return json_response({"balance_usd": self._engine.balance(token)})

    async def upload(self, request: Request) -> Response:
        """Keeps the body as a file; `?name=` is what its URL ends with."""
        data = await request_body.read(request, LARGEST_UPLOAD)
        if data is None:
            return json_response({"message": f"The body is larger than {LARGEST_UPLOAD // 1024**2} MB."}, 413)
        path = await run_in_threadpool(self._files.upload, data, request.query_params.get("name", ""))
        return json_response({"url": request_origin(request) + path}, 201)

    async def _small_body(self, request: Request) -> bytes:
        raw = await request_body.read(request, _LARGEST_BODY)
        if raw is None:
            raise request_body.InvalidBody("the body is too large")
        return raw


def _job_view(job: Job) -> dict[str, Any]:
    return {
        "request_id": job.request_id,
        "model_id": job.model_id,
        "state": job.state,
        "input": job.input,
        "cost": job.cost,
        "error": job.error,
    }
