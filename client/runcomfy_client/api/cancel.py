"""The cancel rule: ask, and report what the API answered; an interrupted wait may ask too, within a time limit.

Only a queued job can be cancelled, and only a job that is surely cancelled is recorded as cancelled: that frees its
job_key, and the next submit under the key is paid. So every doubt (no reply, a word that is not known) means "it may
still run". After Ctrl-C or task cancellation one cancel is sent if asked, for CANCEL_TIMEOUT seconds at most, and the
job's outcome is in a note on the exception and in the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import APIError, ConfigurationError, CureNote, TransportError
from ..transport.steps import Interrupted, Operation, Request
from .calls import attempt, call, note_interruption
from .outcomes import record_end
from .replies import CANCELLED, state_of
from .values import Cancellation

if TYPE_CHECKING:
    from .calls import JobRef, Session

CANCEL_TIMEOUT = 5.0
NOT_CANCELLABLE = "not_cancellable"  # documented: it runs or is over


def cancel(session: Session, job: JobRef) -> Operation[Cancellation]:
    """Asking twice does no harm, so a lost reply is asked for again."""
    request = cancel_exchange(session, job, session.config.timeouts.total)
    body = yield from call(session, request, f"Cancel of {job.request_id}", job)
    outcome = cancellation_of(job, body)
    if outcome.cancelled:
        yield from record_end(session, job, CANCELLED)
    return outcome


def cancel_on_interrupt_if_asked(session: Session, job: JobRef, stop: BaseException, *, ask: bool) -> Operation[None]:
    """Add a note on the job to the exception, after one bounded attempt to cancel if asked."""
    if ask:
        try:
            request = cancel_exchange(session, job, CANCEL_TIMEOUT, CANCEL_TIMEOUT)
            body = yield from attempt(session, request, f"Cancel of {job.request_id}", job)
        except (TransportError, APIError, ConfigurationError) as error:
            note = f"it is unknown whether the cancel reached it ({error}); it may still run and be paid for"
        except (Interrupted, KeyboardInterrupt) as again:
            _note(job, again, "the cancel was cut short, so it may still run and be paid for")
            raise
        else:
            outcome = cancellation_of(job, body)
            if outcome.cancelled:
                yield from record_end(session, job, CANCELLED)
                _note(job, stop, "it was cancelled", over=True)
                return
            note = f"{outcome}: it still runs and is paid for"
    else:
        note = "it still runs and is paid for"
    _note(job, stop, note)


def _note(job: JobRef, stop: BaseException, outcome: str, *, over: bool = False) -> None:
    cure = None if over else CureNote(f"Go on with client.job({job.request_id!r}).wait().", job.request_id)
    note_interruption(stop, "wait", f"Job {job.request_id}: {outcome}.", cure)


def cancel_exchange(session: Session, job: JobRef, seconds: float, queue_timeout: float | None = None) -> Request:
    url = session.config.url("requests", job.request_id, "cancel")
    return Request(method="POST", url=url, authorised=True, timeout=seconds, queue_timeout=queue_timeout)


def cancellation_of(job: JobRef, body: dict[str, object]) -> Cancellation:
    """The outcome counts; where its word is not known (the official nodes' fixture has one), the status does."""
    outcome, status = body.get("outcome"), body.get("status")
    word = outcome if isinstance(outcome, str) and outcome else str(status or "no outcome in the reply")
    is_known = word.strip().lower() == NOT_CANCELLABLE or state_of(word)[1]
    cancelled = state_of(word if is_known else status)[0] == CANCELLED
    return Cancellation(request_id=job.request_id, cancelled=cancelled, outcome=word, raw=body)
