"""The command line: it parses, calls, prints and turns outcomes into exit codes; nothing else here does."""

from __future__ import annotations

import argparse
import sys
import textwrap

from .codes import catalogue
from .diagnostics import Diagnostic, in_reading_order, quote, render
from .intake import cli as intake

OK = 0
DRIFT = 1
USAGE = 2
BAD_SCHEMA = 65
OUR_BUG = 70
IO_ERROR = 74


def run(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    parsed = _parser().parse_args(arguments)
    outcome: int = parsed.run(parsed)
    return outcome


def report(diagnostics: tuple[Diagnostic, ...]) -> None:
    """Print faults on stderr, in reading order, with a count when there are several."""
    shown = in_reading_order(diagnostics)
    for each in shown:
        print(render(each), end="\n\n", file=sys.stderr)
    if shown:
        print(count(shown), file=sys.stderr)


def count(diagnostics: tuple[Diagnostic, ...]) -> str:
    """ "2 errors, 1 warning"."""
    errors = sum(each.severity == "error" for each in diagnostics)
    kinds = ((errors, "error"), (len(diagnostics) - errors, "warning"))
    return ", ".join(f"{number} {kind}{'s' if number > 1 else ''}" for number, kind in kinds if number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="runcomfy-codegen", description="Make a typed Python client from RunComfy's model schemas."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    intake.register(commands)
    explain = commands.add_parser("explain", help="tell more about a diagnostic's code")
    explain.add_argument("code", metavar="CODE", help="as printed, for example E031")
    explain.set_defaults(run=_explain)
    return parser


def _explain(arguments: argparse.Namespace) -> int:
    found = catalogue().get(arguments.code.upper())
    if found is None:
        print(f"There is no code {quote(arguments.code)}. All codes: {', '.join(sorted(catalogue()))}", file=sys.stderr)
        return USAGE
    print(f"{found.code}: {found.title}\n")
    for paragraph in found.text.split("\n\n"):
        # A paragraph that is indented is an example and stays as it is.
        print(paragraph if paragraph.startswith(" ") else textwrap.fill(paragraph, 88), end="\n\n")
    return OK
