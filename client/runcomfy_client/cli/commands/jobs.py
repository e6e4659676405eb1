"""`status`, `result`, `cancel`, `pending`, `balance`: one question each, one answer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..exit_codes import JOB_ENDED_BADLY, OK, CommandError
from ..open_client import open_client, open_journal
from ..output import console, emit_json, note
from ..progress import clock, state_words
from .run import check_name, finish, wait_for

if TYPE_CHECKING:
    from ...client import SyncClient
    from ...journal.base import JournalEntry
    from ..options import Common, Downloading, Recording


def show_status(request_id: str, recording: Recording, common: Common) -> int:
    with _client(recording, common) as client:
        update = client.job(request_id).status()
    if common.json:
        facts = {"request_id": update.request_id, "state": update.state, "queue_position": update.queue_position}
        emit_json({**facts, "over": update.over})
    else:
        print(state_words(update))
    return OK


def bring_result(
    request_id: str, wait: bool, timeout: float | None, downloading: Downloading, recording: Recording, common: Common
) -> int:
    check_name(downloading.name)
    with _client(recording, common) as client:
        job = client.job(request_id)
        # The job was there before this command: Ctrl-C ends the wait, not the job.
        result = wait_for(job, timeout, cancel_on_interrupt=False) if wait else job.result()
        return finish(result, downloading, common)


def cancel_job(request_id: str, recording: Recording, common: Common) -> int:
    with _client(recording, common) as client:
        came = client.job(request_id).cancel()
    if common.json:
        emit_json({"request_id": request_id, "cancelled": came.cancelled, "outcome": came.outcome}, ok=came.cancelled)
    else:
        print(came)
        if not came.cancelled:
            note("Only queued jobs can be cancelled; this one runs on or is over, and is paid for.")
    return OK if came.cancelled else JOB_ENDED_BADLY


def list_pending(path: str | None, common: Common) -> int:
    with open_journal(path) as journal:
        entries = journal.pending()
    if common.json:
        emit_json({"journal": str(journal.path), "pending": [_entry_facts(entry) for entry in entries]})
        return OK
    if not entries:
        note(f"Nothing is pending in {journal.path}.")
        return OK
    _print_entries(entries)
    return OK


def settle_submit(name: str, request_id: str | None, release: bool, path: str | None, common: Common) -> int:
    with open_journal(path) as journal:
        found = journal.find(name)
        if found is None:
            raise CommandError(f"{name!r} is not in {journal.path}; runcomfy-client pending lists what is")
        if not release and found.state != "unsure":
            raise CommandError(f"{name!r} is {found.state}, so there is nothing to settle; --release frees its job key")
        if release:
            journal.release(name)
        else:
            journal.settle(name, request_id=request_id, started=None if request_id else False)
        entry = journal.find(name)
    if common.json:
        emit_json({"entry": _entry_facts(entry) if entry else None})
    else:
        print(entry)
    return OK


def show_balance(common: Common) -> int:
    with open_client(common.base_url, record=False) as client:
        left = client.balance()
    if common.json:
        emit_json({"usd": left.usd, "microdollars": left.microdollars, "currency": left.currency})
    else:
        print(left)
    return OK


def _client(recording: Recording, common: Common) -> SyncClient:
    return open_client(common.base_url, journal=recording.journal, record=not recording.no_journal)


def _entry_facts(entry: JournalEntry) -> dict[str, object]:
    shown = ("submission_id", "state", "model_id", "request_id", "job_key", "note", "base_url")
    facts: dict[str, object] = {name: getattr(entry, name) for name in shown}
    return {**facts, "created_at": entry.created_at.isoformat()}


def _print_entries(entries: list[JournalEntry]) -> None:
    if sys.stdout.isatty():
        _print_table(entries)
    else:
        for entry in entries:
            print("\t".join([_name(entry), entry.state, entry.model_id, entry.job_key or ""]))
    if any(entry.request_id for entry in entries):
        note("Pick one up: runcomfy-client result REQUEST_ID --wait")
    if any(entry.state == "unsure" for entry in entries):
        note("Unsure: a paid job may have been started. Look for it on RunComfy's pages, then:")
        note("runcomfy-client settle NAME --request-id ID, or --not-started")


def _print_table(entries: list[JournalEntry]) -> None:
    import datetime

    from rich import box
    from rich.table import Table

    now = datetime.datetime.now(datetime.UTC)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    keyed = any(entry.job_key for entry in entries)
    for title in ("Request", "State", "Age", "Model", *(["Key"] if keyed else [])):
        table.add_column(title, overflow="fold", no_wrap=title == "Request")
    for entry in entries:
        age = clock((now - entry.created_at).total_seconds())
        table.add_row(_name(entry), entry.state, age, entry.model_id, *([entry.job_key or ""] if keyed else []))
    console().print(table)


def _name(entry: JournalEntry) -> str:
    """The request id; a lost submit has none, and is settled by its submission id."""
    return entry.request_id or entry.submission_id
