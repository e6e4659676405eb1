"""`runcomfy-codegen reference`: it parses, calls and prints; the pages are made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..terminal import OK, SCHEMAS_HELP, USAGE, nothing_written, report, store_to_read, usage

if TYPE_CHECKING:
    import argparse

    from .writing import WriteResult


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `reference`; it sets `run`, a function from the parsed arguments to the exit status."""
    parser = commands.add_parser("reference", help="write a page of documentation for each model (Markdown)")
    parser.add_argument("--schemas", type=Path, metavar="DIR", help=SCHEMAS_HELP)
    parser.add_argument("--output", type=Path, metavar="DIR", help="the folder for the pages")
    parser.add_argument("--list", type=Path, metavar="FILE", help="one page that lists all models, with links to them")
    parser.set_defaults(run=_reference)


def _reference(arguments: argparse.Namespace) -> int:
    # What reads schemas is not loaded to print a help text.
    from .pages import make_reference, model_list
    from .writing import write_page, write_pages

    output, listing = arguments.output, arguments.list
    if not output and not listing:
        return usage("name the folder for the pages with --output DIR, or the file for the list with --list FILE")
    schemas = store_to_read(arguments.schemas)
    if schemas is None:
        return USAGE
    if listing:
        text, diagnostics = model_list(schemas, listing.parent)
        if not output:
            report(diagnostics)
        if not text:
            return nothing_written()
        if not write_page(listing, text):
            return usage(f"not written by this command and therefore not overwritten: {listing}")
        if not output:
            return OK
    reference = make_reference(schemas)
    report(reference.diagnostics)
    if not reference.pages:
        return nothing_written()
    return report_written(output, write_pages(output, reference.pages), f"{len(reference.pages)} pages")


def report_written(folder: Path, written: WriteResult, amount: str) -> int:
    """Print what was written to a folder of pages, or the files that are in the way; the exit code."""
    if written.foreign:
        names = ", ".join(written.foreign)
        return usage(f"not written by this command and therefore not overwritten, in {folder}: {names}")
    print(f"{folder}: {amount}, {len(written.changed)} changed, {len(written.removed)} removed")
    return OK
