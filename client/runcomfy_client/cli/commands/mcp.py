"""`mcp`: the server through which agents use RunComfy."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ..errors import OK, CommandError, NoFileError
from ..options import COMMON, JOBS, Common, JournalFile, command
from ..output import note
from ..package import JOURNAL_VARIABLE, open_async_client, package, program, results_folder

INSTALL = 'pip install "runcomfy-client[mcp]"'
INSTALL_SIMULATOR = 'pip install "runcomfy-client[mcp,simulator]"'


@command(
    group=JOBS,
    order=31,
    example=("{program} mcp --spend budget --max-cost 5 --max-jobs 20 --files ~/Pictures", "{program} mcp --simulate"),
)
def mcp(
    *,
    spend: Annotated[
        Literal["ask", "budget", "never"],
        Parameter(
            help="Who says that a job may be paid: ask (a person, for each job; the client must be able to ask), "
            "budget (jobs start by themselves within --max-cost and --max-jobs), never (look and check only).",
        ),
    ] = "ask",
    max_cost: Annotated[
        float | None,
        Parameter(
            help="US dollars in 24 hours, by the base price until a job's cost is known. A base price is not a quote, "
            "so the sum may end above it; --max-jobs is the exact bound.",
            metavar="USD",
        ),
    ] = None,
    max_jobs: Annotated[int | None, Parameter(help="Submits in 24 hours.", metavar="N")] = None,
    results: Annotated[
        Path | None, Parameter(help="The folder for result files; default: beside the journal.", metavar="DIR")
    ] = None,
    files: Annotated[
        list[Path] | None,
        Parameter(
            help="A folder whose files agents may send; may be repeated. Default: no local files.",
            metavar="DIR",
            negative=(),
        ),
    ] = None,
    journal: JournalFile = None,
    simulate: Annotated[
        bool, Parameter(help="Serve a simulated API: no token, no money. Its journal and files end with the server.")
    ] = False,
    common: Common = COMMON,
) -> int:
    """Serve RunComfy to agents as an MCP server on stdin and stdout; hosts start it by themselves.

    Submits are counted in the journal, so a restart resets no budget.
    """
    _check(spend, max_cost, max_jobs)
    for folder in files or ():
        if not folder.expanduser().is_dir():
            raise NoFileError(f"--files takes a folder, and {str(folder)!r} is none")
    _load_server()
    from runcomfy_mcp.server import serve
    from runcomfy_mcp.settings import Settings

    with contextlib.ExitStack() as stack:
        base_url, token = common.base_url, None
        if simulate:
            base_url, token, folder = _simulator(stack)
            journal = journal or str(folder / "journal.sqlite3")
            results = results or folder / "results"
        settings = Settings(
            spend=spend,
            max_cost=max_cost,
            max_jobs=max_jobs,
            results=(results or results_folder(journal)).expanduser(),
            folders=tuple(files or ()),
            simulated=simulate,
            program=program(),
            journal=journal,
            journal_variable=JOURNAL_VARIABLE if not journal and os.environ.get(JOURNAL_VARIABLE) else "",
        )
        if sys.stdin.isatty():
            note("A host starts this command and speaks MCP with it on stdin and stdout. Ctrl-C ends it.")
        number = serve(settings, package(), open_async_client(base_url, journal=journal, token=token))
    if number:
        sys.stderr.flush()
        os._exit(128 + number)
    return OK


def _check(spend: str, max_cost: float | None, max_jobs: int | None) -> None:
    if max_cost is not None and not 0 <= max_cost < 1e9:  # NaN is not
        raise CommandError(f"--max-cost takes an amount of US dollars, not {max_cost:g}")
    if max_jobs is not None and max_jobs < 0:
        raise CommandError(f"--max-jobs takes a number of jobs, not {max_jobs}")
    if spend == "budget" and max_cost is None and max_jobs is None:
        raise CommandError("--spend budget needs a bound: --max-cost USD, --max-jobs N, or both")


def _load_server() -> None:
    """Import the server; the collector would look at each of the SDK's thousands of new objects in vain."""
    gc.disable()
    try:
        import runcomfy_mcp.server  # noqa: F401 - what is slow to load, and may be missing
    except ModuleNotFoundError as missing:
        raise CommandError(f"{program()} mcp needs {missing.name}, which is in the extra mcp: {INSTALL}") from missing
    finally:
        gc.enable()
        gc.freeze()


def _simulator(stack: contextlib.ExitStack) -> tuple[str, str, Path]:
    """Start a simulator; its address and token, and a folder that ends with it."""
    import tempfile

    try:
        simulator = stack.enter_context(import_module("runcomfy_simulator.server").Simulator())
    except ModuleNotFoundError as missing:
        message = f"--simulate needs {missing.name}, which is in the extra simulator: {INSTALL_SIMULATOR}"
        raise CommandError(message) from missing
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="runcomfy-simulated-", ignore_cleanup_errors=True))
    return simulator.url, simulator.token, Path(folder)
