"""One call of the API that may be repeated safely: sent, read, tried again while that can help."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..errors import APIError, ConfigurationError, RateLimitError, TransportError
from ..hooks import HttpEvent
from ..transport.steps import REPLY_LIMIT, Exchange, Fault, Rule, Sleep, send
from .replies import error_of, has_error, json_object, page_text
from .states import OVER, state_of
from .timing import RATE_LIMIT_PAUSE, Until, backoff

if TYPE_CHECKING:
    from ..transport.steps import Reply
    from .session import JobRef, Session

# A pause longer than this is the caller's to decide about.
LONGEST_PAUSE = 60.0


def get(session: Session, url: str, *, until: Until | None = None, limit: int = REPLY_LIMIT) -> Exchange:
    """A GET with the token, within the client's time limit and the deadline."""
    patience = until.left() if until and until.seconds is not None else None
    total = session.config.timeouts.total
    return Exchange(method="GET", url=url, authorised=True, timeout=total, patience=patience, limit=limit)


def exchanged(session: Session, exchange: Exchange, about: HttpEvent) -> Rule[Reply]:
    """Send once and tell the hooks; a Fault's reason is free of the token."""
    session.hooks.tell(about)
    begun = time.monotonic()
    try:
        reply = yield from send(exchange)
    except Fault as fault:
        reason = session.config.redact(fault.reason)
        session.hooks.tell(about._replace(kind="response", reason=reason, seconds=time.monotonic() - begun))
        raise Fault(reason, nothing_sent=fault.nothing_sent) from fault.__cause__
    except ConfigurationError as error:
        error.request_id, error.model_id = about.request_id, about.model_id
        raise
    session.hooks.tell(about._replace(kind="response", status=reply.status, seconds=time.monotonic() - begun))
    return reply


def about(exchange: Exchange, *, model_id: str | None = None, request_id: str | None = None) -> HttpEvent:
    return HttpEvent(kind="request", method=exchange.method, url=exchange.url, model_id=model_id, request_id=request_id)


def attempt(session: Session, exchange: Exchange, doing: str, job: JobRef | None = None) -> Rule[dict[str, object]]:
    """Send once and read the reply; raises APIError or TransportError."""
    request_id, model_id = (job.request_id, job.model_id) if job else (None, None)
    try:
        reply = yield from exchanged(session, exchange, about(exchange, model_id=model_id, request_id=request_id))
    except Fault as fault:
        raise TransportError(f"{doing}: {fault.reason}.", request_id=request_id, model_id=model_id) from fault
    body = json_object(reply)
    if problem := _unusable(reply, body):
        raise TransportError(f"{doing}: {problem}.", request_id=request_id, model_id=model_id)
    if has_error(reply, body) and not (job is not None and _tells_an_end(reply, body)):
        error = error_of(reply, session.config, doing=doing, request_id=request_id, model_id=model_id)
        note_rate_limit(session, error)
        raise error
    assert body is not None
    return body


def _tells_an_end(reply: Reply, body: dict[str, object] | None) -> bool:
    """Whether an error code in this reply is the job's own, and the question was answered."""
    return 200 <= reply.status < 300 and body is not None and state_of(body.get("status"))[0] in OVER


def note_rate_limit(session: Session, error: APIError) -> None:
    """After a 429 all of the client's jobs pause, not only the one that met it."""
    if isinstance(error, RateLimitError):
        session.cool_down.push(RATE_LIMIT_PAUSE if error.retry_after is None else error.retry_after)


def _unusable(reply: Reply, body: dict[str, object] | None) -> str:
    if 300 <= reply.status < 400:
        return f"HTTP {reply.status}, a redirect, which is not followed since the token would go along"
    if 200 <= reply.status < 300 and body is None:
        return f"HTTP {reply.status}, but {page_text(reply)}"
    return ""


def passing(error: Exception) -> bool:
    """Whether the same call may go well later."""
    return isinstance(error, TransportError) or (isinstance(error, APIError) and error.retryable)


def pause_after(error: TransportError | APIError, misses: int) -> float:
    asked = error.retry_after if isinstance(error, APIError) else None
    return max(asked or 0.0, backoff(misses))


def call(session: Session, exchange: Exchange, doing: str, job: JobRef | None = None) -> Rule[dict[str, object]]:
    """Send until there is an answer, at most ``max_retries`` times more than once."""
    misses = 0
    while True:
        if pause := session.cool_down.left():
            yield Sleep(min(pause, LONGEST_PAUSE))
        try:
            return (yield from attempt(session, exchange, doing, job))
        except (TransportError, APIError) as error:
            misses += 1
            pause = pause_after(error, misses)
            if not passing(error) or misses > session.config.max_retries or pause > LONGEST_PAUSE:
                raise
            told = about(exchange, model_id=error.model_id, request_id=error.request_id)
            session.hooks.tell(told._replace(kind="retry", reason=str(error), pause=pause))
        yield Sleep(pause)
