"""`runcomfy-codegen import`: read pages, plan, write, print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runcomfy_client.schema.messages import amount

from ..diagnostics.diagnostic import display, has_errors, visible
from ..terminal import OK, USAGE, nothing_written, report, usage
from .files import open_page, read_all
from .importing import plan
from .page import read_page
from .summary import summarize
from .writing import apply

if TYPE_CHECKING:
    from pathlib import Path

    from ..diagnostics.diagnostic import Diagnostic
    from ..reading.source import Json
    from .importing import FilePlan, ModelPlan


def run(names: list[str], schemas: Path, *, replace: bool) -> int:
    """Import pages into the store; the exit code."""
    files, unreadable = read_all(names)
    if unreadable:
        for message in unreadable:
            usage(message, "import")
        return USAGE
    diagnostics: list[Diagnostic] = []
    pages = []
    for name, data in files:
        text, new_diagnostics = open_page(data, name)
        diagnostics.extend(new_diagnostics)
        if text is not None:
            page, new_diagnostics = read_page(text)
            diagnostics.extend(new_diagnostics)
            if page is not None:
                pages.append(page)
    # Also with a faulty page: problems of the other pages are reported in the same run.
    planned, new_diagnostics = plan(pages, schemas, replace=replace)
    diagnostics.extend(new_diagnostics)
    report(tuple(diagnostics))
    if has_errors(diagnostics):
        return nothing_written()
    apply(schemas, planned.writes)
    for model in planned.models:
        _show(model)
    for file in planned.common:
        _show_file(file)
    models, files_changed = amount(len(planned.models), "model"), amount(len(planned.writes), "file")
    print(f"{models}, {files_changed} changed")
    return OK


def _show(model: ModelPlan) -> None:
    print(model.model_id)
    print(f"  page      {', '.join(visible(page) for page in model.pages)}")
    print(f"  input     {summarize(model.input)}")
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
