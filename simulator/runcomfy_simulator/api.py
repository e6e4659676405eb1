"""The API's endpoints: who asks, for what, may they, and which reply it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from . import body as bodies
from .dialect import BadSchema, Problem
from .files import reply
from .media.intake import Intake
from .replies import Replies, origin_of, to_json
from .resource import Refused, Resource

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from .catalogue import Model
    from .engine import Engine
    from .faults.delivery import Handler
    from .faults.gate import Gate
    from .files import Files
    from .jobs import Job

MOST_LISTED = 500
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Api:
    """Handlers over one engine."""

    def __init__(self, engine: Engine, files: Files, gate: Gate) -> None:
        self._engine = engine
        self._files = files
        self._gate = gate
        self._replies = Replies(engine, engine.settings.profile)
        self._intake = Intake(files.bytes_at, fetch=engine.settings.fetch_inputs)

    def routes(self) -> list[Route]:
        """All of them, the most asked first."""
        return [
            self._route("/v1/requests/{request_id}/status", GET=("status", self.status)),
            self._route("/v1/requests/{request_id}/result", GET=("result", self.result)),
            self._route("/v1/requests/{request_id}/cancel", POST=("cancel", self.cancel)),
            self._route("/v1/models", GET=("catalogue", self.list_models)),
            self._route("/v1/models/categories", GET=("catalogue", self.categories)),
            self._route("/v1/models/{model_id:path}", GET=("catalogue", self.model), POST=("submit", self.submit)),
            self._route("/prod/v2/balance", GET=("balance", self.balance)),
            self._route("/files/{path:path}", GET=("file", self.file)),
        ]

    def _route(self, path: str, **handlers: tuple[str, Handler]) -> Route:
        return Route(path, Resource(self._gate, handlers))

    # -- jobs

    async def submit(self, request: Request) -> Response:
        token = self._token(request)
        model = self._model(request)
        raw = request.state.raw
        if raw is None:
            return self._replies.error(413, None, f"The body is larger than {bodies.LARGEST // 1024**2} MB.")
        try:
            body = bodies.parse(raw)
        except bodies.BadBody as fault:
            return self._replies.invalid([Problem((), str(fault), "json")])
        try:
            problems = model.judge.problems(body)
        except BadSchema as fault:
            return self._replies.error(500, None, f"The schema of {model.model_id} is faulty: {fault}")
        problems += await self._intake.problems(model.judge.media(body), _own_origins(request))
        if problems:
            return self._replies.invalid(problems)
        if self._engine.balance(token) <= 0:
            return self._replies.no_balance()
        rules = request.state.rules
        effect = self._gate.job_effect(rules)
        job = self._engine.submit(model, token, body, size=len(raw), rules=rules, effect=effect)
        return self._replies.submitted(job, origin_of(request))

    async def status(self, request: Request) -> Response:
        return self._replies.status(self._job(request), origin_of(request))

    async def result(self, request: Request) -> Response:
        job = self._job(request)
        include_cost = self._flag(request, "include_cost")
        return self._replies.result(job, origin_of(request), include_cost=include_cost)

    async def cancel(self, request: Request) -> Response:
        job = self._job(request)
        return self._replies.cancelled(job, done=self._engine.cancel(job))

    # -- catalogue and account

    async def list_models(self, request: Request) -> Response:
        self._token(request)
        query = request.query_params
        limit = self._number(request, "limit", usual=100, least=1, most=MOST_LISTED)
        offset = self._number(request, "offset", usual=0, least=0, most=None)
        found = self._engine.catalogue.search(
            text=query.get("search", ""), category=query.get("category", ""), kind=query.get("kind", "")
        )
        with_schema = self._flag(request, "include_schema")
        entries = [model.entry(include_schema=with_schema) for model in found[offset : offset + limit]]
        window = {"limit": limit, "offset": offset} if self._engine.settings.profile.list_tells_window else {}
        return to_json({"models": entries, "total": len(found), **window})

    async def model(self, request: Request) -> Response:
        self._token(request)
        return to_json(self._model(request).entry(include_schema=True))

    async def categories(self, request: Request) -> Response:
        self._token(request)
        return to_json({"categories": self._engine.catalogue.categories()})

    async def balance(self, request: Request) -> Response:
        dollars = self._engine.balance(self._token(request))
        return to_json({"balance_usd": dollars, "balance_microdollars": round(dollars * 1e6), "currency": "USD"})

    # -- files: no token, as on the real hosts

    async def file(self, request: Request) -> Response:
        served = await self._files.get(request.url.path)
        if served is None:
            return self._replies.error(404, None, "There is no such file, or it has expired.")
        return await run_in_threadpool(reply, served, request.headers.get("range"))

    # -- who asks, for what

    def _token(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._engine.admits(token):
            return token
        raise Refused(self._replies.bad_token())

    def _job(self, request: Request) -> Job:
        token = self._token(request)
        job = self._engine.find(request.path_params["request_id"])
        if job is None:
            raise Refused(self._replies.unknown_request())
        if job.token != token:
            raise Refused(self._replies.foreign())
        return job

    def _model(self, request: Request) -> Model:
        model_id = request.path_params["model_id"]
        model = self._engine.catalogue.get(model_id)
        if model is None:
            raise Refused(self._replies.unknown_model(model_id))
        return model

    def _flag(self, request: Request, name: str) -> bool:
        word = request.query_params.get(name, "false").lower()
        if word not in ("true", "1", "false", "0"):
            raise self._bad_query(name, "true or false is expected")
        return word in ("true", "1")

    def _number(self, request: Request, name: str, *, usual: int, least: int, most: int | None) -> int:
        text = request.query_params.get(name, str(usual))
        number = int(text) if re.fullmatch(r"[0-9]{1,300}", text) else -1
        if number < least or (most is not None and number > most):
            raise self._bad_query(name, f"a whole number from {least} {f'to {most}' if most else 'on'} is expected")
        return number

    def _bad_query(self, name: str, text: str) -> Refused:
        return Refused(self._replies.invalid([Problem((name,), text, "query")], place="query"))


def _own_origins(request: Request) -> frozenset[str]:
    server = request.scope.get("server") or ("127.0.0.1", 80)
    return frozenset({origin_of(request), *(f"http://{name}:{server[1]}" for name in _LOCAL_NAMES)})
