"""The submit rule: the input is judged, the intent written down, the POST sent once, the request id written down."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from ..errors import APIError, ConfigurationError, JournalError, SubmissionUnknownError, TransportError
from ..hooks import log
from ..options import checked
from ..transport.steps import Interrupted, Rule, run, shield
from .echo import input_digest, summary, urls_in
from .posting import Sending, post
from .preflight import is_heavy, prepare_submit, too_deep
from .session import JobRef
from .timing import Until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..journal import Journal
    from ..options import RequestOptions
    from .preflight import Prepared
    from .session import Session

# How long an interruption waits for the reply to a POST that has left: without it the job's id would be lost.
LINGER = 5.0


def submit(
    session: Session, model_id: str, given: Mapping[str, object], options: RequestOptions | None
) -> Rule[JobRef]:
    """Check the input, send it once, and give the job; with a job_key and a journal, the job that key has already."""
    told = checked(options)
    key = told.get("job_key")
    if key is not None and session.journal is None:
        raise ConfigurationError("A job_key needs a journal to be kept in: make the client with journal='jobs.sqlite'.")
    session.config.authorization()
    until = Until(told.get("timeout"))
    extra = told.get("extra_input")
    try:
        if is_heavy(given):
            prepared = yield from run(lambda: prepare_submit(session, model_id, given, extra))
        else:
            prepared = prepare_submit(session, model_id, given, extra)
    except RecursionError:
        raise too_deep(model_id) from None
    sending = Sending()
    try:
        rule = (
            _sent(session, prepared, until, sending)
            if session.journal is None
            else (_journaled(session, session.journal, prepared, until, sending, key))
        )
        request_id = yield from shield(rule, LINGER)
        return JobRef(
            request_id=request_id,
            model_id=model_id,
            since=time.monotonic() if sending.request_id else None,
            input=summary(prepared.payload),
            input_urls=urls_in(prepared.payload),
        )
    except (Interrupted, KeyboardInterrupt) as stop:
        _tell(stop, sending, model_id)
        raise


def _sent(session: Session, prepared: Prepared, until: Until, sending: Sending) -> Rule[str]:
    request_id = yield from post(session, prepared, until, sending)
    log.info("Submitted %s: request id %s.", prepared.model_id, request_id)
    return request_id


def _journaled(
    session: Session, journal: Journal, prepared: Prepared, until: Until, sending: Sending, key: str | None
) -> Rule[str]:
    """A row before the POST and the id in it after; between the reply and that row nothing can be interrupted."""
    digest = input_digest(prepared.payload)
    kept = summary(prepared.payload) if journal.keep_inputs else None
    submission, entry = yield from run(lambda: journal.intend(prepared.model_id, digest, key, kept))
    if entry is not None:
        assert entry.request_id is not None
        log.info("The job_key %r has the job %s already; nothing was sent.", key, entry.request_id)
        if entry.state == "failed":
            cure = f"client.journal.release({key!r}) gives the key free, and the next submit is paid again"
            log.warning("The job %s of the job_key %r has failed; %s.", entry.request_id, key, cure)
        return entry.request_id
    try:
        request_id = yield from _sent(session, prepared, until, sending)
    except SubmissionUnknownError as error:
        error.submission_id, error.job_key = submission, key
        error.add_note(
            f"The journal keeps it as unsure; when you know more: client.journal.settle({submission!r}, ...)"
        )
        with _only_logged():
            journal.unsure(submission, str(error))
        raise
    except (APIError, TransportError, ConfigurationError) as error:
        with _only_logged():
            journal.refused(submission, str(error))
        raise
    except BaseException as error:
        with _only_logged():
            if sending.request_id is not None:
                journal.submitted(submission, sending.request_id)
            elif sending.on_the_wire:
                journal.unsure(submission, f"interrupted: {error!r}")
            else:
                journal.refused(submission, "interrupted before anything was sent")
        raise
    try:
        journal.submitted(submission, request_id)
    except JournalError as error:
        error.request_id, error.model_id = request_id, prepared.model_id
        error.add_note(f"The job was started: its request id is {request_id}. Write it down.")
        cure = f"client.journal.settle({submission!r}, request_id={request_id!r})"
        error.add_note(f"When the journal can be written again: {cure}.")
        raise
    return request_id


@contextlib.contextmanager
def _only_logged() -> Iterator[None]:
    """A journal that fails now must not hide the error that is told."""
    try:
        yield
    except JournalError as error:
        log.error("%s", error)


def _tell(stop: BaseException, sending: Sending, model_id: str) -> None:
    """Say on the interruption what became of the submit."""
    if sending.request_id is not None:
        came = f"the job was started; go on with client.job({sending.request_id!r})"
    elif sending.on_the_wire:
        came = "whether the job was started is unknown; look for it on RunComfy's pages before you submit it again"
    else:
        came = "nothing was sent"
    note = f"Submit of {model_id}: {came}."
    log.warning("The submit was interrupted. %s", note)
    (stop.original if isinstance(stop, Interrupted) else stop).add_note(note)
