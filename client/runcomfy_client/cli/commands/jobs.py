"""`status`, `result`, `cancel`: the state and the outcome of jobs submitted earlier."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ...errors import DownloadError, JobError, JobNotReadyError, NotFoundError
from ...schema.messages import amount
from ..errors import JOB_ENDED_BADLY, OK, CommandError, error_facts, exit_code, in_journal
from ..options import (
    COMMON,
    DOWNLOADING,
    JOBS,
    READING,
    Common,
    Downloading,
    Reading,
    RequestId,
    check_recording,
    check_request_id,
    check_seconds,
    command,
    complete_request,
)
from ..output import emit_json, note, report_error, write
from ..package import existing_journal, journal_name, journal_place, open_client, open_journal, program
from ..progress import state_words
from .run import check_name, fetch, finish, result_facts, wait_for

if TYPE_CHECKING:
    from ...client import SyncClient
    from ...journal.base import JournalEntry
    from ...results import Result

_SUBMIT = "id=$({program} submit bytedance/dreamina-4-0/text-to-image prompt=fox)"


@command(group=JOBS, order=7, example=(_SUBMIT, '{program} status "$id"'))
def status(request: RequestId, /, *, reading: Reading = READING, common: Common = COMMON) -> int:
    """Print the state of a job."""
    with client_of_record(reading, common) as client:
        update = client.job(check_request_id(request)).status()
    if common.json:
        facts = {"request_id": update.request_id, "state": update.state, "queue_position": update.queue_position}
        emit_json({**facts, "over": update.over})
    else:
        write(state_words(update))
    return OK


@command(
    group=JOBS,
    order=8,
    usage="result [OPTIONS] REQUEST | --all",
    example=(_SUBMIT, '{program} result "$id" --wait --output-dir out'),
)
def result(
    request: Annotated[
        str | None, Parameter(help="Request id, as `submit` and `run` print it.", completer=complete_request)
    ] = None,
    /,
    *,
    all: Annotated[bool, Parameter(help="All jobs of the journal that were not seen to end.")] = False,
    wait: Annotated[bool, Parameter(help="Wait until the job is over; else its present outcome counts.")] = False,
    timeout: Annotated[float | None, Parameter(help="With --wait: the longest wait, in seconds.", metavar="S")] = None,
    downloading: Downloading = DOWNLOADING,
    reading: Reading = READING,
    common: Common = COMMON,
) -> int:
    """Print the result of a job submitted earlier, and fetch its files."""
    check_seconds(timeout)
    check_name(downloading.name)
    if timeout is not None and not wait:
        raise CommandError("--timeout is how long to --wait; without it nothing is waited for")
    if (request is None) != all:
        raise CommandError("result needs a REQUEST, or --all")
    if request is not None:
        check_request_id(request)
    if all and reading.no_journal:
        raise CommandError("--all reads the journal; leave --no-journal out")
    if all and existing_journal(reading.journal) is None:
        raise CommandError(f"no job is on record in {journal_name(reading.journal)}")
    with client_of_record(reading, common) as client:
        if request is None:
            return _all_results(client, wait, timeout, downloading, reading.journal, common)
        job = client.job(request)
        # The job was there before this command: Ctrl-C ends the wait, not the job.
        result = wait_for(job, timeout, cancel_on_interrupt=False) if wait else job.result()
        return finish(result, downloading, common)


@command(group=JOBS, order=9, example=(_SUBMIT, '{program} cancel "$id"'))
def cancel(request: RequestId, /, *, reading: Reading = READING, common: Common = COMMON) -> int:
    """Cancel a job that is still queued; a running job cannot be cancelled."""
    with client_of_record(reading, common) as client:
        outcome = client.job(check_request_id(request)).cancel()
    if common.json:
        emit_json(
            {"request_id": request, "cancelled": outcome.cancelled, "outcome": outcome.outcome}, ok=outcome.cancelled
        )
    else:
        write(str(outcome))
        if not outcome.cancelled:
            note("Only queued jobs can be cancelled; this one runs on or is over, and is paid for.")
    return OK if outcome.cancelled else JOB_ENDED_BADLY


def client_of_record(reading: Reading, common: Common) -> SyncClient:
    """A client with the journal, if there is one: a command that submits nothing makes no file."""
    check_recording(reading)
    is_there = not reading.no_journal and existing_journal(reading.journal) is not None
    return open_client(common.base_url, journal=reading.journal, record=is_there)


def _all_results(
    client: SyncClient,
    wait: bool,
    timeout: float | None,
    downloading: Downloading,
    journal: str | None,
    common: Common,
) -> int:
    """Each job that was not seen to end: the files of jobs that are over are fetched, the others stay on record."""
    entries, elsewhere = unfinished_jobs(client, journal)
    options = in_journal("", journal, common.base_url)
    code = OK
    running = 0
    facts: list[dict[str, object]] = []
    for request_id in entries:
        job = client.job(request_id)
        note(f"request {request_id}")
        try:
            result: Result[object] = wait_for(job, timeout, cancel_on_interrupt=False) if wait else job.result()
            paths = fetch(result, downloading)
        except JobNotReadyError:
            running += 1
        except (JobError, DownloadError, NotFoundError) as error:
            code = code or exit_code(error)
            facts.append({"ok": False, "error": error_facts(error)})
            report_error(error, ["result", *shlex.split(options)])
        else:
            facts.append({"ok": True, **result_facts(result, paths)})
            if not common.json:
                write("\n".join([str(path) for path in paths] or [file.url for file in result.files]))
    if common.json:
        emit_json({"results": facts, "running": running, "elsewhere": elsewhere}, ok=code == OK)
    note(f"{amount(len(entries), 'job')}: {len(entries) - running} over, {running} not over yet")
    if running:
        note(f"Wait for them: {program()} result --all --wait{options}")
    note_elsewhere(elsewhere, journal)
    return code


def unfinished_jobs(client: SyncClient, journal: str | None) -> tuple[list[str], int]:
    """The request ids of this account's jobs that were not seen to end, or whose cost is not known yet; and how many
    such jobs of another account or address the journal has, which this client cannot ask about.

    The client is one that keeps a journal. Raises AuthenticationError if there is no token: without one every job would
    seem to be another account's.
    """
    client._session.config.authorization()
    own = [entry.request_id for entry in client.journal.entries() if entry.request_id and _is_unfinished(entry)]
    with open_journal(journal_place(journal)) as opened:
        everything = sum(entry.request_id is not None and _is_unfinished(entry) for entry in opened.entries())
    return own, everything - len(own)


def note_elsewhere(number: int, journal: str | None) -> None:
    """Report the jobs that were not asked about, if there are any."""
    if number:
        belong = "belongs" if number == 1 else "belong"
        note(f"{amount(number, 'job')} {belong} to another account or address: not asked about")
        note(f"After a change of tokens, take them over: {in_journal(f'{program()} settle NAME --adopt', journal)}")


def _is_unfinished(entry: JournalEntry) -> bool:
    return entry.state == "submitted" or (entry.state == "completed" and entry.cost is None)
