"""`runcomfy-codegen reference`: it parses, calls and prints; the pages are made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..terminal import OK, USAGE, nothing_written, report, schemas_folder, usage

if TYPE_CHECKING:
    import argparse


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `reference`; it sets `run`, a function from the parsed arguments to the exit status."""
    parser = commands.add_parser("reference", help="write a page of documentation for each model (Markdown)")
    parser.add_argument("--schemas", type=Path, metavar="DIR", help="the schemas (default: schemas/)")
    parser.add_argument("--output", type=Path, metavar="DIR", required=True, help="the folder for the pages")
    parser.set_defaults(run=_reference)


def _reference(arguments: argparse.Namespace) -> int:
    # What reads schemas is not loaded to print a help text.
    from .pages import make_reference
    from .writing import write_pages

    schemas, output = schemas_folder(arguments.schemas), arguments.output
    if schemas is None:
        return USAGE
    reference = make_reference(schemas)
    report(reference.diagnostics)
    if not reference.pages:
        return nothing_written()
    written = write_pages(output, reference.pages)
    if written.foreign:
        names = ", ".join(written.foreign)
        return usage(f"not written by this command and therefore not overwritten, in {output}: {names}")
    print(f"{output}: {len(reference.pages)} pages, {len(written.changed)} changed, {len(written.removed)} removed")
    return OK
