"""The commands that bring schemas in, as the command line knows them; what they do is loaded when they run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..terminal import SCHEMAS_HELP, USAGE, store_to_read, store_to_write

if TYPE_CHECKING:
    import argparse


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `import` and `pull`; each sets `run`, a function from the parsed arguments to the exit status."""
    importing = commands.add_parser("import", help="read saved API pages into schemas/")
    importing.add_argument("pages", metavar="PAGE", nargs="+", help="an API page saved as text or HTML; - for stdin")
    importing.add_argument("--schemas", type=Path, metavar="DIR", help=SCHEMAS_HELP)
    importing.add_argument("--replace", action="store_true", help="let a page replace a different schema")
    importing.set_defaults(run=_import)
    pulling = commands.add_parser("pull", help="take schemas from the catalog, live or a saved reply")
    pulling.add_argument("patterns", metavar="MODEL_ID|GLOB", nargs="+", help="'bytedance/*' is all of bytedance")
    pulling.add_argument("--schemas", type=Path, metavar="DIR", help=SCHEMAS_HELP)
    pulling.add_argument("--from", dest="source", metavar="FILE", help="a saved reply of the catalog; - for stdin")
    pulling.add_argument("--dry-run", action="store_true", help="show what would change, write nothing")
    pulling.add_argument("--no-prices", action="store_true", help="leave the prices as they are in the store")
    formats = pulling.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print what changed as JSON")
    formats.add_argument("--markdown", action="store_true", help="print what changed as Markdown, for a pull request")
    pulling.add_argument(
        "--fail-on",
        choices=("breaking", "any"),
        help="exit 1 if a change may break calls, or if there is any change; what is pulled is written all the same",
    )
    pulling.set_defaults(run=_pull)


def _import(arguments: argparse.Namespace) -> int:
    from .import_command import run

    schemas = store_to_write(arguments.schemas)
    return USAGE if schemas is None else run(arguments.pages, schemas, replace=arguments.replace)


def _pull(arguments: argparse.Namespace) -> int:
    from .pull_command import run

    if arguments.dry_run:
        schemas = store_to_read(arguments.schemas, may_be_new=True)
    else:
        schemas = store_to_write(arguments.schemas)
    if schemas is None:
        return USAGE
    return run(
        arguments.patterns,
        schemas,
        arguments.source,
        dry_run=arguments.dry_run,
        prices=not arguments.no_prices,
        form="json" if arguments.json else "markdown" if arguments.markdown else "text",
        fail_on=arguments.fail_on,
    )
