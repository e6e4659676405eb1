"""The submit rule: the input is checked, the intent recorded, the POST sent once, the request id recorded."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from ..errors import (
    APIError,
    ConfigurationError,
    InvalidInputError,
    JournalError,
    SubmissionUnknownError,
    TransportError,
)
from ..identifiers import check_model_id, request_id_in
from ..media import LocalMedia, encode_body
from ..prepare import PreparedInput, prepare_input
from ..schema import ErrorFinding, Report
from ..transport.deadline import Deadline
from ..transport.hooks import log
from ..transport.steps import Interrupted, Operation, Request, Sleep, TransportFailure, run, shield
from .calls import LONGEST_PAUSE, JobRef, backoff, note_rate_limit, now, request_event, send_once
from .replies import error_of, has_error, json_object, page_text, request_id_within

if TYPE_CHECKING:
    from ..journal.base import Journal
    from ..transport.steps import Body, Reply
    from .calls import Session


class RequestOptions(TypedDict, total=False):
    """The one reserved argument of an endpoint method, ``options={...}``.

    timeout: seconds the whole submit may take; when it is up and the request was sent, the submit is unsure.
    extra_input: keys the server takes but the schema here does not have yet; sent unchecked beside the input.
    job_key: your own name for this job. With a journal, the same key and input give the job already paid for.
    """

    timeout: float
    extra_input: Mapping[str, object]
    job_key: str


_KNOWN = frozenset(RequestOptions.__annotations__)


def checked(options: RequestOptions | None) -> RequestOptions:
    """The options, or an error that names what is wrong with them."""
    if options is None:
        return {}
    given: Mapping[str, object] = options  # what a caller without a type checker may pass
    if unknown := sorted(set(given) - _KNOWN):
        raise ConfigurationError(f"Unknown option {unknown[0]!r}; there are {', '.join(sorted(_KNOWN))}.")
    timeout = given.get("timeout")
    if timeout is not None and not (isinstance(timeout, (int, float)) and timeout > 0):
        raise ConfigurationError(f"The option timeout is {timeout!r}; it must be a number of seconds above 0.")
    key = given.get("job_key")
    if key is not None and not (isinstance(key, str) and key.strip()):
        raise ConfigurationError("The option job_key must be a text that is not empty.")
    return options


_LONGEST_TEXT = 20_000


def summary(value: object) -> object:
    """The payload as JSON values, with what is large replaced by its size and digest."""
    if isinstance(value, Mapping):
        return {key: summary(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [summary(item) for item in value]
    if isinstance(value, LocalMedia):
        return {"name": value.name, "type": value.info.mime, **_mark(value.data)}
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return _mark(value.encode("utf-8", "surrogatepass"))
    return value


def input_digest(payload: Mapping[str, object]) -> str:
    """The same for the same input, in whatever order its keys stand."""
    text = json.dumps(payload, sort_keys=True, default=_content)
    return hashlib.sha256(text.encode()).hexdigest()


def _content(value: object) -> object:
    """Of a file only what is sent: the same picture from another folder, or as bytes, is the same input."""
    return [value.info.mime, _mark(value.data)] if isinstance(value, LocalMedia) else summary(value)


def _mark(content: bytes) -> dict[str, object]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def urls_in(value: object) -> frozenset[str]:
    """Every web address in the payload."""
    return frozenset(_urls(value))


def _urls(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith(("https://", "http://")):
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _urls(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _urls(item)


_PLAIN = (str, int, float, bool, type(None))
_LONG_TEXT = 100_000


class Prepared(NamedTuple):
    """A submit that may be sent."""

    model_id: str
    payload: dict[str, object]
    body: Body


def is_heavy(value: object) -> bool:
    """Whether preparing this may read files or look into large data, and so must not hold up an event loop."""
    if isinstance(value, str):
        return len(value) > _LONG_TEXT
    if isinstance(value, Mapping):
        return any(is_heavy(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(is_heavy(item) for item in value)
    return not isinstance(value, _PLAIN)


def too_deep(model_id: str) -> InvalidInputError:
    return InvalidInputError(Report(model_id, [ErrorFinding("json", "is nested too deeply, or holds itself")]))


def prepare_submit(
    session: Session, model_id: str, given: Mapping[str, object], extra: Mapping[str, object] | None
) -> Prepared:
    """Raises InvalidInputError with the whole report. An id without a schema here is sent as it is given."""
    check_model_id(model_id)
    spec = session.package.spec(model_id)
    if isinstance(given, PreparedInput) and given.report.model_id == model_id:
        prepared = given
    else:
        prepared = prepare_input(spec, given, name=model_id, check=session.validate)
    if not prepared.report.ok:
        raise InvalidInputError(prepared.report)
    for warning in prepared.report.warnings:
        log.warning("%s %s", model_id, warning)
    payload: dict[str, object] = prepared
    if extra:
        if doubled := sorted(set(extra) & set(payload)):
            raise ConfigurationError(f"extra_input repeats {doubled[0]!r}, which the input has already.")
        payload = {**payload, **extra}
    try:
        body = encode_body(payload)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(Report(model_id, [ErrorFinding("json", str(error))])) from error
    return Prepared(model_id=model_id, payload=payload, body=body)


# A body of the size RunComfy's own nodes allow (64 MiB) needs time on a slow line; giving up early would cost money.
SLOWEST_UPLOAD = 64 * 1024


class SubmitProgress:
    """How far one submit has come; whoever is interrupted can look here."""

    def __init__(self) -> None:
        self.on_the_wire = False
        self.request_id: str | None = None


def post(session: Session, prepared: Prepared, deadline: Deadline, sending: SubmitProgress) -> Operation[str]:
    """Send the POST and give the request id; raises as the money rules say."""
    model_id = prepared.model_id
    total = session.config.timeouts.total + prepared.body.length / SLOWEST_UPLOAD
    misses = 0
    while True:
        yield from _wait_out(session, deadline)
        if deadline.over():
            raise TransportError(
                f"Submit of {model_id}: out of time. Nothing was sent, so no job was started.", model_id=model_id
            )
        request = Request(
            method="POST",
            url=session.config.url("models", model_id),
            body=prepared.body,
            authorised=True,
            once=True,
            timeout=total,
            queue_timeout=None if deadline.seconds is None else deadline.left(),
        )
        told = request_event(request, model_id=model_id)
        sending.on_the_wire = True
        try:
            reply = yield from send_once(session, request, told)
        except TransportFailure as fault:
            if not fault.nothing_sent:
                named = request_id_within(fault.partial)
                raise unknown(model_id, fault.reason, status=fault.status, request_id=named) from fault
            sending.on_the_wire = False
            misses += 1
            pause = backoff(misses)
            reason = f"{fault.reason}. Nothing was sent, so no job was started."
            if misses > session.config.max_retries or pause >= deadline.left():
                raise TransportError(f"Submit of {model_id}: {reason}", model_id=model_id) from fault
            session.hooks.emit(told._replace(kind="retry", reason=reason, pause=pause))
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


def _wait_out(session: Session, deadline: Deadline) -> Operation[None]:
    """After a 429 that another job met: sending now would only meet the next one.

    A longer pause is not sat out in silence: the POST is sent, and what it meets is told.
    """
    pause = min(session.cool_down.left(), LONGEST_PAUSE)
    if pause and pause < deadline.left():
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
        reason, named = f"HTTP {reply.status}, but {page_text(reply)}", request_id_within(reply.content)
        raise unknown(model_id, session.config.redact(reason), status=reply.status, request_id=named)
    if request_id is None:
        raise unknown(model_id, f"HTTP {reply.status}, but the reply names no request id", status=reply.status)
    return request_id


def refusal(session: Session, model_id: str, reply: Reply, request_id: str | None) -> APIError:
    """The server said no: certain, unlike a lost reply."""
    action = f"{model_id} was not started"
    error = error_of(reply, session.config, action=action, request_id=request_id, model_id=model_id)
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


# How long an interruption waits for the reply to a POST that has left: without it the job's id would be lost.
GRACE = 5.0


def submit(
    session: Session, model_id: str, given: Mapping[str, object], options: RequestOptions | None
) -> Operation[JobRef]:
    """Check the input, send it once, and give the job; with a job_key and a journal, the job that key has already."""
    told = checked(options)
    key = told.get("job_key")
    if key is not None and session.journal is None:
        raise ConfigurationError("A job_key needs a journal to be kept in: make the client with journal='jobs.sqlite'.")
    session.config.authorization()
    deadline = Deadline(told.get("timeout"))
    extra = told.get("extra_input")
    try:
        if is_heavy(given):
            prepared = yield from run(lambda: prepare_submit(session, model_id, given, extra))
        else:
            prepared = prepare_submit(session, model_id, given, extra)
    except RecursionError:
        raise too_deep(model_id) from None
    sending = SubmitProgress()
    try:
        rule = (
            _sent(session, prepared, deadline, sending)
            if session.journal is None
            else (_journaled(session, session.journal, prepared, deadline, sending, key))
        )
        request_id = yield from shield(rule, GRACE)
        return JobRef(
            request_id=request_id,
            model_id=model_id,
            submitted_at=now() if sending.request_id else None,
            input=summary(prepared.payload),
            input_urls=urls_in(prepared.payload),
        )
    except (Interrupted, KeyboardInterrupt) as stop:
        _tell(stop, sending, model_id)
        raise


def _sent(session: Session, prepared: Prepared, deadline: Deadline, sending: SubmitProgress) -> Operation[str]:
    request_id = yield from post(session, prepared, deadline, sending)
    log.info("Submitted %s: request id %s.", prepared.model_id, request_id)
    return request_id


def _journaled(
    session: Session, journal: Journal, prepared: Prepared, deadline: Deadline, sending: SubmitProgress, key: str | None
) -> Operation[str]:
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
        request_id = yield from _sent(session, prepared, deadline, sending)
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


def _tell(stop: BaseException, sending: SubmitProgress, model_id: str) -> None:
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
