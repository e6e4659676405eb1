"""The submit rule: one POST that is sent once, since every job costs money and nothing marks a repeated one as such.

Only a failure before any byte could have arrived is tried again. After that there are three ends: the request id, a
certain refusal, or SubmissionUnknownError.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..errors import APIError, RateLimitError, SubmissionUnknownError, TransportError
from ..options import checked
from ..transport.steps import Exchange, Fault, Rule, Sleep, run, send
from .echo import summary, urls_in
from .preflight import is_heavy, prepare_submit
from .replies import error_of, has_error, json_object, page_text
from .session import JobRef, log
from .timing import RATE_LIMIT_PAUSE, Until, backoff

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..options import RequestOptions
    from ..transport.steps import Reply
    from .preflight import Prepared
    from .session import Session

# A body of the size RunComfy's own nodes allow (64 MiB) needs time on a slow line; giving up early would cost money.
SLOWEST_UPLOAD = 64 * 1024
LONGEST_ID = 256


def submit(
    session: Session, model_id: str, given: Mapping[str, object], options: RequestOptions | None
) -> Rule[JobRef]:
    """Check the input, send it once, and give the job."""
    told = checked(options)
    session.config.authorization()
    until = Until(told.get("timeout"))
    extra = told.get("extra_input")
    heavy = is_heavy(given)
    prepared = (
        (yield from run(lambda: prepare_submit(session, model_id, given, extra)))
        if heavy
        else prepare_submit(session, model_id, given, extra)
    )
    request_id = yield from post(session, prepared, until)
    log.info("Submitted %s: request id %s.", model_id, request_id)
    return JobRef(
        request_id=request_id,
        model_id=model_id,
        since=time.monotonic(),
        input=summary(prepared.payload),
        input_urls=urls_in(prepared.payload),
    )


def post(session: Session, prepared: Prepared, until: Until) -> Rule[str]:
    """Send the POST and give the request id; raises as the money rules say."""
    doing = f"Submit of {prepared.model_id}"
    limits = session.config.timeouts
    total = limits.total + prepared.body.length / SLOWEST_UPLOAD
    misses = 0
    while True:
        if pause := session.cool_down.left():
            yield Sleep(until.within(pause))
        try:
            reply = yield from send(
                Exchange(
                    method="POST",
                    url=session.config.url("models", prepared.model_id),
                    body=prepared.body,
                    authorised=True,
                    once=True,
                    timeout=until.within(total),
                )
            )
        except Fault as fault:
            reason = session.config.redact(fault.reason)
            if not fault.nothing_sent:
                raise unknown(prepared.model_id, reason) from fault
            misses += 1
            pause = backoff(misses)
            if misses > session.config.max_retries or pause >= until.left():
                raise TransportError(
                    f"{doing}: {reason}. Nothing was sent, so no job was started.", model_id=prepared.model_id
                ) from fault
            log.info("%s: %s. Nothing was sent; trying again in %.1f s.", doing, reason, pause)
            yield Sleep(pause)
        else:
            return read_reply(session, prepared.model_id, reply)


def read_reply(session: Session, model_id: str, reply: Reply) -> str:
    """The request id in the reply to a submit, or the error it stands for."""
    body = json_object(reply)
    request_id = request_id_in(body)
    if reply.status in (408, *range(300, 400)) or reply.status >= 500:
        raise unknown(model_id, f"HTTP {reply.status}", status=reply.status, request_id=request_id)
    if has_error(reply, body):
        raise refusal(session, model_id, reply, request_id)
    if body is None:
        raise unknown(model_id, f"HTTP {reply.status}, but {page_text(reply)}", status=reply.status)
    if request_id is None:
        raise unknown(model_id, f"HTTP {reply.status}, but the reply names no request id", status=reply.status)
    return request_id


def refusal(session: Session, model_id: str, reply: Reply, request_id: str | None) -> APIError:
    """The server said no: certain, unlike a lost reply."""
    doing = f"{model_id} was not started"
    error = error_of(reply, session.config, doing=doing, request_id=request_id, model_id=model_id)
    if isinstance(error, RateLimitError):
        session.cool_down.push(RATE_LIMIT_PAUSE if error.retry_after is None else error.retry_after)
    return error


def unknown(
    model_id: str, reason: str, *, status: int | None = None, request_id: str | None = None
) -> SubmissionUnknownError:
    known = f" The reply names the request id {request_id}: look there first." if request_id else ""
    return SubmissionUnknownError(
        f"Whether {model_id} was started is unknown: {reason}. The request was sent and may have started a paid job, so"
        f" it is not sent again.{known} Look for the job on RunComfy's pages, and at client.balance(), before you"
        " submit this again.",
        status_code=status,
        request_id=request_id,
        model_id=model_id,
    )


def request_id_in(body: dict[str, object] | None) -> str | None:
    """An id as opaque text. What could not stand in a path as one segment is no id."""
    found = body.get("request_id") if body else None
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_ID or not found.strip("."):
        return None
    return found if all("!" <= character <= "~" and character not in "/?#%\\" for character in found) else None
