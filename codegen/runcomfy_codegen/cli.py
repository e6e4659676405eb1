"""The command line: it parses arguments, calls, prints, and turns outcomes into exit codes."""

from __future__ import annotations

import argparse
import textwrap
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from runcomfy_client.schema.messages import amount

from . import editor_schemas
from .diagnostics.codes import all_codes
from .diagnostics.diagnostic import display, has_errors, quote
from .intake import cli as intake
from .naming.names import package_name_error
from .openapi import cli as openapi
from .paths import PACKAGE, choose_output, choose_store
from .reference import cli as reference
from .terminal import (
    BAD_SCHEMA,
    DRIFT,
    OK,
    SCHEMAS_HELP,
    USAGE,
    Progress,
    no_store,
    nothing_written,
    project_settings,
    report,
    say,
    store_to_read,
    usage,
)

if TYPE_CHECKING:
    from .comparing.python import PythonDifference
    from .generate import Outcome, Request

# A first run lists hundreds of files.
_MAX_LISTED = 24


def run(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    parsed = _parser().parse_args(arguments)
    outcome: int = parsed.run(parsed)
    return outcome


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="runcomfy-codegen",
        description="Make a typed Python client from RunComfy's model schemas.",
        epilog="Defaults stand in the table [tool.runcomfy] of pyproject.toml: schemas, output, package.",
    )
    parser.add_argument("--version", action="version", version=version("runcomfy-client"))
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    generate = commands.add_parser("generate", help="render the schemas into a package")
    generate.add_argument("--schemas", type=Path, metavar="DIR", help=SCHEMAS_HELP)
    generate.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="the folder of the package (default: output in [tool.runcomfy], else generated/)",
    )
    generate.add_argument(
        "--package",
        metavar="NAME",
        help=f"the package's name (default: package in [tool.runcomfy], else {PACKAGE})",
    )
    generate.add_argument("--check", action="store_true", help="write nothing; exit 1 if the package is not up to date")
    generate.add_argument("--skip-faulty", action="store_true", help="leave faulty models as they were, do the rest")
    generate.add_argument("--delete", action="store_true", help="delete models that are gone from the schemas")
    generate.add_argument("--accept-renames", action="store_true", help="let published Python names change")
    generate.add_argument("--no-cache", action="store_true", help="build every model again")
    generate.add_argument(
        "--markdown", action="store_true", help="print what changes for Python programs, as Markdown, and nothing else"
    )
    generate.set_defaults(run=_generate)
    lint = commands.add_parser("lint", help="report every problem of the schemas; write nothing")
    lint.add_argument("--schemas", type=Path, metavar="DIR", help=SCHEMAS_HELP)
    lint.set_defaults(run=_lint)
    intake.register(commands)
    openapi.register(commands)
    reference.register(commands)
    editor_schemas.register(commands)
    explain = commands.add_parser("explain", help="explain a diagnostic's code")
    explain.add_argument("code", metavar="CODE", help="as printed, for example E031")
    explain.set_defaults(run=_explain)
    return parser


def _generate(arguments: argparse.Namespace) -> int:
    # Loaded here: other commands work without the libraries this one needs.
    from .generate import Request, generate

    settings = project_settings()
    if settings is None:
        return USAGE
    package: str = settings.package or PACKAGE if arguments.package is None else arguments.package
    output = choose_output(arguments.output, settings)
    if error := package_name_error(package, display(output)):
        return usage(error)
    store = choose_store(arguments.schemas, settings)
    if store.builtin:
        return no_store()
    if not store.path.is_dir():
        return usage(f"there is no folder {display(store.path)}; name the schemas with --schemas DIR")
    request = Request(
        schemas=store.path,
        output=output,
        package=package,
        delete=arguments.delete or store.owned,
        check=arguments.check,
        skip_faulty=arguments.skip_faulty,
        accept_renames=arguments.accept_renames,
        use_cache=not arguments.no_cache,
    )
    with Progress() as progress:
        outcome = generate(
            request,
            lambda done, total: progress(f"generating {done} of {total}"),
            lambda: say(f"another run is writing below {display(request.output)}; waiting for it to end"),
        )
    report(outcome.diagnostics)
    if outcome.plan and not arguments.markdown:
        _print_plan(outcome, request.check, display(request.output / package))
    if outcome.python and not (outcome.plan and outcome.plan.diagnostics):
        _print_python(outcome.python, markdown=arguments.markdown)
    blocked = outcome.plan is not None and bool(outcome.plan.diagnostics)
    if outcome.failed:
        if not outcome.skipped or blocked:
            nothing_written()
        if request.check and blocked:
            print(f"Cure: move or delete what is in the way, then {_cure(arguments, request, outcome)}")
        return BAD_SCHEMA
    if request.check and outcome.drifted:
        if not arguments.markdown:
            print(f"Cure: {_cure(arguments, request, outcome)}")
        return DRIFT
    return OK


def _print_plan(outcome: Outcome, check: bool, folder: str) -> None:
    plan = outcome.plan
    assert plan is not None
    kinds = (
        (("missing", plan.missing), ("stale", plan.stale), ("extra", plan.extra))
        if check
        else (("new", plan.missing), ("changed", plan.stale), ("deleted", plan.extra))
    )
    if plan.diagnostics and not check:
        return
    for word, paths in kinds:
        for path in paths[:_MAX_LISTED]:
            print(f"{word:8} {folder}/{path}")
        if len(paths) > _MAX_LISTED:
            print(f"{word:8} ... and {len(paths) - _MAX_LISTED} more")
    if outcome.names_stale:
        print(f"{'stale' if check else 'changed':8} names.json (the published names, beside the schemas)")
    for model_id in outcome.skipped:
        print(f"{'skipped':8} {model_id}  {'left as it was' if model_id in outcome.kept else 'not in the package'}")
    changes = ", ".join(f"{len(paths)} {word}" for word, paths in kinds if paths) or "all files up to date"
    models = amount(outcome.models - len(outcome.skipped), "model")
    skipped = f", {len(outcome.skipped)} skipped" if outcome.skipped else ""
    print(f"{folder}: {models}{skipped}, {changes}")


def _print_python(difference: PythonDifference, *, markdown: bool) -> None:
    # What prints Markdown is not loaded for a run that changes nothing.
    from .comparing.report import as_markdown, as_text

    if markdown:
        print(as_markdown(difference), end="")
    elif difference.methods:
        print(as_text(difference), end="")


def _cure(arguments: argparse.Namespace, request: Request, outcome: Outcome) -> str:
    """The command that ends a drift."""
    words = ["runcomfy-codegen generate"]
    words += [f"--schemas {arguments.schemas}"] if arguments.schemas else []
    words += [f"--output {arguments.output}"] if arguments.output else []
    words += [f"--package {arguments.package}"] if arguments.package else []
    words += ["--delete"] if outcome.gone and not request.delete else []
    return " ".join(words)


def _lint(arguments: argparse.Namespace) -> int:
    from .building.inventory import lower_store

    schemas = store_to_read(arguments.schemas)
    if schemas is None:
        return USAGE
    lowered = lower_store(schemas)
    report(lowered.diagnostics)
    if not lowered.diagnostics:
        print(f"{amount(lowered.total, 'model')}, no problems found.")
    return BAD_SCHEMA if has_errors(lowered.diagnostics) else OK


def _explain(arguments: argparse.Namespace) -> int:
    diagnostic_code = all_codes().get(arguments.code.upper())
    if diagnostic_code is None:
        return usage(f"there is no code {quote(arguments.code)}; all codes: {', '.join(sorted(all_codes()))}")
    print(f"{diagnostic_code.code}: {diagnostic_code.title}\n")
    for paragraph in diagnostic_code.text.split("\n\n"):
        # A paragraph that is indented is an example and stays as it is.
        print(paragraph if paragraph.startswith(" ") else textwrap.fill(paragraph, 88), end="\n\n")
    return OK
