"""The API's endpoints: who sends the request, whether it is allowed, and the reply."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from . import request_body
from .dialect import InvalidSchema, Problem
from .files import file_response
from .media.inputs import MediaInputs
from .replies import json_response, request_origin
from .resource import Refused, Resource

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from .catalog import Model
    from .engine import Engine
    from .fault_injection.delivery import Handler
    from .fault_injection.gate import Gate
    from .files import Files
    from .jobs import Job
    from .replies import Replies

MOST_LISTED = 500
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Api:
    """Handlers over one engine."""

    def __init__(self, engine: Engine, files: Files, gate: Gate, replies: Replies) -> None:
        self._engine = engine
        self._files = files
        self._gate = gate
        self._replies = replies
        settings = engine.settings
        self._media = MediaInputs(files.bytes_at, fetch=settings.fetch_inputs, data_uris=settings.profile.data_uris)

    def routes(self) -> list[Route]:
        """All of them, the most frequent first."""
        return [
            self._route("/v1/requests/{request_id}/status", GET=("status", self.status)),
            self._route("/v1/requests/{request_id}/result", GET=("result", self.result)),
            self._route("/v1/requests/{request_id}/cancel", POST=("cancel", self.cancel)),
            self._route("/v1/models", GET=("catalog", self.list_models)),
            self._route("/v1/models/categories", GET=("catalog", self.categories)),
            self._route("/v1/models/{model_id:path}", GET=("catalog", self.model), POST=("submit", self.submit)),
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
            return self._replies.error(413, None, f"The body is larger than {request_body.LARGEST // 1024**2} MB.")
        try:
            body = request_body.parse(raw)
        except request_body.InvalidBody as error:
            return self._replies.invalid([Problem((), str(error), "json")])
        try:
            validator = model.validator
        except InvalidSchema as error:
            return self._replies.error(500, None, f"The schema of {model.model_id} is faulty: {error}")
        problems = validator.problems(body, undeclared_keys=self._engine.settings.profile.undeclared_keys != "refuse")
        media = await self._media.check(validator.media(body), _own_origins(request))
        problems += media.problems
        if problems:
            return self._replies.invalid(problems)
        if self._engine.balance(token) <= 0:
            return self._replies.no_balance()
        rules = request.state.rules
        effect = self._gate.job_effect(rules)
        job = self._engine.submit(model, token, body, media=media.known, size=len(raw), rules=rules, effect=effect)
        return self._replies.submitted(job, request_origin(request))

    async def status(self, request: Request) -> Response:
        return self._replies.status(self._job(request), request_origin(request))

    async def result(self, request: Request) -> Response:
        job = self._job(request)
        include_cost = self._flag(request, "include_cost")
        return self._replies.result(job, request_origin(request), include_cost=include_cost)

    async def cancel(self, request: Request) -> Response:
        job = self._job(request)
        return self._replies.cancelled(job, done=self._engine.cancel(job))

    # -- catalog and account

    async def list_models(self, request: Request) -> Response:
        self._token(request)
        query = request.query_params
        limit = self._number(request, "limit", default=100, least=1, most=MOST_LISTED)
        offset = self._number(request, "offset", default=0, least=0, most=None)
        matches = self._engine.catalog.search(
            text=query.get("search", ""), category=query.get("category", ""), kind=query.get("kind", "")
        )
        with_schema = self._flag(request, "include_schema")
        entries = [model.entry(include_schema=with_schema) for model in matches[offset : offset + limit]]
        window = {"limit": limit, "offset": offset} if self._engine.settings.profile.list_has_window else {}
        return json_response({"models": entries, "total": len(matches), **window})

    async def model(self, request: Request) -> Response:
        self._token(request)
        return json_response(self._model(request).entry(include_schema=True))

    async def categories(self, request: Request) -> Response:
        self._token(request)
        return json_response({"categories": self._engine.catalog.categories()})

    async def balance(self, request: Request) -> Response:
        dollars = self._engine.balance(self._token(request))
        return json_response({"balance_usd": dollars, "balance_microdollars": round(dollars * 1e6), "currency": "USD"})

    # -- files: no token, as on the real hosts

    async def file(self, request: Request) -> Response:
        file = await self._files.get(request.url.path)
        if file is None:
            return self._replies.error(404, None, "There is no such file, or it has expired.")
        return await run_in_threadpool(file_response, file, request.headers.get("range"))

    # -- who asks, and for what

    def _token(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._engine.is_known_token(token):
            return token
        raise Refused(self._replies.bad_token())

    def _job(self, request: Request) -> Job:
        token = self._token(request)
        job = self._engine.find(request.path_params["request_id"])
        if job is None:
            raise Refused(self._replies.unknown_request())
        if job.token != token:
            raise Refused(self._replies.foreign_request())
        return job

    def _model(self, request: Request) -> Model:
        model_id = request.path_params["model_id"]
        model = self._engine.catalog.get(model_id)
        if model is None:
            raise Refused(self._replies.unknown_model(model_id))
        return model

    def _flag(self, request: Request, name: str) -> bool:
        word = request.query_params.get(name, "false").lower()
        if word not in ("true", "1", "false", "0"):
            raise self._bad_query(name, "true or false is expected")
        return word in ("true", "1")

    def _number(self, request: Request, name: str, *, default: int, least: int, most: int | None) -> int:
        text = request.query_params.get(name, str(default))
        number = int(text) if re.fullmatch(r"[0-9]{1,300}", text) else -1
        if number < least or (most is not None and number > most):
            raise self._bad_query(name, f"a whole number from {least} {f'to {most}' if most else 'on'} is expected")
        return number

    def _bad_query(self, name: str, text: str) -> Refused:
        return Refused(self._replies.invalid([Problem((name,), text, "query")], place="query"))


def _own_origins(request: Request) -> frozenset[str]:
    server = request.scope.get("server") or ("127.0.0.1", 80)
    scheme = request.scope.get("scheme", "http")
    return frozenset({request_origin(request), *(f"{scheme}://{name}:{server[1]}" for name in _LOOPBACK_NAMES)})
