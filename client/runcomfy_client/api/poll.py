"""The wait rule: ask until the job is over, through misses, within one deadline; the outcome is read from /result."""

from __future__ import annotations

import time
from logging import INFO, WARNING
from typing import TYPE_CHECKING

from ..errors import (
    APIError,
    JobCancelledError,
    JobError,
    JobFailedError,
    JobNotReadyError,
    JobTimeoutError,
    NotFoundError,
    TransportError,
)
from ..transport.hooks import log
from ..transport.steps import Interrupted, Notify, Operation, Sleep
from .calls import LONGEST_PAUSE, Deadline, attempt, call, get, is_transient, poll_pause, retry_pause
from .cancel import cancel_on_interrupt_if_asked
from .outcomes import record
from .replies import COMPLETED, NOT_READY, OVER, QUEUED, Verdict, failure_in, judge, state_of
from .values import JobUpdate

if TYPE_CHECKING:
    from ..transport.steps import Request
    from .calls import JobRef, Session

# In a row, with pauses growing to half a minute: an outage of minutes is sat out, a dead API is not asked forever.
MOST_MISSES = 15
# A job of one's own may not be known everywhere at once.
GRACE_AFTER_SUBMIT = 30.0
# How often /result may disagree with a /status that says the job is over before the status is believed.
MOST_CONTRADICTIONS = 5
# A /result may repeat the input, with all media in it (seen by third parties), and what is paid for is not refused.
LARGEST_RESULT = 256 * 1024 * 1024


def wait(
    session: Session, job: JobRef, timeout: float | None, *, cancel_on_interrupt: bool
) -> Operation[dict[str, object]]:
    """Give the /result reply of a success; raises JobError and what the API refuses."""
    try:
        body = yield from follow(session, job, Deadline(timeout))
    except (Interrupted, KeyboardInterrupt) as stop:
        yield from cancel_on_interrupt_if_asked(session, job, stop, ask=cancel_on_interrupt)
        raise
    yield from record(session, job, body)
    return settled(job, body)


def updates(session: Session, job: JobRef, timeout: float | None) -> Operation[None]:
    """Tell each change until the job is over, however it ends."""
    body = yield from follow(session, job, Deadline(timeout))
    yield from record(session, job, body)


def status(session: Session, job: JobRef) -> Operation[JobUpdate]:
    """One look."""
    body = yield from call(session, get(session, status_url(session, job)), f"Status of {job.request_id}", job)
    return update_of(job, body, time.monotonic())


def result(session: Session, job: JobRef) -> Operation[dict[str, object]]:
    """Read the outcome once, without waiting for it."""
    try:
        body = yield from call(session, get_result(session, job), f"Result of {job.request_id}", job)
    except APIError as error:
        if error.error_code != NOT_READY:
            raise
        raise not_ready(job, "the API says so") from error
    yield from record(session, job, body)
    return settled(job, body)


def status_url(session: Session, job: JobRef) -> str:
    return session.config.url("requests", job.request_id, "status")


def get_result(session: Session, job: JobRef, deadline: Deadline | None = None) -> Request:
    url = session.config.url("requests", job.request_id, "result") + "?include_cost=true"
    return get(session, url, deadline=deadline, limit=LARGEST_RESULT)


def update_of(job: JobRef, body: dict[str, object], since: float) -> JobUpdate:
    state, _ = state_of(body.get("status"))
    position = body.get("queue_position")
    return JobUpdate(
        request_id=job.request_id,
        model_id=job.model_id,
        state=state,
        queue_position=position if state == QUEUED and type(position) is int else None,
        elapsed=time.monotonic() - (job.since or since),
        raw=body,
    )


def settled(job: JobRef, body: dict[str, object]) -> dict[str, object]:
    """The /result reply of a success, or the error that the outcome is."""
    judged = judge(body)
    match judged.verdict:
        case Verdict.SUCCEEDED:
            return body
        case Verdict.CANCELLED:
            raise JobCancelledError(
                f"Job {job.request_id} was cancelled.", request_id=job.request_id, model_id=job.model_id
            )
        case Verdict.FAILED:
            said = failure_in(body) or "the API gives no reason"
            raise failed(job, body, f"Job {job.request_id} failed: {said}.")
        case Verdict.EMPTY:
            raise failed(job, body, f"Job {job.request_id} is said to be {judged.state}, but brought no output.")
        case Verdict.RUNNING:
            raise not_ready(job, judged.state)


def failed(job: JobRef, body: dict[str, object], message: str) -> JobFailedError:
    return JobFailedError(message, error=body.get("error"), raw=body, request_id=job.request_id, model_id=job.model_id)


def not_ready(job: JobRef, state: str) -> JobNotReadyError:
    return JobNotReadyError(
        f"Job {job.request_id} is not over yet: {state}. job.wait() waits for it.",
        request_id=job.request_id,
        model_id=job.model_id,
    )


def follow(session: Session, job: JobRef, deadline: Deadline) -> Operation[dict[str, object]]:
    """Poll until the job is over; give the last reply, of /result where it has one to give."""
    watch = Watch(session, job)
    while True:
        if deadline.over():
            raise watch.timed_out(deadline)
        if pause := session.cool_down.left():
            yield Sleep(deadline.within(pause))
            continue
        try:
            body = yield from watch.look(deadline)
        except (TransportError, APIError) as error:
            pause = watch.missed(error)
        else:
            if update := watch.news(body):
                yield Notify(update)
            if watch.over:
                return body
            pause = watch.pause()
        yield Sleep(deadline.within(pause))


class Watch:
    """What one wait has seen so far of its job."""

    def __init__(self, session: Session, job: JobRef) -> None:
        self._session = session
        self._job = job
        self._begun = time.monotonic()
        self._in_state_since = self._begun
        self._seen: JobUpdate | None = None
        self._misses = 0
        self._contradictions = 0
        self._odd_words: set[str] = set()
        # The /status reply that says the job is over, until /result has answered: one question at a poll, so that a
        # flaky server does not get two chances to spoil each.
        self._ended: dict[str, object] | None = None
        self.over = False

    def look(self, deadline: Deadline) -> Operation[dict[str, object]]:
        """One poll: /status, and from when that says the job is over /result, until it agrees or contradicts."""
        doing = f"Wait for {self._job.request_id}"
        said = self._ended
        if said is None:
            url = status_url(self._session, self._job)
            said = yield from attempt(self._session, get(self._session, url, deadline=deadline), doing, self._job)
            self._misses = 0
            state, known = state_of(said.get("status"))
            if not known:
                self._wonder(said.get("status"))
            if state not in OVER:
                return said
            self._ended = said
        try:
            body = yield from attempt(self._session, get_result(self._session, self._job, deadline), doing, self._job)
        except APIError as error:
            if error.error_code != NOT_READY:
                raise
            body = {**said, "status": "in_progress"}
        self._misses = 0
        self._ended = None
        return self._believe(said, body)

    def _believe(self, said: dict[str, object], body: dict[str, object]) -> dict[str, object]:
        """/result has the last word, unless it goes on contradicting a /status that says failed or cancelled."""
        judged = judge(body)
        if not judged.known:
            self._wonder(body.get("status"))
        if judged.verdict in (Verdict.RUNNING, Verdict.EMPTY):
            self._contradictions += 1
            patient = self._contradictions < MOST_CONTRADICTIONS
            state, _ = state_of(said.get("status"))
            if patient or (judged.verdict is Verdict.RUNNING and state == COMPLETED):
                return {**body, "status": "in_progress"}
            if judged.verdict is Verdict.RUNNING:
                body = said
        self.over = True
        return body

    def news(self, body: dict[str, object]) -> JobUpdate | None:
        """The update, if it tells anything new."""
        update = update_of(self._job, body, self._begun)
        last, self._seen = self._seen, update
        if last is None or last.state != update.state:
            self._in_state_since = time.monotonic()
        elif last.queue_position == update.queue_position:
            return None
        return update

    def pause(self) -> float:
        assert self._seen is not None
        return poll_pause(time.monotonic() - self._in_state_since, self._seen.queue_position)

    def missed(self, error: TransportError | APIError) -> float:
        """The pause after a poll that brought nothing; raises when it is no use to go on."""
        fresh = self._job.since is not None and time.monotonic() - self._job.since < GRACE_AFTER_SUBMIT
        if not is_transient(error) and not (isinstance(error, NotFoundError) and fresh):
            raise error
        self._misses += 1
        if self._misses > MOST_MISSES:
            error.add_note(
                f"{self._misses} polls in a row brought nothing. The job may still run; go on later with"
                f" client.job({self._job.request_id!r}).wait()."
            )
            raise error
        pause = retry_pause(error, self._misses)
        level = WARNING if pause > LONGEST_PAUSE else INFO  # it was asked to wait for long, and must not seem dead
        log.log(level, "%s Next poll in %.1f s (miss %d of %d).", error, pause, self._misses, MOST_MISSES)
        return pause

    def timed_out(self, deadline: Deadline) -> JobError:
        job = self._job
        if self._ended is not None:
            state: str | None = state_of(self._ended.get("status"))[0]
            told = f"is over ({state}), but its result could not be read within {deadline.seconds:g} s"
        else:
            state = self._seen.state if self._seen else None
            told = (
                f"was not over after {deadline.seconds:g} s; last seen: {self._seen or 'not seen yet'}."
                " It still runs and is paid for"
            )
        return JobTimeoutError(
            f"Job {job.request_id} {told}; go on with client.job({job.request_id!r}).wait().",
            state=state,
            request_id=job.request_id,
            model_id=job.model_id,
        )

    def _wonder(self, word: object) -> None:
        text = repr(word)[:80]
        if text not in self._odd_words:
            self._odd_words.add(text)
            log.warning(
                "Job %s has a state this client does not know: %s. Taken as running.", self._job.request_id, text
            )
