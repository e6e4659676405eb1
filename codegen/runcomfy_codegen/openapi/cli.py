"""`runcomfy-codegen openapi`: it parses, calls and prints; the document is made elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `openapi`; it sets `run`, a function from the parsed arguments to the exit status."""
    parser = commands.add_parser("openapi", help="write an OpenAPI 3.1 document of the whole API")
    parser.add_argument("--schemas", type=Path, metavar="DIR", help="the schemas (default: schemas/)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the file to write (default: stdout)")
    parser.add_argument("--server", metavar="URL", help="where the API is (default: RunComfy's)")
    parser.set_defaults(run=_openapi)


def _openapi(arguments: argparse.Namespace) -> int:
    # What reads schemas is not loaded to print a help text; and the command line loads this module first.
    from .. import cli
    from ..reading import store
    from .from_store import document_of

    schemas = cli.schemas_folder(arguments.schemas)
    if not schemas.is_dir():
        print(f"runcomfy-codegen: there is no folder {schemas}; name the schemas with --schemas DIR", file=sys.stderr)
        return cli.USAGE
    document, faults = document_of(schemas, arguments.server)
    cli.report(faults)
    if document is None:
        print("Nothing was written.", file=sys.stderr)
        return cli.BAD_SCHEMA
    if arguments.output:
        store.write_json(arguments.output, document)  # type: ignore[arg-type]  # it is JSON all through
    else:
        print(store.dumps(document), end="")  # type: ignore[arg-type]
    return cli.OK
