"""`runcomfy-codegen reference`: it parses, calls and prints; the pages are made elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `reference`; it sets `run`, a function from the parsed arguments to the exit status."""
    parser = commands.add_parser("reference", help="write a page of documentation for each model (Markdown)")
    parser.add_argument("--schemas", type=Path, metavar="DIR", help="the schemas (default: schemas/)")
    parser.add_argument("--output", type=Path, metavar="DIR", required=True, help="the folder for the pages")
    parser.set_defaults(run=_reference)


def _reference(arguments: argparse.Namespace) -> int:
    # What reads schemas is not loaded to print a help text; and the command line loads this module first.
    from .. import cli
    from .pages import make_reference
    from .writing import write_pages

    schemas, output = cli.schemas_folder(arguments.schemas), arguments.output
    if not schemas.is_dir():
        return _usage(f"there is no folder {schemas}; name the schemas with --schemas DIR")
    reference = make_reference(schemas)
    cli.report(reference.diagnostics)
    if not reference.pages:
        print("Nothing was written.", file=sys.stderr)
        return cli.BAD_SCHEMA
    written = write_pages(output, reference.pages)
    if written.foreign:
        names = ", ".join(written.foreign)
        return _usage(f"not written by this command and therefore not overwritten, in {output}: {names}")
    print(f"{output}: {len(reference.pages)} pages, {len(written.changed)} changed, {len(written.removed)} removed")
    return cli.OK


def _usage(message: str) -> int:
    from .. import cli

    print(f"runcomfy-codegen: {message}", file=sys.stderr)
    return cli.USAGE
