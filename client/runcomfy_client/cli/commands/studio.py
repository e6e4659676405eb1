"""`studio`: a local page to look at models, fill in their forms, run them and see what they make."""

from __future__ import annotations

import errno
import math
from importlib import import_module
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..errors import OK, CommandError
from ..options import COMMON, JOBS, Common, JournalFile, command
from ..package import journal_place, package, package_name, program, results_folder, state_folder

INSTALL = 'pip install "runcomfy-client[studio]"'
INSTALL_SIMULATOR = 'pip install "runcomfy-client[studio,simulator]"'


@command(group=JOBS, order=30, example=("{program} studio --simulate",))
def studio(
    *,
    port: Annotated[int, Parameter(help="Where to listen, on this computer only; 0 takes a free port.")] = 8788,
    simulate: Annotated[
        bool, Parameter(help="Run jobs on a simulator in this process: free, and nothing leaves this computer.")
    ] = False,
    journal: JournalFile = None,
    results: Annotated[
        str | None, Parameter(help="Folder that keeps results; default: beside the journal.", metavar="DIR")
    ] = None,
    max_cost: Annotated[
        float | None,
        Parameter(help="Most US dollars to spend in 24 hours, by estimate; more is refused.", metavar="USD"),
    ] = None,
    no_browser: Annotated[bool, Parameter(help="Open no browser; the address is printed.")] = False,
    common: Common = COMMON,
) -> int:
    """Start the studio, a page in your browser: forms, verdicts while typing, jobs, a gallery of results."""
    if max_cost is not None and not (math.isfinite(max_cost) and max_cost >= 0):
        raise CommandError(f"--max-cost takes US dollars, 0 or more, not {max_cost:g}")
    if not 0 <= port <= 65535:
        raise CommandError(f"--port takes a number from 0 to 65535, not {port}")
    package()  # what is wrong with it is best said before a server starts
    folder = state_folder() / "studio"
    # What the simulator makes is no result of anybody's, and must not stand among those that were paid for.
    simulated = str(folder / "simulated" / "journal.sqlite3") if simulate else None
    place = journal_place(journal or simulated)
    try:
        server = import_module("runcomfy_studio.server")
        settings = server.Settings(
            package=package_name(),
            program=program(),
            folder=folder,
            journal=place if isinstance(place, str) else place.absolute(),
            results=Path(results or results_folder(journal or simulated)).expanduser().absolute(),
            port=port,
            max_cost=max_cost,
            base_url=common.base_url,
            simulate=simulate,
            open_browser=not no_browser,
        )
        server.serve(settings)
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("runcomfy_studio"):
            raise
        extra = INSTALL_SIMULATOR if simulate else INSTALL
        raise CommandError(f"{program()} studio needs {missing.name}: {extra}") from missing
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"port {port} is taken, perhaps by another studio; choose one with --port, or 0 for a free one"
            raise CommandError(message) from error
        raise CommandError(f"the studio cannot start: {error.strerror or error}") from error
    except KeyboardInterrupt:
        pass
    return OK
