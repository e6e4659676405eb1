"""One call of the API: send it, read the reply, and try again where that is safe.

`send_once` sends a request and reports it to the hooks. `attempt` also reads the reply: it returns a JSON object, or
raises APIError (the API refused) or TransportError (no usable reply). `call` repeats an attempt that failed for a
passing reason; a poll is repeated by its own loop instead, and a submit never goes through `call`.

Replies are hostile here: what is kept of a refusal or a failed job is free of the token, wherever the server repeats
it (`without_token`). A result's output is left as it came, since it is paid for and its addresses must work.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, NamedTuple

from ..errors import APIError, ConfigurationError, RateLimitError, TransportError
from ..transport.hooks import HttpEvent, log
from ..transport.steps import REPLY_LIMIT, Interrupted, Operation, Request, Sleep, TransportFailure, send
from .replies import OVER, error_of, has_error, json_object, page_text, state_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..errors import CureNote
    from ..journal.writer import JournalWriter
    from ..packages import ModelPackage
    from ..transport.config import Config
    from ..transport.deadline import Deadline
    from ..transport.hooks import Hooks
    from ..transport.steps import Reply


class Session(NamedTuple):
    """What all operations of a client share."""

    package: ModelPackage
    config: Config
    validate: bool
    journal: JournalWriter | None
    hooks: Hooks
    cool_down: CoolDown
    closing: Closing

    def check_open(self) -> None:
        """Raises ConfigurationError after ``close()``: a closed client must not start a paid job."""
        if self.closing.closed:
            raise ConfigurationError(
                "The client is closed. Nothing was sent.", cure="Make a new one, or submit inside its `with` block."
            )


class JobRef(NamedTuple):
    """A job as the operations know it. ``submitted_at`` is when it was submitted (as ``now()`` counts) or None.

    ``input`` is the payload with what is large left out, ``input_urls`` the web addresses in it.
    """

    request_id: str
    model_id: str | None = None
    submitted_at: float | None = None
    input: object = None
    input_urls: frozenset[str] = frozenset()
    job_key: str | None = None


FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
RATE_LIMIT_PAUSE = 2.0


_START = time.time() - time.monotonic()


def now() -> float:
    """Seconds since 1970, for times that are written down; setting the clock does not move it in a running process."""
    return _START + time.monotonic()


class Closing:
    """Whether the user has closed the client."""

    closed = False


class CoolDown:
    """The pause after a 429, shared by all jobs of a client: none sends until it is over."""

    def __init__(self) -> None:
        self._end = 0.0

    def push(self, seconds: float) -> None:
        # Threads may race here; what is lost is one of two pauses of about the same length.
        self._end = max(self._end, time.monotonic() + seconds)

    def left(self) -> float:
        return max(self._end - time.monotonic(), 0.0)


def jitter(seconds: float) -> float:
    return seconds * random.uniform(0.8, 1.2)


def backoff(misses: int) -> float:
    """The pause after a number of failures in a row, 1 for the first."""
    return jitter(min(FIRST_BACKOFF * 2.0 ** min(misses - 1, 16), LONGEST_BACKOFF))


# A longer pause is the caller's decision.
LONGEST_PAUSE = 60.0


def get(session: Session, url: str, *, deadline: Deadline | None = None, limit: int = REPLY_LIMIT) -> Request:
    """A GET with the token, within the client's time limit and the deadline."""
    queue_timeout = deadline.left() if deadline and deadline.seconds is not None else None
    total = session.config.timeouts.total
    return Request(method="GET", url=url, authorised=True, timeout=total, queue_timeout=queue_timeout, limit=limit)


def send_once(
    session: Session, request: Request, event: HttpEvent, received: Callable[[Reply], None] | None = None
) -> Operation[Reply]:
    """Send once and call the hooks; the reason of a TransportFailure is free of the token.

    ``received`` sees the reply before the hooks, which are the user's code and may end the process.
    """
    session.hooks.emit(event)
    started = time.monotonic()
    try:
        reply = yield from send(request)
    except TransportFailure as failure:
        failure.reason = session.config.redact(failure.reason)
        failure.args = (failure.reason,)
        response = event._replace(kind="response", status=failure.status, reason=failure.reason)
        session.hooks.emit(response._replace(seconds=time.monotonic() - started))
        raise
    except ConfigurationError as error:
        error.request_id, error.model_id = event.request_id, event.model_id
        raise
    if received is not None:
        received(reply)
    session.hooks.emit(event._replace(kind="response", status=reply.status, seconds=time.monotonic() - started))
    return reply


def request_event(request: Request, *, model_id: str | None = None, request_id: str | None = None) -> HttpEvent:
    return HttpEvent(kind="request", method=request.method, url=request.url, model_id=model_id, request_id=request_id)


def attempt(session: Session, request: Request, action: str, job: JobRef | None = None) -> Operation[dict[str, object]]:
    """Send once and read the reply; raises APIError or TransportError. ``action`` begins their messages."""
    request_id, model_id = (job.request_id, job.model_id) if job else (None, None)
    try:
        reply = yield from send_once(session, request, request_event(request, model_id=model_id, request_id=request_id))
    except TransportFailure as failure:
        cure = session.config.unreachable_cure() if failure.unreachable else ""
        raise TransportError(
            f"{action}: {failure.reason}.", cure=cure, request_id=request_id, model_id=model_id
        ) from failure
    body = json_object(reply)
    if problem := _unusable_reason(reply, body):
        message = f"{action}: {session.config.redact(problem)}."
        raise TransportError(message, request_id=request_id, model_id=model_id)
    if has_error(reply, body) and not (job is not None and _reports_end(reply, body)):
        error = error_of(reply, session.config, action=action, request_id=request_id, model_id=model_id)
        note_rate_limit(session, error)
        raise error
    assert body is not None
    return without_token(session.config, body)


def without_token(config: Config, body: dict[str, object]) -> dict[str, object]:
    """The reply without the token, so that it can be shown and stored; the output is left unchanged."""

    def clean(value: object) -> object:
        try:
            return config.redact_json(value)
        except RecursionError:  # it could be read, and an output beside it is paid for
            return "nested too deeply to be shown"

    return {key: value if key == "output" else clean(value) for key, value in body.items()}


def _reports_end(reply: Reply, body: dict[str, object] | None) -> bool:
    """Whether an error code in this reply is the job's own, and the question was answered."""
    return 200 <= reply.status < 300 and body is not None and state_of(body.get("status"))[0] in OVER


def note_rate_limit(session: Session, error: APIError) -> None:
    """After a 429 all of the client's jobs pause, not only the one that met it."""
    if isinstance(error, RateLimitError):
        session.cool_down.push(RATE_LIMIT_PAUSE if error.retry_after is None else error.retry_after)


def _unusable_reason(reply: Reply, body: dict[str, object] | None) -> str:
    if 300 <= reply.status < 400:
        return f"HTTP {reply.status}, a redirect, which is not followed since the token would go along"
    if 200 <= reply.status < 300 and body is None:
        return f"HTTP {reply.status}, but {page_text(reply)}"
    return ""


def note_interruption(stop: BaseException, action: str, note: str, cure: CureNote | None) -> None:
    """Log what is known of the job of an interrupted submit or wait, and add it to the interruption as a note."""
    log.warning("The %s was interrupted. %s", action, note)
    original = stop.original if isinstance(stop, Interrupted) else stop
    original.add_note(note)
    if cure is not None:
        original.add_note(cure)


def is_transient(error: Exception) -> bool:
    """Whether the same call may succeed later."""
    return isinstance(error, TransportError) or (isinstance(error, APIError) and error.retryable)


def retry_pause(error: TransportError | APIError, misses: int) -> float:
    pause_requested = error.retry_after if isinstance(error, APIError) else None
    return max(pause_requested or 0.0, backoff(misses))


def call(session: Session, request: Request, action: str, job: JobRef | None = None) -> Operation[dict[str, object]]:
    """Send until there is an answer, at most ``max_retries`` times more than once."""
    misses = 0
    while True:
        if pause := session.cool_down.left():
            yield Sleep(min(pause, LONGEST_PAUSE))
        try:
            return (yield from attempt(session, request, action, job))
        except (TransportError, APIError) as error:
            misses += 1
            pause = retry_pause(error, misses)
            if not is_transient(error) or misses > session.config.max_retries or pause > LONGEST_PAUSE:
                raise
            event = request_event(request, model_id=error.model_id, request_id=error.request_id)
            session.hooks.emit(event._replace(kind="retry", reason=str(error), pause=pause))
        yield Sleep(pause)
