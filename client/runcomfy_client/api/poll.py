"""The wait rule: poll until the job is over, through misses, within one deadline; the outcome is read from /result.

What a wait knows of its job is a `PollState`, a frozen value that can be written down as JSON. `poll_once` is one
poll: from a state it gives the next state, the update for the user (or None) and the pause before the next poll.
`wait` is the loop around it. Whoever has a state can go on from it: a batch, or a worker on another machine.

The states of a job, as a wait sees them:

    not seen -> in_queue -> in_progress -> /status says it is over -> /result agrees: over
                                              ^                          |
                                              +---- /result says no -----+

Why two replies. /status says that a job is over, but not how: `completed` there may mean failed. Only /result tells,
and it may lag behind /status for a moment, so a job is over when /result says so. `PollState.ended` is the /status
reply kept until then; from that moment only /result is asked, so that a flaky server does not get two chances to
spoil a poll. When /result contradicts `failed` or `cancelled` again and again (MOST_CONTRADICTIONS), /status is
believed. When /result goes on saying `completed` without an output, that is the end too. `completed` against
`in_progress` has no such bound: the job may run.

What can go wrong, and what is done:

- A poll brings no reply, 408, 429, 5xx or a page: a miss. The pause grows, Retry-After is honoured, and after
  MOST_MISSES in a row the last error is raised. A job that runs for hours outlives an outage of minutes.
- 401, 403, 404: the wait ends with that error, but a 404 just after the submit (GRACE_AFTER_SUBMIT) is a miss, for a
  new job may not be known everywhere at once.
- A state that nobody documents: taken as running, with one warning. Guessing "over" could lose a paid result.
- The deadline passes: JobTimeoutError, with the state to go on from and the last miss as its cause.
- Ctrl-C or task cancellation: see `cancel.py`.

How long the pauses are. A fifth of the time the job has been in its state, so that short jobs are seen to end at once
and long ones cost few polls. In the queue, three quarters of the time that the queue needs at the speed seen so far,
for a queue may become faster. Every pause is jittered, so that many jobs do not poll in step.
"""

from __future__ import annotations

from dataclasses import replace
from logging import INFO, WARNING
from typing import TYPE_CHECKING, NamedTuple

from ..errors import (
    APIError,
    CureNote,
    JobCancelledError,
    JobFailedError,
    JobNotReadyError,
    JobTimeoutError,
    NotFoundError,
    TransportError,
)
from ..transport.hooks import log
from ..transport.steps import Interrupted, Notify, Operation, Sleep
from .calls import LONGEST_PAUSE, attempt, call, get, is_transient, jitter, now, retry_pause
from .cancel import cancel_on_interrupt_if_asked
from .outcomes import record
from .replies import COMPLETED, NOT_READY, OVER, QUEUED, Outcome, failure_in, read_result, state_of
from .values import JobUpdate, PollState

if TYPE_CHECKING:
    from ..transport.deadline import Deadline
    from ..transport.steps import Request
    from .calls import JobRef, Session

# In a row, with pauses growing to half a minute: this outlasts an outage of minutes, and does not poll a dead API
# forever.
MOST_MISSES = 15
# A new job may not be known on every server at once.
GRACE_AFTER_SUBMIT = 30.0
# How often /result may disagree with a /status that says the job is over before the status is believed.
MOST_CONTRADICTIONS = 5
# A /result may repeat the input, with all media in it (as third parties report), and a paid result is not refused.
LARGEST_RESULT = 256 * 1024 * 1024
# The most unknown words for a state that are warned of; further ones are ignored.
MOST_UNKNOWN_STATES = 10

# The shortest and the longest pause between two polls, in seconds.
QUICKEST = 0.15
SLOWEST = 10.0
# In the queue, before its speed is known: about so long for each place, but at first no longer than FIRST_LOOK.
SECONDS_A_PLACE = 0.25
FIRST_LOOK = 1.0


class Poll(NamedTuple):
    """One poll: the state after it, the update if anything has changed, the seconds to wait before the next one.

    ``miss`` is the error of a failed poll. When ``state.over``, ``update.raw`` is the last reply.
    """

    state: PollState
    update: JobUpdate | None
    pause: float
    miss: TransportError | APIError | None = None


def wait(
    session: Session,
    job: JobRef,
    deadline: Deadline,
    *,
    cancel_on_interrupt: bool,
    poll_interval: float | None = None,
    state: PollState | None = None,
) -> Operation[dict[str, object]]:
    """Return the /result reply of a success; raises JobError, and APIError for a refusal."""
    try:
        body = yield from _follow(session, job, deadline, state, poll_interval)
    except (Interrupted, KeyboardInterrupt) as stop:
        yield from cancel_on_interrupt_if_asked(session, job, stop, ask=cancel_on_interrupt)
        raise
    yield from record(session, job, body)
    return successful_result(job, body)


def updates(session: Session, job: JobRef, deadline: Deadline, poll_interval: float | None = None) -> Operation[None]:
    """Notify the caller of each change until the job is over, however it ends."""
    body = yield from _follow(session, job, deadline, None, poll_interval)
    yield from record(session, job, body)


def poll(session: Session, job: JobRef, state: PollState | None) -> Operation[Poll]:
    """One poll for callers that keep the state and the time themselves; an end is recorded in the journal."""
    polled = yield from poll_once(session, job, state)
    if polled.state.over and polled.update is not None:
        yield from record(session, job, polled.update.raw)
    return polled


def status(session: Session, job: JobRef) -> Operation[JobUpdate]:
    """Ask /status once."""
    body = yield from call(session, get(session, status_url(session, job)), f"Status of {job.request_id}", job)
    return update_of(job, body, now())


def result(session: Session, job: JobRef) -> Operation[dict[str, object]]:
    """Read the outcome once, without waiting for it."""
    try:
        body = yield from call(session, get_result(session, job), f"Result of {job.request_id}", job)
    except APIError as error:
        if error.error_code != NOT_READY:
            raise
        raise job_not_ready(job, "the API says so") from error
    yield from record(session, job, body)
    return successful_result(job, body)


def _follow(
    session: Session, job: JobRef, deadline: Deadline, state: PollState | None, poll_interval: float | None
) -> Operation[dict[str, object]]:
    """Poll until the job is over; return the last reply, that of /result if there is one."""
    state = state or first_state()
    miss: TransportError | APIError | None = None
    while not deadline.over():
        polled = yield from poll_once(session, job, state, deadline=deadline, poll_interval=poll_interval)
        if isinstance(polled.miss, TransportError) and miss is not None and deadline.over():
            break  # the deadline cut this poll short, so the error of the miss before it says more
        state = polled.state
        miss = polled.miss or (miss if state.misses else None)
        if polled.update is not None:
            yield Notify(polled.update)
            if state.over:
                return polled.update.raw
        yield Sleep(deadline.within(polled.pause))
    raise timed_out(job, state, deadline) from miss


def first_state() -> PollState:
    """What is known of a job before the first poll."""
    return PollState(begun_at=now(), state_since=now())


def poll_once(
    session: Session,
    job: JobRef,
    state: PollState | None = None,
    *,
    deadline: Deadline | None = None,
    poll_interval: float | None = None,
) -> Operation[Poll]:
    """Ask /status, or /result once /status says that the job is over; raises if another poll cannot succeed."""
    state = replace(state or first_state(), over=False)
    if pause := session.cool_down.left():  # another job of this client met a 429
        return Poll(state, None, pause)
    action = f"Wait for {job.request_id}"
    try:
        if state.ended is None:
            request = get(session, status_url(session, job), deadline=deadline)
            reply = yield from attempt(session, request, action, job)
            state = warn_unknown_state(job, replace(state, misses=0, last_miss=None), reply)
            if state_of(reply.get("status"))[0] not in OVER:
                return next_poll(job, state, reply, poll_interval)
            state = replace(state, ended=reply)
        try:
            reply = yield from attempt(session, get_result(session, job, deadline), action, job)
        except APIError as error:
            if error.error_code != NOT_READY:
                raise
            reply = {**(state.ended or {}), "status": "in_progress"}
    except (TransportError, APIError) as error:
        return failed_poll(job, state, error, poll_interval)
    state, reply = resolve(job, replace(state, misses=0, last_miss=None), reply)
    return next_poll(job, state, reply, poll_interval)


def resolve(job: JobRef, state: PollState, reply: dict[str, object]) -> tuple[PollState, dict[str, object]]:
    """/result decides, unless it keeps contradicting a /status that says failed or cancelled."""
    ended, state = state.ended or {}, replace(state, ended=None)
    result = read_result(reply)
    if not result.known:
        state = warn_unknown_state(job, state, reply)
    if result.outcome in (Outcome.RUNNING, Outcome.EMPTY):
        state = replace(state, contradictions=state.contradictions + 1)
        may_run = result.outcome is Outcome.RUNNING and state_of(ended.get("status"))[0] == COMPLETED
        if may_run or state.contradictions < MOST_CONTRADICTIONS:
            return state, {**reply, "status": "in_progress"}
        if result.outcome is Outcome.RUNNING:
            reply = ended
    return replace(state, over=True), reply


def next_poll(job: JobRef, state: PollState, reply: dict[str, object], poll_interval: float | None) -> Poll:
    """The poll after this reply; its update is None if nothing has changed."""
    at = now()
    update = update_of(job, reply, state.begun_at)
    position = update.queue_position
    has_news = state.over or (state.state, state.queue_position) != (update.state, position)
    since, start = state.state_since, state.queue_start
    if state.state != update.state:
        since, start = at, None
    if position is None:
        start = None
    elif start is None or position > start[0]:
        start = (position, at)
    state = replace(state, state=update.state, queue_position=position, state_since=since, queue_start=start)
    if state.over:
        pause = 0.0
    elif poll_interval is not None:
        pause = poll_interval
    else:
        speed = (start[0] - position) / (at - start[1]) if start and position is not None and at > start[1] else 0.0
        pause = poll_pause(max(at - since, 0.0), position, speed)
    return Poll(state, update if has_news else None, pause)


def failed_poll(job: JobRef, state: PollState, error: TransportError | APIError, poll_interval: float | None) -> Poll:
    """The poll that failed; raises its error if another poll cannot succeed."""
    fresh = job.submitted_at is not None and now() - job.submitted_at < GRACE_AFTER_SUBMIT
    if not is_transient(error) and not (isinstance(error, NotFoundError) and fresh):
        raise error
    state = replace(state, misses=state.misses + 1, last_miss=error.message, not_found=isinstance(error, NotFoundError))
    if state.misses > MOST_MISSES:
        error.add_note(f"{state.misses} polls in a row brought nothing. The job may still run.")
        error.add_note(CureNote(f"Go on later with client.job({job.request_id!r}).wait().", job.request_id))
        raise error
    pause = max(retry_pause(error, state.misses), poll_interval or 0.0)
    level = WARNING if pause > LONGEST_PAUSE else INFO  # a long pause must not look like a hang
    log.log(level, "%s Next poll in %.1f s (miss %d of %d).", error, pause, state.misses, MOST_MISSES)
    return Poll(state, None, pause, error)


def poll_pause(in_state: float, position: int | None = None, places_a_second: float = 0.0) -> float:
    """The pause before the next poll, for a job that has been in its state for ``in_state`` seconds.

    ``places_a_second`` is how fast the job has moved up in the queue, 0 if it has not or if that is not known.
    """
    pause = min(max(in_state / 5, QUICKEST), SLOWEST)
    if position is not None and position > 1:
        longest = min(max(in_state, FIRST_LOOK), SLOWEST)  # a short time in a state predicts little
        if places_a_second > 0:
            pause = max(QUICKEST, min(0.75 * position / places_a_second, longest))
        else:
            pause = max(pause, min(position * SECONDS_A_PLACE, longest))
    return jitter(pause)


def warn_unknown_state(job: JobRef, state: PollState, reply: dict[str, object]) -> PollState:
    """Warn once of each word for a state that this client does not know; return the state that records it."""
    word = reply.get("status")
    text = repr(word)[:80]
    if state_of(word)[1] or text in state.unknown_states or len(state.unknown_states) >= MOST_UNKNOWN_STATES:
        return state
    log.warning("Job %s has a state this client does not know: %s. Taken as running.", job.request_id, text)
    return replace(state, unknown_states=(*state.unknown_states, text))


def timed_out(job: JobRef, state: PollState, deadline: Deadline) -> JobTimeoutError:
    """What is known of the job at the deadline: after a miss it is unknown whether it still runs."""
    seconds = f"{deadline.seconds:g} s"
    name = state.state
    if state.ended is not None:
        name = state_of(state.ended.get("status"))[0]
        facts = f"is over ({name}), but its result could not be read within {seconds}"
    elif state.misses:
        facts = f"was not seen to be over after {seconds}; last seen: {last_seen(state)}"
    else:
        facts = f"was not over after {seconds}; last seen: {last_seen(state)}. It still runs and is paid for"
    if state.misses:
        facts += f". The last poll failed: {str(state.last_miss).rstrip('.')}"
        if state.ended is None and not state.not_found:
            facts += ". It may still run and be paid for"
    error = JobTimeoutError(
        f"Job {job.request_id} {facts}.",
        cure=f"Go on with client.job({job.request_id!r}).wait().",
        state=name,
        request_id=job.request_id,
        model_id=job.model_id,
    )
    error.poll_state = state
    return error


def last_seen(state: PollState) -> str:
    if state.state is None:
        return "not seen yet"
    return state.state + ("" if state.queue_position is None else f", position {state.queue_position}")


def status_url(session: Session, job: JobRef) -> str:
    return session.config.url("requests", job.request_id, "status")


def get_result(session: Session, job: JobRef, deadline: Deadline | None = None) -> Request:
    url = session.config.url("requests", job.request_id, "result") + "?include_cost=true"
    return get(session, url, deadline=deadline, limit=LARGEST_RESULT)


def update_of(job: JobRef, body: dict[str, object], begun_at: float) -> JobUpdate:
    state, _ = state_of(body.get("status"))
    position = body.get("queue_position")
    since = begun_at if job.submitted_at is None else job.submitted_at
    return JobUpdate(
        request_id=job.request_id,
        model_id=job.model_id,
        state=state,
        queue_position=position if state == QUEUED and type(position) is int and 0 <= position < 10**9 else None,
        elapsed=max(now() - since, 0.0),
        raw=body,
    )


def successful_result(job: JobRef, body: dict[str, object]) -> dict[str, object]:
    """The /result reply of a success, or the error that the outcome is."""
    result = read_result(body)
    match result.outcome:
        case Outcome.SUCCEEDED:
            return body
        case Outcome.CANCELLED:
            raise JobCancelledError(
                f"Job {job.request_id} was cancelled.", request_id=job.request_id, model_id=job.model_id
            )
        case Outcome.FAILED:
            reason = failure_in(body) or "the API gives no reason"
            stop = "" if reason.endswith((".", "!", "?")) else "."
            raise job_failed(job, body, f"Job {job.request_id} failed: {reason}{stop}")
        case Outcome.EMPTY:
            raise job_failed(job, body, f"Job {job.request_id} is {result.state}, but its result has no output.")
        case Outcome.RUNNING:
            raise job_not_ready(job, result.state)


def job_failed(job: JobRef, body: dict[str, object], message: str) -> JobFailedError:
    return JobFailedError(message, error=body.get("error"), raw=body, request_id=job.request_id, model_id=job.model_id)


def job_not_ready(job: JobRef, state: str) -> JobNotReadyError:
    return JobNotReadyError(
        f"Job {job.request_id} is not over yet: {state}.",
        cure="job.wait() waits for it.",
        request_id=job.request_id,
        model_id=job.model_id,
    )
