"""The API's replies, outputs and errors, as the chosen profile has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from .files import file_paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from .dialect import Path, Problem
    from .engine import Engine
    from .jobs import Job
    from .profiles import Profile

UNKNOWN_MODEL = 400001
NO_BALANCE = 400002
BAD_TOKEN = 400004
NOT_READY = 400005
FOREIGN_REQUEST = 403001
UNKNOWN_REQUEST = 404001

_MEDIA_KEYS = {"image", "images", "video", "videos", "audio", "audios"}


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON reply; non-ASCII characters stay readable."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode("utf-8"), status, headers=headers, media_type="application/json")


def request_origin(request: Request) -> str:
    """The origin by which the client reached the simulator; the URLs in replies use it, so that they reach it too."""
    return f"{request.scope.get('scheme', 'http')}://{request.headers.get('host', '127.0.0.1')}"


class Replies:
    """Writes replies about an engine's state as one profile has them."""

    def __init__(self, engine: Engine, profile: Profile) -> None:
        self._engine = engine
        self._profile = profile

    # -- errors

    def error(self, status: int, code: int | None, text: str) -> Response:
        body: dict[str, Any] = {} if code is None else {"error_code": code}
        return json_response({**body, self._profile.error_key: text}, status)

    def bad_token(self) -> Response:
        text = "The token is missing, expired or revoked, or the account is inactive."
        headers = {"WWW-Authenticate": "Bearer"} if self._profile.token_code == 401 else None
        return json_response(
            {"error_code": BAD_TOKEN, self._profile.error_key: text}, self._profile.token_code, headers
        )

    def no_balance(self) -> Response:
        return self.error(self._profile.balance_code, NO_BALANCE, "The balance is used up.")

    def unknown_model(self, model_id: str) -> Response:
        return self.error(400, UNKNOWN_MODEL, f"There is no model {model_id!r}.")

    def unknown_request(self) -> Response:
        return self.error(404, UNKNOWN_REQUEST, "The request id is unknown, deleted or expired.")

    def foreign_request(self) -> Response:
        return self.error(403, FOREIGN_REQUEST, "The request belongs to another user.")

    def invalid(self, problems: Sequence[Problem], place: str = "body") -> Response:
        """What does not match the schema, or the query."""
        profile = self._profile
        if profile.invalid_body == "text":
            lines = [f"{'.'.join(map(str, item.path)) or place}: {item.message}" for item in problems]
            return json_response({profile.error_key: "; ".join(lines)}, profile.invalid_code)
        as_text = profile.invalid_body == "text-list"
        detail = [
            {
                "loc": _dotted("input" if place == "body" else place, item.path) if as_text else [place, *item.path],
                "msg": item.message,
                "type": item.code,
            }
            for item in problems
        ]
        return json_response({"detail": detail}, profile.invalid_code)

    # -- jobs

    def submitted(self, job: Job, origin: str) -> Response:
        body = {"request_id": job.request_id, **self._urls(job, origin, "status_url", "result_url", "cancel_url")}
        if self._profile.submit_has_status:
            body["status"] = "in_queue"
        return json_response(body, self._profile.submit_code)

    def status(self, job: Job, origin: str) -> Response:
        body: dict[str, Any] = {"request_id": job.request_id, "status": self._status_word(job)}
        if job.state == "in_queue":
            body["queue_position"] = self._engine.position(job) + self._profile.first_position
        return json_response({**body, **self._urls(job, origin, "status_url", "result_url")})

    def result(self, job: Job, origin: str, *, include_cost: bool) -> Response:
        if not job.over and self._profile.early_result_code != 200:
            return self.error(self._profile.early_result_code, NOT_READY, "The result is not ready.")
        clock = self._engine.clock
        body: dict[str, Any] = {"request_id": job.request_id}
        if self._profile.result_has_model_id:
            body["model_id"] = job.model_id
        body |= {"status": self._result_word(job), "created_at": clock.date(job.created)}
        if job.ended is not None:
            body["finished_at"] = clock.date(job.ended)
            if include_cost and clock.now() >= job.ended + job.cost_delay:
                body["cost"] = job.cost
        if job.state == "succeeded":
            urls = [origin + path for path in file_paths(job)]
            body["output"] = make_output(job, urls, lists_of_one=self._profile.lists_of_one)
        elif job.state == "failed":
            body["error"] = job.error
        if self._profile.result_has_input:
            body["input"] = job.used_input
        return json_response(body)

    def cancelled(self, job: Job, *, done: bool) -> Response:
        outcome = self._profile.cancel_outcome if done else "not_cancellable"
        return json_response({"request_id": job.request_id, "status": self._status_word(job), "outcome": outcome}, 202)

    def _status_word(self, job: Job) -> str:
        if job.state == "succeeded" or (job.state == "failed" and not self._profile.status_shows_failure):
            return "completed"
        return job.state

    def _result_word(self, job: Job) -> str:
        return self._profile.success if job.state == "succeeded" else job.state

    def _urls(self, job: Job, origin: str, *names: str) -> dict[str, str]:
        base = f"{origin}/v1/requests/{job.request_id}"
        return {name: f"{base}/{name.removesuffix('_url')}" for name in names}


def _dotted(root: str, path: Path) -> str:
    """A place such as `input.image_urls[0]`."""
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def make_output(job: Job, urls: Sequence[str], *, lists_of_one: bool) -> dict[str, Any]:
    """The output of a succeeded job.

    Args:
        lists_of_one: one image still comes as a list; one video or sound never does.
    """
    kind = job.spec.kind
    parts: Mapping[str, Any] = job.model.output_schema.get("properties") or {}
    single, plural = kind, f"{kind}s"
    wants_list = len(urls) > 1 or (lists_of_one and kind == "image")
    as_list = (plural in parts or single not in parts) if wants_list else (single not in parts and plural in parts)
    if as_list:
        items = (parts.get(plural) or {}).get("items")
        output: dict[str, Any] = {plural: [_file_value(url, items, job) for url in urls]}
    else:
        output = {single: _file_value(urls[0], parts.get(single), job)}
    # What the schema has besides media and the input has too, such as `seed` or `prompt`.
    inputs = job.used_input
    return output | {name: inputs[name] for name in parts if name not in _MEDIA_KEYS and name in inputs}


def _file_value(url: str, part: Any, job: Job) -> Any:
    """A URL as the schema has it: plain, or in an object with `url`."""
    if not isinstance(part, dict) or "url" not in (part.get("properties") or {}):
        return url
    facts = {"url": url, "width": job.spec.width, "height": job.spec.height, "duration": job.spec.seconds}
    return {name: facts[name] for name in part["properties"] if name in facts}
