"""The paid POST: sent once, and what its reply, or the lack of one, means.

Only a failure before any byte could have arrived is tried again. After that there are three ends: the request id, a
certain refusal, or SubmissionUnknownError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import APIError, ConfigurationError, SubmissionUnknownError, TransportError
from ..transport.steps import Exchange, Fault, Rule, Sleep
from .calls import LONGEST_PAUSE, about, exchanged, note_rate_limit
from .replies import error_of, has_error, json_object, page_text
from .timing import backoff

if TYPE_CHECKING:
    from ..transport.steps import Reply
    from .preflight import Prepared
    from .session import Session
    from .timing import Until

# A body of the size RunComfy's own nodes allow (64 MiB) needs time on a slow line; giving up early would cost money.
SLOWEST_UPLOAD = 64 * 1024
LONGEST_ID = 256


class Sending:
    """How far one submit has come; whoever is interrupted can look here."""

    def __init__(self) -> None:
        self.on_the_wire = False
        self.request_id: str | None = None


def post(session: Session, prepared: Prepared, until: Until, sending: Sending) -> Rule[str]:
    """Send the POST and give the request id; raises as the money rules say."""
    model_id = prepared.model_id
    total = session.config.timeouts.total + prepared.body.length / SLOWEST_UPLOAD
    misses = 0
    while True:
        yield from _wait_out(session, until)
        if until.over():
            raise TransportError(
                f"Submit of {model_id}: out of time. Nothing was sent, so no job was started.", model_id=model_id
            )
        exchange = Exchange(
            method="POST",
            url=session.config.url("models", model_id),
            body=prepared.body,
            authorised=True,
            once=True,
            timeout=total,
            patience=None if until.seconds is None else until.left(),
        )
        told = about(exchange, model_id=model_id)
        sending.on_the_wire = True
        try:
            reply = yield from exchanged(session, exchange, told)
        except Fault as fault:
            if not fault.nothing_sent:
                raise unknown(model_id, fault.reason) from fault
            sending.on_the_wire = False
            misses += 1
            pause = backoff(misses)
            reason = f"{fault.reason}. Nothing was sent, so no job was started."
            if misses > session.config.max_retries or pause >= until.left():
                raise TransportError(f"Submit of {model_id}: {reason}", model_id=model_id) from fault
            session.hooks.tell(told._replace(kind="retry", reason=reason, pause=pause))
            yield Sleep(pause)
        except ConfigurationError:
            sending.on_the_wire = False
            raise
        except Exception as error:
            # Nobody knows what raises here, so nobody knows what was sent.
            raise unknown(model_id, session.config.redact(repr(error))) from error
        else:
            sending.request_id = request_id_in(json_object(reply))
            return read_reply(session, model_id, reply)


def _wait_out(session: Session, until: Until) -> Rule[None]:
    """After a 429 that another job met: sending now would only meet the next one.

    A longer pause is not sat out in silence: the POST is sent, and what it meets is told.
    """
    pause = min(session.cool_down.left(), LONGEST_PAUSE)
    if pause and pause < until.left():
        yield Sleep(pause)


def read_reply(session: Session, model_id: str, reply: Reply) -> str:
    """The request id in the reply to a submit, or the error it stands for."""
    body = json_object(reply)
    request_id = request_id_in(body)
    if 300 <= reply.status < 400 or reply.status == 408 or reply.status >= 500:
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
    note_rate_limit(session, error)
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
