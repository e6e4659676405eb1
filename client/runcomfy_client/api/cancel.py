"""The cancel rule: ask once, say honestly what came of it; an interrupted wait may ask too, but only for so long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import APIError, ConfigurationError, TransportError
from ..transport.hooks import log
from ..transport.steps import Interrupted, Operation, Request
from .calls import attempt, call
from .outcomes import record_end
from .replies import CANCELLED, state_of
from .values import Cancellation

if TYPE_CHECKING:
    from .calls import JobRef, Session

CANCEL_TIMEOUT = 5.0


def cancel(session: Session, job: JobRef) -> Operation[Cancellation]:
    """Asking twice does no harm, so a lost reply is asked for again."""
    request = cancel_exchange(session, job, session.config.timeouts.total)
    body = yield from call(session, request, f"Cancel of {job.request_id}", job)
    outcome = cancellation_of(job, body)
    if outcome.cancelled:
        yield from record_end(session, job, CANCELLED)
    return outcome


def cancel_on_interrupt_if_asked(session: Session, job: JobRef, stop: BaseException, *, ask: bool) -> Operation[None]:
    """Tell on the interruption what happens to the job, after one bounded attempt to cancel if asked."""
    if ask:
        try:
            request = cancel_exchange(session, job, CANCEL_TIMEOUT, CANCEL_TIMEOUT)
            body = yield from attempt(session, request, f"Cancel of {job.request_id}", job)
        except (TransportError, APIError, ConfigurationError) as error:
            came = f"it is unknown whether the cancel reached it ({error}); it may still run and be paid for"
        except (Interrupted, KeyboardInterrupt) as again:
            _note(job, again, "the cancel was cut short, so it may still run and be paid for")
            raise
        else:
            outcome = cancellation_of(job, body)
            if outcome.cancelled:
                yield from record_end(session, job, CANCELLED)
            came = "it was cancelled" if outcome.cancelled else f"{outcome}: it still runs and is paid for"
    else:
        came = f"it still runs and is paid for; go on with client.job({job.request_id!r}).wait()"
    _note(job, stop, came)


def _note(job: JobRef, stop: BaseException, came: str) -> None:
    note = f"Job {job.request_id}: {came}."
    log.warning("The wait was interrupted. %s", note)
    (stop.original if isinstance(stop, Interrupted) else stop).add_note(note)


def cancel_exchange(session: Session, job: JobRef, seconds: float, queue_timeout: float | None = None) -> Request:
    url = session.config.url("requests", job.request_id, "cancel")
    return Request(method="POST", url=url, authorised=True, timeout=seconds, queue_timeout=queue_timeout)


def cancellation_of(job: JobRef, body: dict[str, object]) -> Cancellation:
    outcome = body.get("outcome")
    word = outcome if isinstance(outcome, str) else str(body.get("status") or "no outcome told")
    return Cancellation(request_id=job.request_id, cancelled=state_of(word)[0] == CANCELLED, outcome=word, raw=body)
