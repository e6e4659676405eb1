"""`runcomfy-codegen pull`: take entries from the catalog, plan, write, print."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import has_errors, visible
from ..terminal import BAD_SCHEMA, DRIFT, OK, Progress, nothing_written, report, usage
from .catalog import LiveError, choose, fetch, read_reply
from .files import read_all
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
class _Selection:
    """All ids of the catalog, the entries asked for, and what is wrong with the reply or the request."""

    ids: Collection[str]
    entries: Sequence[Entry]
    diagnostics: tuple[Diagnostic, ...]


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
    """Pull models into the store; the exit code. The other entries are written also if one is faulty.

    Args:
        form: how the changes are printed.
        fail_on: which changes make the exit code 1: "breaking", "any", or None for none.
    """
    if source is None:
        try:
            selection = _from_api(patterns)
        except LiveError as error:
            print(f"runcomfy-codegen pull: {visible(str(error))}", file=sys.stderr)
            return error.exit_code
    else:
        files, unreadable = read_all([source])
        if unreadable:
            return usage(unreadable[0], "pull")
        selection = _from_file(*files[0], patterns)
    if has_errors(selection.diagnostics):
        report(selection.diagnostics)
        return nothing_written()
    planned, new_diagnostics = plan(selection.entries, selection.ids, patterns, schemas, prices=prices)
    if not dry_run:
        apply(schemas, planned.writes)
    print(FORMS[form](planned, dry_run), end="")
    diagnostics = (*selection.diagnostics, *new_diagnostics)
    report(diagnostics)
    if has_errors(diagnostics):
        return BAD_SCHEMA
    failed = planned.breaking if fail_on == "breaking" else planned.any if fail_on == "any" else False
    return DRIFT if failed else OK


def _from_file(name: str, data: bytes, patterns: Sequence[str]) -> _Selection:
    reply, diagnostics = read_reply(data, name)
    if reply is None:
        return _Selection((), (), diagnostics)
    chosen, unmatched = choose(patterns, list(reply.entries))
    return _Selection(
        reply.entries, [reply.entries[model_id] for model_id in chosen], (*diagnostics, *reply.diagnostics, *unmatched)
    )


def _from_api(patterns: Sequence[str]) -> _Selection:
    unmatched: list[Diagnostic] = []

    def chosen(ids: Sequence[str]) -> Sequence[str]:
        chosen, diagnostics = choose(patterns, ids)
        unmatched.extend(diagnostics)
        # With a misspelt id nothing is written, so no schema is fetched.
        return () if unmatched else chosen

    with Progress() as progress:
        ids, entries = fetch(chosen, progress)
    return _Selection(ids, list(entries.values()), tuple(unmatched))
