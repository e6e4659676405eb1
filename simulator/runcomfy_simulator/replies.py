"""The API's replies and errors, in the words of the chosen profile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from .files import paths_of
from .output import output_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from .dialect import Problem
    from .engine import Engine
    from .jobs import Job
    from .profiles import Profile

UNKNOWN_MODEL, NO_BALANCE, BAD_TOKEN, NOT_READY, FOREIGN, UNKNOWN_REQUEST = (
    400001,
    400002,
    400004,
    400005,
    403001,
    404001,
)


def to_json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON reply; non-ASCII stays readable."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode("utf-8"), status, headers=headers, media_type="application/json")


def origin_of(request: Request) -> str:
    """Where the client reached us; the URLs in replies must be reachable by it too."""
    return f"http://{request.headers.get('host', '127.0.0.1')}"


class Replies:
    """Words an engine's facts as one profile of the API does."""

    def __init__(self, engine: Engine, profile: Profile) -> None:
        self._engine = engine
        self._profile = profile

    # -- errors

    def error(self, status: int, code: int | None, text: str) -> Response:
        body: dict[str, Any] = {} if code is None else {"error_code": code}
        return to_json({**body, self._profile.error_text: text}, status)

    def bad_token(self) -> Response:
        text = "The token is missing, expired or revoked, or the account is inactive."
        headers = {"WWW-Authenticate": "Bearer"} if self._profile.token_code == 401 else None
        return to_json({"error_code": BAD_TOKEN, self._profile.error_text: text}, self._profile.token_code, headers)

    def no_balance(self) -> Response:
        return self.error(self._profile.balance_code, NO_BALANCE, "The balance is used up.")

    def unknown_model(self, model_id: str) -> Response:
        return self.error(400, UNKNOWN_MODEL, f"There is no model {model_id!r}.")

    def unknown_request(self) -> Response:
        return self.error(404, UNKNOWN_REQUEST, "The request id is unknown, deleted or expired.")

    def foreign(self) -> Response:
        return self.error(403, FOREIGN, "The request belongs to another user.")

    def invalid(self, problems: Sequence[Problem], place: str = "body") -> Response:
        """What does not match the schema: 422 with a `detail` list, or 400 with one text."""
        if self._profile.invalid_code == 422:
            detail = [{"loc": [place, *item.path], "msg": item.message, "type": item.code} for item in problems]
            return to_json({"detail": detail}, 422)
        lines = [f"{'.'.join(map(str, item.path)) or place}: {item.message}" for item in problems]
        return to_json({self._profile.error_text: "; ".join(lines)}, self._profile.invalid_code)

    # -- jobs

    def submitted(self, job: Job, origin: str) -> Response:
        body = {"request_id": job.request_id, **self._urls(job, origin, "status_url", "result_url", "cancel_url")}
        if self._profile.submit_tells_status:
            body["status"] = "in_queue"
        return to_json(body, self._profile.submit_code)

    def status(self, job: Job, origin: str) -> Response:
        body: dict[str, Any] = {"request_id": job.request_id, "status": self._status_word(job)}
        if job.state == "in_queue":
            body["queue_position"] = self._engine.position(job) + self._profile.first_position
        return to_json({**body, **self._urls(job, origin, "status_url", "result_url")})

    def result(self, job: Job, origin: str, *, include_cost: bool) -> Response:
        if not job.over and self._profile.early_result_code != 200:
            return self.error(self._profile.early_result_code, NOT_READY, "The result is not ready.")
        clock = self._engine.clock
        body: dict[str, Any] = {"request_id": job.request_id, "model_id": job.model_id}
        body |= {"status": self._result_word(job), "created_at": clock.date(job.created)}
        if job.ended is not None:
            body["finished_at"] = clock.date(job.ended)
            if include_cost and clock.now() >= job.ended + job.cost_delay:
                body["cost"] = job.cost
        if job.state == "succeeded":
            urls = [origin + path for path in paths_of(job)]
            body["output"] = output_of(job, urls, lists_of_one=self._profile.lists_of_one)
        elif job.state == "failed":
            body["error"] = job.error
        if self._profile.result_tells_input:
            body["input"] = job.input
        return to_json(body)

    def cancelled(self, job: Job, *, done: bool) -> Response:
        outcome = "cancelled" if done else "not_cancellable"
        return to_json({"request_id": job.request_id, "status": self._status_word(job), "outcome": outcome}, 202)

    def _status_word(self, job: Job) -> str:
        if job.state == "succeeded" or (job.state == "failed" and not self._profile.status_tells_failure):
            return "completed"
        return job.state

    def _result_word(self, job: Job) -> str:
        return self._profile.success if job.state == "succeeded" else job.state

    def _urls(self, job: Job, origin: str, *names: str) -> dict[str, str]:
        base = f"{origin}/v1/requests/{job.request_id}"
        return {name: f"{base}/{name.removesuffix('_url')}" for name in names}
