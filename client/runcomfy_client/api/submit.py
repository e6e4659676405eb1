"""The submit rule: a paid POST is sent at most once, and its job is never lost.

The API charges for each submit. It has no idempotency key and no list of past requests. So whoever repeats a POST
whose reply was lost may pay twice, and whoever loses a request id has paid for nothing. Hence the order of steps:

    check options and input -> write `sending` to the journal, under a lease -> wait out a rate limit -> POST, once
        -> write the outcome to the journal -> return

and every submit has one of three outcomes:

    a job     The reply is 2xx and names a request id, whatever else is in it: the id is worth more than a stray error
              code beside it. The journal says `submitted`.
    refused   It is certain that no job was started. Either no byte of the body was sent (connection refused, no free
              connection, out of time before the start, lease lost), or the API says no: a 4xx that names no request
              id, or a 2xx without one whose error code means a 4xx. The journal says `refused`, the job_key is free,
              the caller gets APIError, TransportError, ConfigurationError or JournalError.
    unsure    All else. The body was begun and no usable reply came: cut, lost, timed out, not JSON. Or the reply does
              not say that nothing runs: 1xx, 3xx, 408, 5xx, the same as an error code in the body, a 4xx that names a
              request id, a 2xx that names none. The journal says `unsure`, the job_key stays taken until the user
              settles it, the caller gets SubmissionUnknownError.

Only a failure before the first byte is tried again. When in doubt an outcome is unsure: a false alarm costs a look at
a web page, a false "refused" costs money.

An interruption (Ctrl-C, cancellation, SystemExit out of a hook) waits GRACE seconds for the reply, and the outcome is
written before it goes on. What is known of the job then stands in a note on the exception.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypedDict, cast

from ..errors import (
    APIError,
    ConfigurationError,
    CureNote,
    JournalError,
    RunComfyError,
    SubmissionUnknownError,
    TransportError,
)
from ..identifiers import request_id_in
from ..transport.hooks import log
from ..transport.steps import Interrupted, Operation, Request, Sleep, TransportFailure, run, shield
from .arguments import argument_error, deadline_of
from .calls import LONGEST_PAUSE, JobRef, backoff, note_interruption, note_rate_limit, now, request_event, send_once
from .payload import is_heavy, prepare_submit, too_deep
from .replies import error_code, error_of, failure_in, json_object, page_text, request_id_within, status_of_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..journal.base import JournalEntry
    from ..journal.budget import Budget
    from ..journal.writer import JournalWriter, SubmitRecord
    from ..transport.deadline import Deadline
    from ..transport.steps import Body, Reply
    from .calls import Session
    from .payload import Prepared

# How long an interruption waits for the reply to a POST that has left: without it the job's id would be lost.
GRACE = 5.0
# Bytes a second. A body of the size RunComfy's own nodes allow (64 MiB) needs time on a slow line; giving up early
# would cost money.
SLOWEST_UPLOAD = 64 * 1024
# Of the 4xx, those with which a server or a proxy gives up on a request that may still be worked on.
GAVE_UP = frozenset({408, 460, 499})
LONGEST_KEY = 1000


class RequestOptions(TypedDict, total=False):
    """The one reserved argument of an endpoint method, ``options={...}``.

    timeout: seconds the whole submit may take; when it is up and the request was sent, the submit is unsure.
    extra_input: keys the server takes but the schema here does not have yet; sent unchecked beside the input.
    job_key: your own name for this job. With a journal, the same key and input give the job already paid for.
    budget: a `Budget`: the submit is refused with BudgetExceededError where it does not fit. Needs a journal.
    """

    timeout: float
    extra_input: Mapping[str, object]
    job_key: str
    budget: Budget


_OPTIONS = tuple(sorted(RequestOptions.__annotations__))


def validate_options(options: RequestOptions | None) -> RequestOptions:
    """The options, or a ConfigurationError that names what is wrong with them."""
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise argument_error("options", options, f"a dict with any of {', '.join(_OPTIONS)}")
    values = cast("Mapping[object, object]", options)  # what a caller without a type checker may pass
    for name in values:
        if name not in _OPTIONS:
            from ..schema.suggest import nearest  # loaded only to suggest a name

            near = nearest(name, _OPTIONS) if isinstance(name, str) else None
            hint = f" (did you mean {near!r}?)" if near else ""
            raise ConfigurationError(f"There is no option {name!r:.80}{hint}; there are {', '.join(_OPTIONS)}.")
    extra, key = values.get("extra_input"), values.get("job_key")
    if extra is not None and not (isinstance(extra, Mapping) and all(isinstance(name, str) for name in extra)):
        raise argument_error("extra_input", extra, "a dict with texts as keys")
    if key is not None and not (isinstance(key, str) and key.strip() and len(key) <= LONGEST_KEY):
        raise argument_error("job_key", key, f"a text that is not empty, of at most {LONGEST_KEY:,} characters")
    if isinstance(key, str) and ("\0" in key or any("\ud800" <= character <= "\udfff" for character in key)):
        raise argument_error("job_key", key, "a text without null characters and lone surrogates")
    budget = values.get("budget")
    if budget is not None and not _is_budget(budget):
        raise argument_error("budget", budget, "a Budget")
    return options


def _is_budget(value: object) -> bool:
    from ..journal.budget import Budget  # most submits have none

    return isinstance(value, Budget)


class SubmitProgress:
    """The progress of one submit; code that interrupts it can read it here.

    process: the one whose submit it is; in a child that a hook has forked there is a copy of it.
    on_the_wire: the body was begun, so the server may start a job. request_id: the job's, as soon as there is a reply;
    error: what else the reply means. submitted_at: when the job was submitted, now or earlier under the same job_key.
    """

    def __init__(self) -> None:
        self.process = os.getpid()
        self.on_the_wire = False
        self.request_id: str | None = None
        self.submitted_at: float | None = None
        self.error: RunComfyError | None = None


def submit(
    session: Session, model_id: str, input: Mapping[str, object], options: RequestOptions | None
) -> Operation[JobRef]:
    """Check the input, send it once, and return the job; with a job_key and a journal, the job that key has already."""
    session.check_open()
    checked = validate_options(options)
    key, budget = checked.get("job_key"), checked.get("budget")
    if session.journal is None and (key is not None or budget is not None):
        name = "job_key" if key is not None else "budget"
        raise ConfigurationError(
            f"The option {name} needs a journal to be kept in.", cure="Make the client with journal='jobs.sqlite'."
        )
    session.config.authorization()
    deadline = deadline_of(checked.get("timeout"))
    extra = checked.get("extra_input")
    try:
        if is_heavy(input) or is_heavy(extra):
            prepared = yield from run(lambda: prepare_submit(session, model_id, input, extra))
        else:
            prepared = prepare_submit(session, model_id, input, extra)
    except RecursionError:
        raise too_deep(model_id) from None
    progress = SubmitProgress()
    try:
        operation = (
            post(session, prepared, deadline, progress)
            if session.journal is None
            else post_recorded(session, session.journal, prepared, deadline, progress, key, budget)
        )
        request_id = yield from shield(operation, GRACE)
        return JobRef(
            request_id=request_id,
            model_id=model_id,
            submitted_at=progress.submitted_at,
            input=prepared.summary,
            input_urls=prepared.urls,
            job_key=key,
        )
    except (Interrupted, KeyboardInterrupt, SystemExit) as stop:
        _note_outcome(stop, progress, model_id)
        raise


def post_recorded(
    session: Session,
    journal: JournalWriter,
    prepared: Prepared,
    deadline: Deadline,
    progress: SubmitProgress,
    key: str | None,
    budget: Budget | None,
) -> Operation[str]:
    """`post`, with an entry in the journal before it and the outcome in it after."""
    record = journal.record(prepared.model_id, prepared.digest, key, prepared.summary, budget)
    try:
        taken = yield from record.intend()
        if taken is None:
            request_id = yield from post(session, prepared, deadline, progress, record.check_lease)
            yield from record.submitted(request_id)
            return request_id
    except BaseException as error:
        yield from _record_outcome(session, record, progress, error)
        raise
    progress.submitted_at = taken.created_at.timestamp()
    return _job_of_key(journal, taken, prepared)


def _record_outcome(
    session: Session, record: SubmitRecord, progress: SubmitProgress, error: BaseException
) -> Operation[None]:
    """Record what an error means for the submit; the error itself reaches the caller."""
    if progress.process != os.getpid():
        return
    text = error.message if isinstance(error, RunComfyError) else str(error)
    note = session.config.redact(text or repr(error))
    certain = isinstance(error, APIError) or not progress.on_the_wire
    if isinstance(error, JournalError) and (progress.request_id is not None or not record.written):
        return  # nothing can be written, and the error says the outcome of the submit
    if progress.request_id is not None:
        end = record.started(progress.request_id)
    elif certain and not isinstance(error, SubmissionUnknownError):
        end = record.refused(note)
    else:
        end = record.unsure(note)
    if isinstance(error, SubmissionUnknownError):
        error.submission_id, error.job_key = record.submission_id, record.job_key
        error.add_note("The journal keeps it as unsure.")
        error.add_note(CureNote(f"When you know more: client.journal.settle({record.submission_id!r}, ...)."))
    if not isinstance(error, GeneratorExit):  # no driver runs the steps any more, but the write must happen
        yield from record.finished(end)


def _job_of_key(journal: JournalWriter, entry: JournalEntry, prepared: Prepared) -> str:
    """The job that a job_key has already, or the error that says why it cannot be used."""
    key, model_id = entry.job_key, prepared.model_id
    if entry.account != journal.scope.account:
        job = f"the job {entry.request_id}" if entry.request_id else f"a submit that is {entry.state}"
        raise JournalError(
            f"The job_key {key!r} belongs to {job}, submitted with another token. Nothing was sent.",
            cure="If it is the same account with a new token, take its entries over with"
            f" client.journal.adopt({entry.account!r}); else use another key or journal.",
            job_key=key,
            request_id=entry.request_id,
            model_id=model_id,
            account=entry.account,
        )
    if (entry.model_id, entry.input_digest) != (model_id, prepared.digest):
        raise JournalError(
            f"The job_key {key!r} was used for another input (of {entry.model_id}). Nothing was sent.",
            cure=f"Use another key, or free this one with client.journal.release({key!r}).",
            job_key=key,
            request_id=entry.request_id,
            model_id=model_id,
        )
    if entry.request_id is None:
        raise _key_of_no_job(entry, model_id)
    log.info("The job_key %r has the job %s already; nothing was sent.", key, entry.request_id)
    if entry.state == "failed":
        cure = CureNote(f"client.journal.release({key!r}) frees the key, and the next submit is paid again.")
        log.warning("The job %s of the job_key %r has failed. %s", entry.request_id, key, cure)
    return entry.request_id


def _key_of_no_job(entry: JournalEntry, model_id: str) -> SubmissionUnknownError:
    from ..journal.base import clock  # where there is an entry, the journal is loaded
    from ..journal.owners import describe_owner

    key = entry.job_key
    if entry.state == "sending":
        assert entry.lease_until is not None
        message = (
            f"A submit under the job_key {key!r} is being sent now by {describe_owner(entry.owner)}, so nothing was"
            f" sent here. Its lease ends at {clock(entry.lease_until)} unless it is renewed."
        )
        cure = "Submit again in a moment: then the key has its job, or can be settled."
    else:
        message = (
            f"An earlier submit under the job_key {key!r}, begun {entry.created_at.astimezone():%Y-%m-%d %H:%M:%S}, is"
            " unsure: it may have started a paid job, so nothing was sent."
        )
        cure = (
            "Look for the job on RunComfy's pages, then settle the submit with"
            f" client.journal.settle({key!r}, request_id=...) or (..., started=False)."
        )
    return SubmissionUnknownError(message, cure=cure, submission_id=entry.submission_id, job_key=key, model_id=model_id)


class GuardedBody:
    """A body that may be read only in the process that began the submit, while nobody else can have settled it."""

    def __init__(self, body: Body, check: Callable[[], None], progress: SubmitProgress) -> None:
        self._body = body
        self._check = check
        self._progress = progress
        self.error: RunComfyError | None = None

    @property
    def length(self) -> int:
        return self._body.length

    def __iter__(self) -> Iterator[bytes]:
        try:
            if self._progress.process != os.getpid():
                raise ConfigurationError(
                    "This process was forked in the middle of a submit, so it sent nothing: the submit is its parent's."
                )
            self._check()
        except RunComfyError as error:
            self.error = error
            raise
        self._progress.on_the_wire = True
        yield from self._body


def post(
    session: Session,
    prepared: Prepared,
    deadline: Deadline,
    progress: SubmitProgress,
    check_lease: Callable[[], None] = lambda: None,
) -> Operation[str]:
    """Send the POST and return the request id; ``check_lease`` is called right before the first byte of the body."""
    model_id = prepared.model_id
    total = session.config.timeouts.total + prepared.body.length / SLOWEST_UPLOAD
    misses = 0

    def read(reply: Reply) -> None:
        """Called before anybody else sees the reply: no hook of the user's may lose the id."""
        try:
            progress.request_id, progress.submitted_at = read_reply(session, model_id, reply), now()
        except RunComfyError as error:
            progress.error = error

    while True:
        yield from _wait_out(session, deadline)
        if deadline.over():
            raise TransportError(
                f"Submit of {model_id}: out of time. Nothing was sent, so no job was started.", model_id=model_id
            )
        check_lease()
        body = GuardedBody(prepared.body, check_lease, progress)
        request = Request(
            method="POST",
            url=session.config.url("models", model_id),
            body=body,
            authorised=True,
            once=True,
            timeout=total,
            queue_timeout=None if deadline.seconds is None else deadline.left(),
        )
        event = request_event(request, model_id=model_id)
        try:
            yield from send_once(session, request, event, read)
        except TransportFailure as failure:
            if body.error is not None:
                raise body.error from failure
            if not failure.nothing_sent:
                known = _safe_request_id(session, request_id_within(failure.partial))
                raise submission_unknown(model_id, failure.reason, status=failure.status, request_id=known) from failure
            misses += 1
            pause = backoff(misses)
            reason = f"{failure.reason}. Nothing was sent, so no job was started."
            if misses > session.config.max_retries or pause >= deadline.left():
                cure = session.config.unreachable_cure() if failure.unreachable else ""
                raise TransportError(f"Submit of {model_id}: {reason}", cure=cure, model_id=model_id) from failure
            session.hooks.emit(event._replace(kind="retry", reason=reason, pause=pause))
            yield Sleep(pause)
        except ConfigurationError:  # raised before a connection exists
            raise
        except Exception as error:
            # The source of this error is unknown, so it is unknown what was sent.
            raise submission_unknown(model_id, session.config.redact(repr(error))) from error
        else:
            if progress.error is not None:
                raise progress.error
            assert progress.request_id is not None
            log.info("Submitted %s: request id %s.", model_id, progress.request_id)
            return progress.request_id


def _wait_out(session: Session, deadline: Deadline) -> Operation[None]:
    """After a 429 that another job met: sending now would only meet the next one.

    It does not wait silently for longer than that: the POST is sent, and its outcome is raised.
    """
    pause = min(session.cool_down.left(), LONGEST_PAUSE)
    if pause and pause < deadline.left():
        yield Sleep(pause)


def read_reply(session: Session, model_id: str, reply: Reply) -> str:
    """The request id in the reply to a submit, or the error that the reply means."""
    body = json_object(reply)
    request_id = _request_id(session, body)
    code = error_code(body)
    success = 200 <= reply.status < 300
    if success and request_id is not None:
        if code is not None:
            redacted = session.config.redact(str(code))
            log.warning(
                "The job %s of %s was started, with an error code beside it: %s.", request_id, model_id, redacted
            )
        return request_id
    text = session.config.redact(failure_in(body) if body else "")
    reason = f"HTTP {reply.status}" + (f", error code {session.config.redact(str(code))}" if code is not None else "")
    reason += f": {text.rstrip('.')}" if text else ""
    named = request_id or _safe_request_id(session, request_id_within(reply.content))
    meaning = status_of_code(code)
    if meaning is not None and not _is_refusal(meaning):
        raise submission_unknown(model_id, reason, status=reply.status, request_id=named)
    if _is_refusal(reply.status) or (success and meaning is not None):
        if named is not None:
            raise submission_unknown(model_id, reason, status=reply.status, request_id=named)
        raise refusal_error(session, model_id, reply)
    if success:
        reason += ", but " + (
            session.config.redact(page_text(reply)) if body is None else "the reply names no request id"
        )
    raise submission_unknown(model_id, reason, status=reply.status, request_id=named)


def _is_refusal(status: int) -> bool:
    """Whether an API that answers so has certainly not started a job."""
    return 400 <= status < 500 and status not in GAVE_UP


def _request_id(session: Session, body: Mapping[str, object] | None) -> str | None:
    """The request id in a reply."""
    return _safe_request_id(session, request_id_in(dict(body)) if body else None)


def _safe_request_id(session: Session, request_id: str | None) -> str | None:
    """None for an id that contains the token, since ids are shown and stored."""
    token = session.config.token
    if request_id is not None and token is not None and (text := token.reveal()) in request_id:
        return None if len(text) >= 16 or text == request_id else request_id
    return request_id


def refusal_error(session: Session, model_id: str, reply: Reply) -> APIError:
    """The error for a refusal by the API: certain, unlike a lost reply."""
    action = f"{model_id} was not started"
    near = "" if session.package.spec(model_id) else session.package.near(model_id)
    error = error_of(
        reply,
        session.config,
        action=action,
        request_id=None,
        model_id=model_id,
        not_found=near and f"Did you mean {near}?",
    )
    note_rate_limit(session, error)
    return error


def submission_unknown(
    model_id: str, reason: str, *, status: int | None = None, request_id: str | None = None
) -> SubmissionUnknownError:
    known = f" The reply names the request id {request_id}: look there first." if request_id else ""
    return SubmissionUnknownError(
        f"Whether {model_id} was started is unknown: {reason}. The request was sent and may have started a paid job, so"
        f" it is not sent again.{known}",
        cure="Look for the job on RunComfy's pages, and at client.balance(), before you submit this again.",
        status_code=status,
        request_id=request_id,
        model_id=model_id,
    )


def _note_outcome(stop: BaseException, progress: SubmitProgress, model_id: str) -> None:
    """Put the outcome of the submit into a note on the interruption."""
    if progress.request_id is not None:
        outcome = f"the job {progress.request_id} was started"
    elif progress.error is not None:
        outcome = str(progress.error).rstrip(".")
    elif progress.on_the_wire:
        outcome = "whether the job was started is unknown; look for it on RunComfy's pages before you submit it again"
    else:
        outcome = "nothing was sent"
    request_id = progress.request_id
    cure = None if request_id is None else CureNote(f"Go on with client.job({request_id!r}).", request_id)
    note_interruption(stop, "submit", f"Submit of {model_id}: {outcome}.", cure)
