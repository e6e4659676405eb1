"""What the rules write into a journal: writes that no interruption cuts, in threads that no event loop waits for.

A write begins on a thread of the journal's own, in the order in which writes were asked for, and goes on whatever
becomes of the operation that asked. The operation waits for its end; Ctrl-C and cancellation wait with it, for a while.
So between the reply of a paid POST and the row with its id there is no moment at which the id can be lost.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import threading
import time
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..errors import CureNote, JournalError
from ..transport.hooks import log
from ..transport.steps import Await, Interrupted
from . import base
from .base import Intent, JournalEntry, LostLeaseError, MissingJournalError, Scope
from .leases import Lease, Leases
from .owners import new_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from ..transport.steps import Operation
    from .base import JournalStore
    from .budget import Budget
    from .journal import Journal

T = TypeVar("T")

# How long an interruption waits for a write that has begun. It is on disk in milliseconds, unless the disk is stuck or
# another program holds the file.
GRACE = 5.0


class JournalWriter:
    """One client's pen: its account, its leases, its writes.

    intent_waits: seconds for which an intent may wait for another write to share a commit with; its POST waits with it.
    on_reply: called with the job_key when a request id is known and its write has begun: what is begun from now on is
        written after it, or in the same commit.
    """

    intent_waits: float = 0.0
    on_reply: Callable[[str | None], None] | None = None

    def __init__(self, journal: Journal, scope: Scope) -> None:
        self.view = journal._scoped(scope)
        self.scope = scope
        self.keep_inputs = journal.keep_inputs
        self.store: JournalStore = journal._store
        self.writes = WriteQueue(self.store.group)
        self.leases = Leases(lambda ids: self.store.renew(self.owner, ids, self.leases.seconds), base.LEASE_SECONDS)
        self.owner = new_owner()
        _WRITERS.add(self)

    def record(
        self, model_id: str, input_digest: str, job_key: str | None, input: object, budget: Budget | None
    ) -> SubmitRecord:
        """A new submit, not yet written down. ``input`` is kept only if the journal keeps inputs."""
        kept = json.dumps(input, ensure_ascii=False) if self.keep_inputs else None
        submission_id = os.urandom(16).hex()
        return SubmitRecord(self, Intent(submission_id, self.scope, model_id, job_key, input_digest, kept, budget))

    def ended(
        self, request_id: str, state: str, *, cost: float | None, files: Sequence[str], note: str | None = None
    ) -> Operation[None]:
        """Write down how a job ended."""

        def write() -> None:
            # Without a journal this client has submitted nothing, so the job is not its own.
            with contextlib.suppress(MissingJournalError):
                self.store.ended(self.scope, request_id, state, cost=cost, files=files, note=note)

        return finished(self.writes.begin(write))

    def close(self, *, with_file: bool) -> None:
        """Wait for the writes; then close the file, unless somebody else opened it."""
        self.writes.close()
        if with_file:
            self.store.close()

    def begin_anew(self) -> None:
        """In a forked child, which has none of the threads."""
        self.writes = WriteQueue(self.store.group)
        self.leases.forget()
        self.owner = new_owner()


class SubmitRecord:
    """One submit's entry, from the intent to its end."""

    def __init__(self, writer: JournalWriter, intent: Intent) -> None:
        self._writer = writer
        self._store = writer.store
        self._intent = intent
        self._lease = Lease(writer.leases.seconds)
        self._owner = writer.owner
        self.submission_id = intent.submission_id
        self.job_key = intent.job_key
        self.written = False

    def intend(self) -> Operation[JournalEntry | None]:
        """Write down that a POST is about to leave; or return the entry that has the job_key."""
        return finished(self._writer.writes.begin(self._intend, within=self._writer.intent_waits))

    def _intend(self) -> JournalEntry | None:
        began = time.monotonic(), time.time()
        seconds = self._writer.leases.seconds
        if (taken := self._store.intend(self._intent, self._owner, seconds)) is not None:
            return taken
        self.written = True
        self._lease.extend(began)
        if not self._lease.is_held:  # the write waited for long
            self._writer.leases.renew({self.submission_id: self._lease})
        self._writer.leases.keep(self.submission_id, self._lease)
        return None

    def check_lease(self) -> None:
        """Raises LostLeaseError if others may have changed the entry. Call right before the first byte."""
        if not self._lease.is_held:
            raise LostLeaseError(
                f"The submit of {self._intent.model_id} was not sent: it lost its place in the journal before it could"
                " be, because it was settled elsewhere or this program stood still. Nothing was sent.",
                cure="Submit it again.",
                model_id=self._intent.model_id,
            )

    def submitted(self, request_id: str) -> Operation[None]:
        """Write down the job. Where that fails, the error names the job, and the file that keeps it for the journal."""
        return finished(self.started(request_id))

    def started(self, request_id: str) -> Future[None]:
        """As ``submitted``, for who cannot wait for it now."""
        write = self._writer.writes.begin(lambda: self._submitted(request_id))
        if self._writer.on_reply is not None:
            self._writer.on_reply(self.job_key)
        return write

    def finished(self, write: Future[T]) -> Operation[T]:
        """The end of a write that was begun."""
        return finished(write)

    def _submitted(self, request_id: str) -> None:
        try:
            self._store.submitted(self.submission_id, request_id)
        except JournalError as error:
            error.request_id, error.model_id = request_id, self._intent.model_id
            error.add_note(f"The job was started: its request id is {request_id}.")
            try:
                path = self._store.spill(self._intent, request_id)
                error.add_note(f"{path} keeps it until the journal can be written again.")
            except JournalError as again:
                error.add_note(f"Write it down: {again}")
                cure = f"client.journal.settle({self.submission_id!r}, request_id={request_id!r})"
                error.add_note(CureNote(f"When the journal can be written again: {cure}.", request_id))
            log.error("%s The job was started: its request id is %s.", error, request_id)
            raise
        finally:
            self._writer.leases.drop(self.submission_id)

    def refused(self, note: str) -> Future[None]:
        """Write down that no job was started."""
        return self._ended(lambda: self._store.refused(self.submission_id, self._owner, note))

    def unsure(self, note: str) -> Future[None]:
        """Write down that nobody knows whether a job was started."""
        return self._ended(lambda: self._store.unsure(self.submission_id, self._owner, note))

    def _ended(self, write: Callable[[], None]) -> Future[None]:
        """Failures are logged only: another error is on its way to the caller, and the lease ends by itself."""

        def work() -> None:
            try:
                write()
            except JournalError as error:
                log.error("%s", error)
            finally:
                self._writer.leases.drop(self.submission_id)

        return self._writer.writes.begin(work)


def finished(future: Future[T]) -> Operation[T]:
    """The end of a write that has begun. Interruptions wait for it, for GRACE seconds altogether."""
    interruption: BaseException | None = None
    end: float | None = None
    while True:
        try:
            yield Await(future, None if end is None else max(end - time.monotonic(), 0.0))
        except (Interrupted, KeyboardInterrupt) as stop:
            if interruption is None:
                interruption, end = stop, time.monotonic() + GRACE
        except BaseException as error:
            if interruption is None:
                raise
            raise interruption from error
        else:
            if interruption is None:
                return future.result()
        if future.done() or end is None or time.monotonic() >= end:
            raise interruption


class WriteQueue:
    """Writes one after the other, on a thread that begins with the first.

    What is asked for while one commit lasts shares the next one: a sync of the disk takes milliseconds, and N jobs at
    once need one of them, not N. No write is over before the commit that it is a part of. Where a commit or one of its
    writes fails, each is done again in a transaction of its own, so that each has an outcome of its own; that is why a
    write must come to the same when it is done twice.
    """

    def __init__(self, group: Callable[[], AbstractContextManager[None]] | None) -> None:
        self._group = group
        self._threads: ThreadPoolExecutor | None = None
        self._changed = threading.Condition()
        self._waiting: list[_Write] = []
        self._scheduled = False
        # When what waits is written at the latest, by the monotonic clock.
        self._latest = math.inf

    def begin(
        self, work: Callable[[], T], *, then: Callable[[list[T]], None] | None = None, within: float = 0.0
    ) -> Future[T]:
        """Do it as soon as what was asked for before is done. Nothing takes it back.

        then: what follows when it is on disk, called once for all writes that share a commit and ask for the same, with
            what each of them returned.
        within: seconds for which it may wait for another write to share a commit with.
        """
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        with self._changed:
            self._waiting.append(_Write(work, then, future))
            latest = time.monotonic() + within
            if latest < self._latest:  # else the thread wakes up soon enough
                self._latest = latest
                self._changed.notify()
            if self._scheduled:
                return future
            if self._threads is None:
                self._threads = ThreadPoolExecutor(1, "runcomfy-journal")
            try:
                self._threads.submit(self._work)
                self._scheduled = True  # last: after Ctrl-C in between, the next write does this one, too
                return future
            except RuntimeError:  # the interpreter is shutting down: here and now, or never
                self._latest = 0.0
        self._work()
        return future

    def _work(self) -> None:
        """Do all that waits now."""
        with self._changed:
            while self._waiting and (left := self._latest - time.monotonic()) > 0:
                self._changed.wait(left)
            writes, self._waiting = self._waiting, []
            self._latest, self._scheduled = math.inf, False
        if len(writes) < 2 or self._group is None:
            for write in writes:
                _finish([write], [_outcome_of(write.work)])
            return
        try:
            with self._group():
                outcomes: list[tuple[object, BaseException | None]] = [(write.work(), None) for write in writes]
        except Exception:  # noqa: BLE001 - whatever it is, each write meets it again by itself
            outcomes = [_outcome_of(write.work) for write in writes]
        _finish(writes, outcomes)

    def close(self) -> None:
        """Wait until all is written. A later write begins a new thread."""
        with self._changed:
            threads, self._threads = self._threads, None
            self._latest = 0.0
            self._changed.notify()
        if threads is not None:
            threads.shutdown(wait=True)
        self._work()


class _Write(NamedTuple):
    work: Callable[[], Any]
    then: Callable[[list[Any]], None] | None
    future: Future[Any]


def _outcome_of(work: Callable[[], object]) -> tuple[object, BaseException | None]:
    try:
        return work(), None
    except BaseException as error:  # noqa: BLE001 - as an executor does
        return None, error


def _finish(writes: list[_Write], outcomes: list[tuple[object, BaseException | None]]) -> None:
    values: dict[Callable[[list[Any]], None], list[object]] = {}
    for write, (value, error) in zip(writes, outcomes, strict=True):
        if error is None and write.then is not None:
            values.setdefault(write.then, []).append(value)
    failures = {then: _outcome_of(partial(then, returned))[1] for then, returned in values.items()}
    for write, (value, error) in zip(writes, outcomes, strict=True):
        if error is None and write.then is not None:
            error = failures[write.then]
        if error is not None:
            write.future.set_exception(error)
        else:
            write.future.set_result(value)


_WRITERS: weakref.WeakSet[JournalWriter] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for writer in list(_WRITERS):
        writer.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
