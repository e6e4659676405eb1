"""The API's endpoints: who asks, for what, may they, and which reply it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from . import body as bodies
from .dialect import Problem
from .faults.delivery import deliver
from .faults.rules import triggers
from .files import reply
from .media.intake import Intake
from .replies import Replies, origin_of, to_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from .engine import Engine
    from .faults.delivery import Handler
    from .faults.rules import Rule
    from .faults.schedule import Schedule
    from .faults.wires import Wires
    from .files import Files
    from .jobs import Job

# What RunComfy's own nodes allow themselves for a whole body; the server's limit is not known.
LARGEST_BODY = 64 * 1024 * 1024
MOST_LISTED = 500
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Api:
    """Handlers over one engine."""

    def __init__(self, engine: Engine, files: Files, schedule: Schedule, wires: Wires) -> None:
        self._engine = engine
        self._files = files
        self._schedule = schedule
        self._wires = wires
        self._replies = Replies(engine, engine.settings.profile)
        self._intake = Intake(files.bytes_at, fetch=engine.settings.fetch_inputs)

    def routes(self) -> list[Route]:
        """All of them, the most asked first."""
        return [
            self._route("status", "GET", "/v1/requests/{request_id}/status", self.status),
            self._route("result", "GET", "/v1/requests/{request_id}/result", self.result),
            self._route("cancel", "POST", "/v1/requests/{request_id}/cancel", self.cancel),
            self._route("catalogue", "GET", "/v1/models", self.list_models),
            self._route("catalogue", "GET", "/v1/models/categories", self.categories),
            self._route("submit", "POST", "/v1/models/{model_id:path}", self.submit),
            self._route("catalogue", "GET", "/v1/models/{model_id:path}", self.model),
            self._route("balance", "GET", "/prod/v2/balance", self.balance),
            self._route("file", "GET", "/files/{path:path}", self.file),
        ]

    def _route(self, subject: str, method: str, path: str, handler: Handler) -> Route:
        """A route whose requests may meet a fault."""

        async def endpoint(request: Request) -> Response:
            own = await self._rules_of(subject, request)
            effect = self._schedule.next(subject, own)
            return await (handler(request) if effect is None else deliver(effect, request, handler, self._wires))

        return Route(path, endpoint, methods=[method], name=subject)

    async def _rules_of(self, subject: str, request: Request) -> tuple[Rule, ...]:
        """The faults that the request's own job asks for."""
        if subject == "submit":
            request.state.raw = raw = await _read(request)
            request.state.rules = rules = _asked_for(raw) if raw and b"#" in raw else ()
            return rules
        request_id = request.path_params.get("request_id") or request.path_params.get("path", "").partition("/")[0]
        job = self._engine.find(request_id) if request_id else None
        return job.rules if job else ()

    # -- jobs

    async def submit(self, request: Request) -> Response:
        token = self._token(request)
        if token is None:
            return self._replies.bad_token()
        model_id = request.path_params["model_id"]
        model = self._engine.catalogue.get(model_id)
        if model is None:
            return self._replies.unknown_model(model_id)
        raw = request.state.raw
        if raw is None:
            return self._replies.error(413, None, f"The body is larger than {LARGEST_BODY // 1024**2} MB.")
        try:
            body = bodies.parse(raw)
        except bodies.BadBody as fault:
            return self._replies.invalid([Problem((), str(fault), "json")])
        problems = model.judge.problems(body)
        problems += await self._intake.problems(model.judge.media(body), _own_origins(request))
        if problems:
            return self._replies.invalid(problems)
        if self._engine.balance(token) <= 0:
            return self._replies.no_balance()
        rules = request.state.rules
        effect = self._schedule.next("job", rules)
        job = self._engine.submit(model, token, body, size=len(raw), rules=rules, effect=effect)
        return self._replies.submitted(job, origin_of(request))

    async def status(self, request: Request) -> Response:
        job = self._job(request)
        return self._replies.status(job, origin_of(request)) if not isinstance(job, _Refusal) else job.reply

    async def result(self, request: Request) -> Response:
        job = self._job(request)
        if isinstance(job, _Refusal):
            return job.reply
        include_cost = request.query_params.get("include_cost", "").lower() in ("true", "1")
        return self._replies.result(job, origin_of(request), include_cost=include_cost)

    async def cancel(self, request: Request) -> Response:
        job = self._job(request)
        if isinstance(job, _Refusal):
            return job.reply
        return self._replies.cancelled(job, done=self._engine.cancel(job))

    # -- catalogue and account

    async def list_models(self, request: Request) -> Response:
        if self._token(request) is None:
            return self._replies.bad_token()
        query = request.query_params
        try:
            limit, offset = int(query.get("limit", "100")), int(query.get("offset", "0"))
        except ValueError:
            return self._replies.invalid([Problem(("limit",), "limit and offset are whole numbers", "type")])
        if not (1 <= limit <= MOST_LISTED and offset >= 0):
            return self._replies.invalid(
                [Problem(("limit",), f"limit is 1 to {MOST_LISTED}, offset 0 or more", "range")]
            )
        found = self._engine.catalogue.search(
            text=query.get("search", ""), category=query.get("category", ""), kind=query.get("kind", "")
        )
        with_schema = query.get("include_schema", "").lower() in ("true", "1")
        entries = [model.entry(include_schema=with_schema) for model in found[offset : offset + limit]]
        window = {"limit": limit, "offset": offset} if self._engine.settings.profile.list_tells_window else {}
        return to_json({"models": entries, "total": len(found), **window})

    async def model(self, request: Request) -> Response:
        if self._token(request) is None:
            return self._replies.bad_token()
        model_id = request.path_params["model_id"]
        model = self._engine.catalogue.get(model_id)
        return to_json(model.entry(include_schema=True)) if model else self._replies.unknown_model(model_id)

    async def categories(self, request: Request) -> Response:
        if self._token(request) is None:
            return self._replies.bad_token()
        return to_json({"categories": self._engine.catalogue.categories()})

    async def balance(self, request: Request) -> Response:
        token = self._token(request)
        if token is None:
            return self._replies.bad_token()
        dollars = self._engine.balance(token)
        return to_json({"balance_usd": dollars, "balance_microdollars": round(dollars * 1e6), "currency": "USD"})

    # -- files: no token, as on the real hosts

    async def file(self, request: Request) -> Response:
        served = await self._files.get(request.url.path)
        if served is None:
            return self._replies.error(404, None, "There is no such file, or it has expired.")
        return await run_in_threadpool(reply, served, request.headers.get("range"))

    # -- who asks

    def _token(self, request: Request) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" and self._engine.admits(token) else None

    def _job(self, request: Request) -> Job | _Refusal:
        token = self._token(request)
        if token is None:
            return _Refusal(self._replies.bad_token())
        job = self._engine.find(request.path_params["request_id"])
        if job is None:
            return _Refusal(self._replies.unknown_request())
        return job if job.token == token else _Refusal(self._replies.foreign())


class _Refusal:
    """Instead of a job: why it is not to be had."""

    __slots__ = ("reply",)

    def __init__(self, reply: Response) -> None:
        self.reply = reply


async def _read(request: Request) -> bytes | None:
    """The whole body; None if it is too large."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


def _asked_for(raw: bytes) -> tuple[Rule, ...]:
    """The faults that the texts of a body ask for."""
    try:
        body = bodies.parse(raw)
    except bodies.BadBody:
        return ()
    texts = [text for text in body.values() if isinstance(text, str) and not text.startswith(("data:", "http"))]
    return tuple(triggers(texts))


def _own_origins(request: Request) -> frozenset[str]:
    server = request.scope.get("server") or ("127.0.0.1", 80)
    return frozenset({origin_of(request), *(f"http://{name}:{server[1]}" for name in _LOCAL_NAMES)})
