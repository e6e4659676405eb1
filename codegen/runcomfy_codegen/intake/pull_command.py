"""`runcomfy-codegen pull`: take entries from the catalog, plan, write, tell."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import has_errors, visible
from ..terminal import BAD_SCHEMA, DRIFT, OK, UNAVAILABLE, Progress, nothing_written, report, usage
from .catalog import choose, read_reply
from .files import read_all
from .live import LiveError, fetch
from .pull_report import FORMS
from .pulling import plan
from .writing import apply

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from ..diagnostics.diagnostic import Diagnostic
    from .catalog import Entry
    from .pull_report import Form


@dataclass(frozen=True, slots=True)
class _Taken:
    """All ids of the catalog, the entries asked for, and what is wrong with the reply or the question."""

    ids: Collection[str]
    entries: Sequence[Entry]
    faults: tuple[Diagnostic, ...]


def run(
    patterns: list[str],
    schemas: Path,
    source: str | None,
    *,
    dry_run: bool,
    prices: bool,
    form: Form,
    fail_on: str | None,
) -> int:
    """Pull models into the store; the exit code. A faulty entry does not keep the others from being written.

    Args:
        form: how the changes are printed.
        fail_on: which changes make the exit code 1: "breaking", "any", or None for none.
    """
    if source is None:
        try:
            taken = _live(patterns)
        except LiveError as error:
            print(f"runcomfy-codegen pull: {visible(str(error))}", file=sys.stderr)
            return UNAVAILABLE
    else:
        files, unreadable = read_all([source])
        if unreadable:
            return usage(unreadable[0], "pull")
        taken = _saved(*files[0], patterns)
    if has_errors(taken.faults):
        report(taken.faults)
        return nothing_written()
    planned, found = plan(taken.entries, taken.ids, patterns, schemas, prices=prices)
    if not dry_run:
        apply(schemas, planned.writes)
    print(FORMS[form](planned, dry_run), end="")
    faults = (*taken.faults, *found)
    report(faults)
    if has_errors(faults):
        return BAD_SCHEMA
    failed = planned.breaking if fail_on == "breaking" else planned.any if fail_on == "any" else False
    return DRIFT if failed else OK


def _saved(name: str, data: bytes, patterns: Sequence[str]) -> _Taken:
    reply, faults = read_reply(data, name)
    if reply is None:
        return _Taken((), (), faults)
    chosen, unmatched = choose(patterns, list(reply.entries))
    return _Taken(reply.entries, [reply.entries[each] for each in chosen], (*faults, *reply.faults, *unmatched))


def _live(patterns: Sequence[str]) -> _Taken:
    unmatched: list[Diagnostic] = []

    def chosen(ids: Sequence[str]) -> Sequence[str]:
        found, faults = choose(patterns, ids)
        unmatched.extend(faults)
        # With a misspelt id nothing will be written, so nothing need be asked for.
        return () if unmatched else found

    with Progress() as tell:
        ids, entries = fetch(chosen, tell)
    return _Taken(ids, list(entries.values()), tuple(unmatched))
