"""`pending`, `jobs`, `settle`: the journal. It is the only list of jobs there is, because RunComfy keeps none."""

from __future__ import annotations

import datetime
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ...errors import JobError, NotFoundError
from ...schema.findings import wrap
from ...schema.messages import amount
from ..errors import OK, CommandError, in_journal, message_of
from ..options import COMMON, JOBS, Common, JournalFile, Reading, check_request_id, command, complete_unsure
from ..output import console, emit_json, note, write, write_row
from ..package import existing_journal, journal_name, journal_place, open_client, open_journal, program
from ..progress import clock
from .jobs import client_of_record, note_elsewhere, unfinished_jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...journal.base import JournalEntry

# Narrower than this, the columns of a table would break ids.
_TABLE_WIDTH = 100
_FACTS = ("submission_id", "state", "model_id", "request_id", "job_key", "note", "base_url")


@command(group=JOBS, order=10, example=("{program} pending",))
def pending(
    *,
    refresh: Annotated[
        bool, Parameter(help="First ask RunComfy about each job, and about costs that are not known yet.")
    ] = False,
    journal: JournalFile = None,
    common: Common = COMMON,
) -> int:
    """List the jobs on record that were not seen to end, and submits whose outcome is unsure."""
    ended, elsewhere = _refresh(journal, common) if refresh else ([], 0)
    file = existing_journal(journal)
    entries: list[JournalEntry] = []
    if file is not None:
        with open_journal(file) as opened:
            entries = opened.pending()
    if common.json:
        facts: dict[str, object] = {"journal": _full_name(journal)}
        facts["pending"] = [_entry_facts(entry) for entry in entries]
        emit_json({**facts, "ended": ended, "elsewhere": elsewhere} if refresh else facts)
        return OK
    note_elsewhere(elsewhere, journal)
    if not entries:
        note(f"Nothing is pending in {journal_name(journal)}.")
        return OK
    _print_entries(entries)
    if any(entry.request_id for entry in entries):
        note(f"Pick one up: {in_journal(f'{program()} result REQUEST_ID --wait', journal, common.base_url)}")
    if any(entry.state == "unsure" for entry in entries):
        note("Unsure: a paid job may have been started. Look for it on RunComfy's pages, then:")
        for outcome in ("--request-id ID", "--not-started"):
            note(f"  {in_journal(f'{program()} settle NAME {outcome}', journal)}")
    return OK


@command(group=JOBS, order=11, example=("{program} jobs --limit 20",))
def jobs(
    *,
    limit: Annotated[int, Parameter(help="How many to list, the newest; 0 for all.", show_default=True)] = 50,
    journal: JournalFile = None,
    common: Common = COMMON,
) -> int:
    """List all jobs on record with state, age, cost and files, and their totals."""
    if limit < 0:
        raise CommandError(f"--limit is a number of jobs, or 0 for all; not {limit}")
    file = existing_journal(journal)
    entries: list[JournalEntry] = []
    if file is not None:
        with open_journal(file) as opened:
            entries = list(opened.entries())
    listed = entries[-limit:] if limit else entries
    if common.json:
        facts = [
            {
                **_entry_facts(entry),
                "ended_at": entry.ended_at.isoformat() if entry.ended_at else None,
                "cost": entry.cost,
                "files": list(entry.files),
            }
            for entry in listed
        ]
        emit_json({"journal": _full_name(journal), "jobs": facts, "totals": _totals(entries)})
        return OK
    if not entries:
        note(f"No job is on record in {journal_name(journal)}.")
        return OK
    _print_entries(listed, costs=True)
    note(_totals_line(entries, len(listed)))
    return OK


@command(group=JOBS, order=12, example=("{program} settle scene-12 --not-started",))
def settle(
    name: Annotated[str, Parameter(help="Submission id or job key, as `pending` shows it.", completer=complete_unsure)],
    /,
    *,
    request_id: Annotated[
        str | None, Parameter(help="It was started: the request id of its job.", metavar="ID")
    ] = None,
    not_started: Annotated[bool, Parameter(help="It was not started; its job key is free again.")] = False,
    release: Annotated[bool, Parameter(help="Free the job key: its next submit starts, and pays, a new job.")] = False,
    adopt: Annotated[
        bool,
        Parameter(help="Your account has a new token: take over all entries recorded under the token of this one."),
    ] = False,
    journal: JournalFile = None,
    common: Common = COMMON,
) -> int:
    """Record the outcome of an unsure submit, once you have looked on RunComfy's pages."""
    if [request_id is not None, not_started, release, adopt].count(True) != 1:
        raise CommandError("settle needs one of --request-id ID, --not-started, --release and --adopt")
    if request_id is not None:
        check_request_id(request_id, "--request-id")
    file = existing_journal(journal)
    pending = in_journal(f"{program()} pending", journal)
    missing = CommandError(f"{name!r} is not in {journal_name(journal)}; {pending} lists what is")
    if file is None:
        raise missing
    if adopt:
        return _report_settled(_adopt(journal, name, common), common)
    with open_journal(file) as opened:
        record = opened.find(name)
        if record is None:
            raise missing
        if not release and record.state not in ("unsure", "sending"):
            raise CommandError(
                f"{name!r} is {record.state}, so there is nothing to settle; --release frees its job key"
            )
        if release:
            opened.release(name)
        else:
            opened.settle(name, request_id=request_id, started=None if request_id else False)
        return _report_settled(opened.find(name), common)


def _full_name(journal: str | None) -> str:
    """The journal for programs: its file, or the address without a password."""
    place = journal_place(journal)
    return open_journal(place).name if isinstance(place, str) else str(place)


def _report_settled(entry: JournalEntry | None, common: Common) -> int:
    if common.json:
        emit_json({"entry": _entry_facts(entry) if entry else None})
    else:
        write(str(entry))
    return OK


def _adopt(journal: str | None, name: str, common: Common) -> JournalEntry | None:
    """Move the entries recorded under the token of this entry to the present token. Returns the entry."""
    from ...journal.base import normal_address  # loaded with the journal

    with (
        open_client(common.base_url, journal=journal) as client,
        open_journal(journal_place(journal)) as opened,
    ):
        address = normal_address(client.base_url)
        named = [
            entry
            for entry in opened.entries()
            if name in (entry.submission_id, entry.request_id, entry.job_key) and entry.base_url == address
        ]
        if not named:
            raise CommandError(f"{name!r} is not on record for {address}; {program()} jobs lists what is on record")
        others = [entry for entry in named if client.journal.find(entry.submission_id) is None]
        if not others:
            raise CommandError(f"{name!r} belongs to the present token already")
        moved = client.journal.adopt(others[-1].account)
        note(f"{amount(moved, 'submit')} taken over")
        return client.journal.find(name)


def _refresh(journal: str | None, common: Common) -> tuple[list[dict[str, object]], int]:
    """Ask about every job that was not seen to end; asking updates the journal.

    Returns those that ended, and the number of those that belong to another account or address.
    """
    ended: list[dict[str, object]] = []
    if existing_journal(journal) is None:
        return ended, 0
    with client_of_record(Reading(journal=journal), common) as client:
        request_ids, elsewhere = unfinished_jobs(client, journal)
        for request_id in request_ids:
            job = client.job(request_id)
            try:
                update = job.status()
                if not update.over:
                    continue
                facts: dict[str, object] = {"request_id": request_id, "state": update.state, "cost": None}
                facts["cost"] = job.result().cost
            except (JobError, NotFoundError) as error:
                facts = {"request_id": request_id, "state": getattr(error, "state", None) or "failed", "cost": None}
                note(message_of(error))
            else:
                cost = "its cost is not known yet" if facts["cost"] is None else f"cost {facts['cost']:g} USD"
                note(f"{request_id}: {update.state}, {cost}")
            ended.append(facts)
    return ended, elsewhere


def _entry_facts(entry: JournalEntry) -> dict[str, object]:
    facts: dict[str, object] = {name: getattr(entry, name) for name in _FACTS}
    return {**facts, "created_at": entry.created_at.isoformat()}


def _totals(entries: Sequence[JournalEntry]) -> dict[str, object]:
    paid = [entry for entry in entries if entry.request_id]
    return {
        "jobs": len(entries),
        "states": dict(Counter(entry.state for entry in entries)),
        "cost": round(sum(entry.cost for entry in entries if entry.cost is not None), 6),
        "without_cost": sum(entry.cost is None for entry in paid),
        "files": sum(len(entry.files) for entry in entries),
    }


def _totals_line(entries: Sequence[JournalEntry], listed: int) -> str:
    totals = _totals(entries)
    states = ", ".join(f"{count} {state}" for state, count in Counter(entry.state for entry in entries).items())
    unknown = f" ({totals['without_cost']} without a known cost)" if totals["without_cost"] else ""
    older = f"; {len(entries) - listed} older ones are not listed" if listed < len(entries) else ""
    cost = f"{totals['cost']:g} USD{unknown}"
    return f"{amount(len(entries), 'job')}: {states}; {cost}; {amount(int(str(totals['files'])), 'file')}{older}"


def _print_entries(entries: Sequence[JournalEntry], *, costs: bool = False) -> None:
    if not sys.stdout.isatty():
        for entry in entries:
            row = [_name(entry), entry.state, entry.model_id, entry.job_key or ""]
            write_row([*row, _cost(entry), str(len(entry.files)), entry.created_at.isoformat()] if costs else row)
        return
    out = console()
    titles = ["Request", "State", "Age", *(["Cost", "Files"] if costs else []), "Model", "Key"]
    rows = [_cells(entry, costs=costs) for entry in entries]
    if out.width >= _TABLE_WIDTH:
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for title in titles:
            table.add_column(title, overflow="fold", no_wrap=title in ("Request", "State", "Age"))
        for row in rows:
            table.add_row(*row)
        out.print(table)
        return
    from rich.text import Text

    for name, *cells in rows:
        out.print(Text(name, style="bold"))
        out.print(Text(wrap("  " + ", ".join(filter(None, cells)), out.width, 2)), soft_wrap=True)


def _cells(entry: JournalEntry, *, costs: bool) -> list[str]:
    age = clock((datetime.datetime.now(datetime.UTC) - entry.created_at).total_seconds())
    more = [_cost(entry), amount(len(entry.files), "file") if entry.files else ""] if costs else []
    return [_name(entry), entry.state, age, *more, entry.model_id, entry.job_key or ""]


def _cost(entry: JournalEntry) -> str:
    return "" if entry.cost is None else f"{entry.cost:g} USD"


def _name(entry: JournalEntry) -> str:
    """The request id; a lost submit has none, and is settled by its submission id."""
    return entry.request_id or entry.submission_id
