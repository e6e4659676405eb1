"""`runcomfy-codegen openapi`: it parses, calls and prints; the document is made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..terminal import OK, SCHEMAS_HELP, USAGE, nothing_written, report, store_to_read

if TYPE_CHECKING:
    import argparse


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `openapi`; it sets `run`, a function from the parsed arguments to the exit status."""
    parser = commands.add_parser("openapi", help="write an OpenAPI 3.1 document of the whole API")
    parser.add_argument("--schemas", type=Path, metavar="DIR", help=SCHEMAS_HELP)
    parser.add_argument("--output", type=Path, metavar="FILE", help="the file to write (default: stdout)")
    parser.add_argument("--server", metavar="URL", help="where the API is (default: RunComfy's)")
    parser.set_defaults(run=_openapi)


def _openapi(arguments: argparse.Namespace) -> int:
    # What reads schemas is not loaded to print a help text.
    from ..reading.store import dumps, write_json
    from .from_store import document_of

    schemas = store_to_read(arguments.schemas)
    if schemas is None:
        return USAGE
    document, diagnostics = document_of(schemas, arguments.server)
    report(diagnostics)
    if document is None:
        return nothing_written()
    if arguments.output:
        write_json(arguments.output, document)  # type: ignore[arg-type]  # it is JSON all through
    else:
        print(dumps(document), end="")  # type: ignore[arg-type]
    return OK
