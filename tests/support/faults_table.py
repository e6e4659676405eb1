"""The faults of docs/reliability.md: what goes wrong, for the submit and for a poll, and how each is brought about."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support import fault_proxy as faults
from tests.support.fault_proxy import answer
from tests.support.http_wire import Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.fault_proxy import Fault

ELSEWHERE = "http://127.0.0.1:9/v1/elsewhere"
HUGE = 9 * 1024 * 1024


@dataclass(frozen=True)
class Scene:
    """One row: its words, and what answers instead of the API (None: nobody listens at all)."""

    words: str
    fault: Fault | None
    settings: dict[str, Any] = field(default_factory=dict)
    follows_redirects: bool = False


def error(status: int, **body: object) -> Fault:
    return answer(json_response(body, status))


CUTS = [
    Scene("connection refused", None),
    Scene("reset while the request was being read", faults.reset_within_request),
    Scene("reset before the reply", faults.reset_before_reply),
    Scene("closed before the reply", faults.closed_before_reply),
    Scene("reply lost, the API did its work", faults.lost_reply),
    Scene("reset within the reply's headers", faults.reset_within_headers),
    Scene("half the reply's body, then closed", faults.half_body),
    Scene("closed after the whole reply", faults.closed_after_reply),
    Scene("no reply in time", faults.silence, {"timeout": 0.4}),
    Scene("reply dripping in, too slowly", faults.drip(0.1), {"timeout": 0.3}),
    Scene("reply dripping in, in time", faults.drip(0.001)),
]
ODDITIES = [
    Scene("200, HTML instead of JSON", answer(faults.html(200), worked=True)),
    Scene("200, empty", answer(Response(200), worked=True)),
    Scene("200, a JSON list", answer(json_response(["x"]), worked=True)),
    Scene("200, endless", faults.huge(HUGE)),
    Scene("200 with error_code 400002", error(200, error_code=400002, message="no balance")),
    Scene("redirect to another origin", answer(Response(307, b"", {"Location": ELSEWHERE}))),
    Scene(
        "the same, one's own client follows redirects",
        answer(Response(307, b"", {"Location": ELSEWHERE})),
        follows_redirects=True,
    ),
]
STATUSES = [
    Scene("400 with error_code 400001", error(400, error_code=400001, message="no such model")),
    Scene("401", error(401)),
    Scene("402", error(402)),
    Scene("403", error(403)),
    Scene("404", error(404)),
    Scene("408", error(408)),
    Scene("409", error(409)),
    Scene("422", error(422, detail="prompt is too long")),
    Scene("429, Retry-After: 1", answer(json_response({}, 429, retry_after="0.2"))),
    Scene("500, JSON", error(500, message="oops")),
    Scene("502, HTML", answer(faults.html(502))),
    Scene("503, HTML", answer(faults.html(503))),
    Scene("504, HTML", answer(faults.html(504))),
]
SUBMIT = [
    *CUTS,
    *ODDITIES,
    Scene("200 without a request id", error(200, ok=True)),
    Scene("200 with a request id and error_code 500001", error(200, request_id="job-1", error_code=500001)),
    Scene("200 with error_code 500001", error(200, error_code=500001)),
    Scene("409 that names a request id", error(409, request_id="job-1")),
    *STATUSES,
]
POLL = [*CUTS, *ODDITIES, Scene("a state nobody knows", answer(json_response({"status": "warming_up"}))), *STATUSES]


class Refusing:
    """An address where nobody listens, until it is opened to a proxy."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> str:
        return self.url

    def __exit__(self, *exception: object) -> None:
        self._socket.close()


def outcome(call: Callable[[], Any]) -> tuple[str, Any]:
    """What a caller sees: the value's or the error's name, and the thing itself."""
    from runcomfy_client.errors import RunComfyError

    try:
        value = call()
    except RunComfyError as raised:
        return type(raised).__name__, raised
    return "", value


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
