"""How a reply of the API is read: a JSON object, the error it stands for, the state of a job."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..errors import (
    APIError,
    AuthenticationError,
    InsufficientBalanceError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RejectedInputError,
    ServerError,
)
from ..identifiers import request_id_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..transport.config import Config
    from ..transport.steps import Reply

# What RunComfy documents (https://docs.runcomfy.com, error codes); the status that goes with a code is not documented.
NOT_READY = 400005
_BY_CODE: dict[int, type[APIError]] = {
    400001: NotFoundError,
    400002: InsufficientBalanceError,
    400004: AuthenticationError,
    403001: PermissionDeniedError,
    404001: NotFoundError,
}
_BY_STATUS: dict[int, type[APIError]] = {
    400: RejectedInputError,
    401: AuthenticationError,
    402: InsufficientBalanceError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: ServerError,
    413: RejectedInputError,
    415: RejectedInputError,
    422: RejectedInputError,
    429: RateLimitError,
}
_CURES: dict[type[APIError], str] = {
    AuthenticationError: "Check the token, and that the account is active.",
    InsufficientBalanceError: "Top up the account.",
    PermissionDeniedError: "This token may not do that; does the job belong to another account?",
    RateLimitError: "Send less at once, or later.",
}
# The closing quote must be there: half an id names another job.
_REQUEST_ID = re.compile(rb'"request_id"\s*:\s*("[!-~]{1,1000}?"|[0-9]{1,300}(?=[\s,}]))')
_TEXT_KEYS = ("error_message", "message", "error", "detail")
_LONGEST_TEXT = 500
_DEEPEST_TEXT = 10
_LONGEST_CODE = 9
# A longer Retry-After is cut to this: the clocks of some systems end soon after.
LONGEST_RETRY_AFTER = 24 * 3600.0


def json_object(reply: Reply) -> dict[str, object] | None:
    """The reply as a JSON object, or None if it is anything else."""
    try:
        # One bad byte in an echoed prompt must not cost an id or a paid result.
        text = reply.content.decode(json.detect_encoding(reply.content), "replace")
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def error_code(body: dict[str, object] | None) -> int | str | None:
    """The code of an error; zero and an empty text mean none, as null does."""
    code = body.get("error_code") if body else None
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= _LONGEST_CODE:
        code = int(code)
    if isinstance(code, str):
        code = _without_surrogates(code)[:_LONGEST_TEXT]
    return code or None if isinstance(code, (int, str)) else None


def has_error(reply: Reply, body: dict[str, object] | None) -> bool:
    """Not a success; a sister API of RunComfy's has been seen to answer 200 with an error code."""
    return not 200 <= reply.status < 300 or error_code(body) is not None


def error_of(
    reply: Reply, config: Config, *, action: str, request_id: str | None, model_id: str | None, not_found: str = ""
) -> APIError:
    """The error that a reply stands for, free of the token; ``action`` says in the message what was attempted.

    ``not_found`` is what the message adds where it is a NotFoundError.
    """
    body = json_object(reply)
    code = error_code(body)
    kind = kind_of(reply.status, code)
    if code is not None and (redacted := config.redact(str(code))) != str(code):
        code = redacted
    text = config.redact(text_of(body) if body is not None else page_text(reply))
    answer = f"HTTP {reply.status}" + (f", error code {code}" if code is not None else "")
    parts = [f"{action}: {answer}" + (f": {text}" if text else "") + "."]
    if kind in _CURES:
        parts.append(_CURES[kind])
    if not_found and kind is NotFoundError:
        parts.append(not_found)
    if request_id:
        parts.append(f"Request id: {request_id}.")
    return kind(
        " ".join(part.replace("..", ".") for part in parts),
        status_code=reply.status,
        error_code=code,
        body=config.redact(reply.content[:4096].decode("utf-8", "replace")),
        retry_after=retry_after(reply),
        request_id=request_id,
        model_id=model_id,
    )


def kind_of(status: int, code: int | str | None) -> type[APIError]:
    if status >= 500 or status in (408, 429):
        return _BY_STATUS.get(status, ServerError)
    if isinstance(code, int):
        if code in _BY_CODE:
            return _BY_CODE[code]
        if 200 <= status < 300 and (meaning := status_of_code(code)) is not None and meaning >= 400:
            return kind_of(meaning, None)
    return _BY_STATUS.get(status, APIError)


def status_of_code(code: int | str | None) -> int | None:
    """The HTTP status that an error code stands for: codes begin with it (404001), or are one (504)."""
    if not isinstance(code, int):
        return None
    status = code // 1000 if code >= 100_000 else code
    return status if 100 <= status <= 599 else None


def text_of(value: object, depth: int = 0) -> str:
    """The words of an error, which may be a string, an object or a list."""
    if depth > _DEEPEST_TEXT:
        return ""
    if isinstance(value, dict):
        if text := _error_text(value, depth):
            return text
        if value.get("msg"):  # one error of a list, in FastAPI's form
            place = value.get("loc")
            where = "/".join(str(part) for part in place) + ": " if isinstance(place, list) else ""
            return where + text_of(value["msg"], depth + 1)
        return _to_json(value)
    if isinstance(value, list):
        return "; ".join(filter(None, (text_of(item, depth + 1) for item in value[:20])))[:_LONGEST_TEXT]
    return "" if value is None else _without_surrogates(" ".join(str(value).split()))[:_LONGEST_TEXT]


def _error_text(body: Mapping[str, object], depth: int = 0) -> str:
    """The text in the places where replies put an error, or an empty text."""
    return next((text for key in _TEXT_KEYS if (text := text_of(body.get(key), depth + 1))), "")


def failure_in(body: Mapping[str, object]) -> str:
    """The reason in the reply about a failed job, or an empty text."""
    return text_of(body.get("error")) or _error_text(body)


def _to_json(value: dict[str, object]) -> str:
    try:
        return _without_surrogates(json.dumps(value, ensure_ascii=False))[:_LONGEST_TEXT] if value else ""
    except RecursionError:
        return ""


def _without_surrogates(text: str) -> str:
    """Without half characters (lone surrogates), which JSON can hold and neither a terminal nor the journal can."""
    return text.encode("utf-8", "replace").decode()


def request_id_within(content: bytes) -> str | None:
    """The request id in a reply that broke off or is not quite JSON: a job that may be paid for is worth the search."""
    for match in _REQUEST_ID.finditer(content):
        with contextlib.suppress(ValueError):
            if request_id := request_id_in({"request_id": json.loads(match[1])}):
                return request_id
    return None


def page_text(reply: Reply) -> str:
    """A hint at the content that came instead of JSON."""
    kind = reply.headers.get("content-type", "no content type").split(";")[0]
    return f"not JSON but {len(reply.content):,} bytes of {kind}"


def retry_after(reply: Reply) -> float | None:
    """The seconds a Retry-After header asks for, given as seconds or as a date."""
    value = reply.headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        date = _date(value)
        if date is None:
            return None
        # By the server's clock if the reply has a Date, so that a wrong local clock does not matter.
        now = _date(reply.headers.get("date", "")) or datetime.datetime.now(datetime.UTC)
        seconds = (date - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER) if seconds < float("inf") else None


def _date(text: str) -> datetime.datetime | None:
    from email.utils import parsedate_to_datetime  # slow to load, and rarely needed

    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=datetime.UTC)


QUEUED = "in_queue"
RUNNING = "in_progress"
COMPLETED = "completed"
FAILED = "failed"
CANCELLED = "cancelled"

_WORDS = {
    "in_queue": QUEUED,
    "queued": QUEUED,
    "pending": QUEUED,
    "waiting": QUEUED,
    "in_progress": RUNNING,
    "starting": RUNNING,
    "processing": RUNNING,
    "running": RUNNING,
    "completed": COMPLETED,
    "succeeded": COMPLETED,
    "failed": FAILED,
    "cancelled": CANCELLED,
    "canceled": CANCELLED,
}
OVER = frozenset({COMPLETED, FAILED, CANCELLED})


def state_of(word: object) -> tuple[str, bool]:
    """The state a reply's ``status`` stands for, and whether the word is known. An unknown one means: still running."""
    text = word.strip().lower() if isinstance(word, str) else ""
    return (_WORDS[text], True) if text in _WORDS else (text or RUNNING, False)


class Outcome(Enum):
    """What a reply of /result says about the job."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EMPTY = "over, but without an output"


class ResultReply(NamedTuple):
    outcome: Outcome
    state: str
    known: bool


def read_result(body: dict[str, object]) -> ResultReply:
    """Read a /result reply: only an output beside `succeeded` or `completed` is a success."""
    state, known = state_of(body.get("status"))
    return ResultReply(_outcome(state, body), state, known)


def _outcome(state: str, body: dict[str, object]) -> Outcome:
    if state == FAILED:
        return Outcome.FAILED
    if state == CANCELLED:
        return Outcome.CANCELLED
    if state != COMPLETED:
        return Outcome.RUNNING
    if body.get("output"):
        return Outcome.SUCCEEDED
    return Outcome.FAILED if body.get("error") else Outcome.EMPTY
