"""The commands that bring schemas in: they parse, call and print; what happens is decided elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics import has_errors, visible
from ..places import default_schemas
from ..source import display

if TYPE_CHECKING:
    import argparse

    from ..diagnostics import Diagnostic
    from ..source import Json
    from .importing import FilePlan, ModelPlan


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `import` and `pull`; each sets `run`, a function from the parsed arguments to the exit status."""
    importing = commands.add_parser("import", help="read saved API pages into schemas/")
    importing.add_argument("pages", metavar="PAGE", nargs="+", help="an API page saved as text or HTML; - for stdin")
    importing.add_argument("--schemas", type=Path, metavar="DIR", help="the schema store (default: schemas/)")
    importing.add_argument("--replace", action="store_true", help="let a page replace a schema that says otherwise")
    importing.set_defaults(run=_import)


def _import(arguments: argparse.Namespace) -> int:
    # What reads pages is not loaded to print a help text; and the command line loads this module first.
    from .. import cli
    from .importing import plan
    from .page import read_page
    from .reading import open_page
    from .writing import apply

    files, unreadable = _read_all(arguments.pages)
    if unreadable:
        for each in unreadable:
            print(f"runcomfy-codegen import: {each}", file=sys.stderr)
        return cli.USAGE
    schemas = arguments.schemas or default_schemas()
    faults: list[Diagnostic] = []
    pages = []
    for name, data in files:
        text, found = open_page(data, name)
        faults.extend(found)
        if text is not None:
            page, found = read_page(text)
            faults.extend(found)
            if page is not None:
                pages.append(page)
    # Also with a faulty page: what is wrong with the others is to be seen at once.
    planned, found = plan(pages, schemas, replace=arguments.replace)
    faults.extend(found)
    cli.report(tuple(faults))
    if has_errors(faults):
        print("Nothing was written.", file=sys.stderr)
        return cli.BAD_SCHEMA
    apply(schemas, planned.writes)
    for model in planned.models:
        _show(model)
    for file in planned.common:
        _show_file(file)
    changed = len(planned.writes)
    print(
        f"{len(planned.models)} model{'s' * (len(planned.models) != 1)}, {changed} file{'s' * (changed != 1)} changed"
    )
    return cli.OK


def _read_all(names: list[str]) -> tuple[list[tuple[str, bytes]], list[str]]:
    """The files, each with its name for messages; and a sentence for each that cannot be read."""
    from .text import MAX_BYTES

    files: list[tuple[str, bytes]] = []
    unreadable = []
    for name in names:
        if name == "-":
            if any(known == "<stdin>" for known, _ in files):
                unreadable.append("- stands twice; there is one standard input")
            else:
                files.append(("<stdin>", sys.stdin.buffer.read(MAX_BYTES + 1)))
            continue
        try:
            with Path(name).open("rb") as file:
                files.append((display(Path(name)), file.read(MAX_BYTES + 1)))
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            unreadable.append(f"{visible(name)}: {reason}")
    return files, unreadable


def _show(model: ModelPlan) -> None:
    from .summary import described

    print(model.model_id)
    print(f"  page      {', '.join(visible(page) for page in model.pages)}")
    print(f"  input     {described(model.input)}")
    if model.output is None:
        print("  output    none on the page, so the common one")
    else:
        print(f"  output    {'the common one' if model.output_is_common else 'its own'}")
    print(f"  example   {_keys(model.example)}")
    for file in model.files:
        _show_file(file)


def _show_file(file: FilePlan) -> None:
    print(f"  {file.status:<10}{visible(display(file.path))}{f' ({file.note})' if file.note else ''}")
    for change in file.changes:
        print(f"    {visible(str(change))}")


def _keys(example: dict[str, Json] | None) -> str:
    if example is None:
        return "none on the page"
    return ", ".join(visible(key) for key in example) or "empty"
