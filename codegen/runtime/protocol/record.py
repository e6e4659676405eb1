"""How a job's end gets into the journal; a journal that fails here costs no result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import JournalError
from ..hooks import log
from ..transport.steps import run
from .outputs import cost_in, result_files
from .replies import failure_in, text_of
from .states import CANCELLED, COMPLETED, FAILED, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..transport.steps import Rule
    from .session import JobRef, Session

_ENDS = {
    Verdict.SUCCEEDED: COMPLETED,
    Verdict.FAILED: FAILED,
    Verdict.EMPTY: FAILED,
    Verdict.CANCELLED: CANCELLED,
}


def record(session: Session, job: JobRef, body: dict[str, object]) -> Rule[None]:
    """Write down what a /result reply says, if it says that the job is over."""
    state = _ENDS.get(judge(body).verdict)
    if session.journal is not None and state is not None:
        files = [file.url for file in result_files(session, job, body)]
        note = failure_in(body) if state == FAILED else text_of(body.get("error"))
        yield from record_end(session, job, state, cost_in(body), files, note or None)


def record_end(
    session: Session,
    job: JobRef,
    state: str,
    cost: float | None = None,
    files: Sequence[str] = (),
    note: str | None = None,
) -> Rule[None]:
    journal = session.journal
    if journal is None:
        return
    try:
        yield from run(lambda: journal.ended(job.request_id, state, cost=cost, files=files, note=note))
    except JournalError as error:
        log.error("%s", error)
