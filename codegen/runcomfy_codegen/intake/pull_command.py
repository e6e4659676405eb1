"""`runcomfy-codegen pull`: take entries from the catalogue, plan, write, tell."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..faults.diagnostics import has_errors, visible
from ..terminal import BAD_SCHEMA, OK, UNAVAILABLE, Progress, amount, nothing_written, report, usage
from .catalogue import choose, read_reply
from .files import read_all
from .live import LiveError, fetch
from .pulling import plan
from .summary import described
from .writing import apply

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from ..faults.diagnostics import Diagnostic
    from .catalogue import Entry
    from .pulling import ModelPull, PullPlan


@dataclass(frozen=True, slots=True)
class _Taken:
    """All ids of the catalogue, the entries asked for, and what is wrong with the reply or the question."""

    ids: Collection[str]
    entries: Sequence[Entry]
    faults: tuple[Diagnostic, ...]


def run(patterns: list[str], schemas: Path, source: str | None, *, dry_run: bool, prices: bool) -> int:
    """Pull models into the store; the exit code. A faulty entry does not keep the others from being written."""
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
    _show(planned, dry_run=dry_run)
    faults = (*taken.faults, *found)
    report(faults)
    return BAD_SCHEMA if has_errors(faults) else OK


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


def _show(planned: PullPlan, *, dry_run: bool) -> None:
    for model in planned.models:
        print(f"{model.status:<10}{model.model_id}{_about(model)}")
        for change in model.changes:
            print(f"  {visible(str(change))}")
        for note in model.notes:
            print(f"  {visible(note)}")
    for model_id in planned.gone:
        print(f"gone      {model_id}  no longer in the catalogue; its folder is kept")
    counts = {status: sum(model.status == status for model in planned.models) for status in ("added", "changed")}
    breaking = sum(model.breaking for model in planned.models)
    rest = len(planned.models) - sum(counts.values())
    print(
        f"{amount(len(planned.models), 'model', 'models')}: {counts['added']} added, {counts['changed']} changed "
        f"({breaking} breaking), {rest} with the same facts; {amount(len(planned.writes), 'file', 'files')} "
        + ("would be written (dry run)" if dry_run else "written")
    )


def _about(model: ModelPull) -> str:
    if model.status == "added":
        return f"  {described(model.schema)}"
    if model.status == "changed":
        return "  breaking" if model.breaking else "  harmless"
    return ""
