"""`runcomfy-codegen jsonschema`: a standard JSON Schema (2020-12) for each model, for editors and other checkers.

A payload file names its model by the schema: `"$schema": "<folder>/<model id>.json"`. Each file is what
`runcomfy-client schema` prints of the model, and a first line by which the command recognises its own files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .reference.cli import report_written
from .terminal import SCHEMAS_HELP, USAGE, nothing_written, report, store_to_read, usage

if TYPE_CHECKING:
    import argparse

    from runcomfy_client.schema import ModelSpec

    from .diagnostics.diagnostic import Diagnostic

# How a file of ours is recognised; it contains nothing from the schemas.
_MARK: Final = '{\n  "$comment": "Written by runcomfy-codegen jsonschema; it writes it anew each time."'


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `jsonschema`; it sets `run`, a function from the parsed arguments to the exit status."""
    parser = commands.add_parser("jsonschema", help="write a standard JSON Schema for each model, for editors")
    parser.add_argument("--schemas", type=Path, metavar="DIR", help=SCHEMAS_HELP)
    parser.add_argument("--output", type=Path, metavar="DIR", help="the folder for <model id>.json")
    parser.set_defaults(run=_jsonschema)


def _jsonschema(arguments: argparse.Namespace) -> int:
    # What writes files is not loaded to print a help text.
    from .reference.writing import write_pages

    folder = arguments.output
    if not folder:
        return usage("name the folder for the schemas with --output DIR")
    schemas = store_to_read(arguments.schemas)
    if schemas is None:
        return USAGE
    files, diagnostics = editor_schemas(schemas)
    report(diagnostics)
    if not files:
        return nothing_written()
    return report_written(folder, write_pages(folder, files, _MARK, ".json"), f"{len(files)} schemas")


def editor_schemas(schemas: Path) -> tuple[dict[str, str], tuple[Diagnostic, ...]]:
    """The files by path, one for each model of a store; none if a schema has an error. OSError passes through."""
    from .building.inventory import lower_store
    from .diagnostics.diagnostic import has_errors

    lowered = lower_store(schemas)
    if has_errors(lowered.diagnostics):
        return {}, lowered.diagnostics
    return {f"{model.model_id}.json": _file(model.spec) for _, model in lowered.models}, lowered.diagnostics


def _file(spec: ModelSpec) -> str:
    from runcomfy_client.describe.json_schema import file_schema

    text = json.dumps(file_schema(spec), indent=2, ensure_ascii=False)
    return _MARK + ",\n" + text.removeprefix("{\n") + "\n"
