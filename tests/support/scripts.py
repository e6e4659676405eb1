"""The console scripts in processes of their own that need not load Python and its libraries first.

Each process is a fork of one that has loaded them (`multiprocessing.forkserver`). Its arguments, folder, environment,
streams and exit code are its own, as a shell would set them. Tests of the start itself (what it loads, the locale, a
closed stream, a signal) start the installed script instead.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.cli import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from multiprocessing.process import BaseProcess

_LOADED = (
    "httpx",
    "httpx_aiohttp",
    "runcomfy.models",
    "runcomfy_client.batch.batch",
    "runcomfy_client.cli.app",
    "runcomfy_client.cli.commands.batch",
    "runcomfy_client.cli.commands.browse",
    "runcomfy_client.cli.commands.run",
    "runcomfy_client.cli.commands.validate",
    "runcomfy_client.cli.console",
    "runcomfy_client.describe.snippets",
    "runcomfy_client.journal.sqlite",
    "runcomfy_client.transport.async_driver",
    "runcomfy_client.transport.sync_driver",
    "runcomfy_codegen.checking.check",
    "runcomfy_codegen.cli",
    "runcomfy_codegen.intake.pulling",
    "runcomfy_simulator.commands",
    "rich.console",
    "rich.progress",
    "rich.table",
    "ruamel.yaml",
    "zoneinfo",
)

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(list(_LOADED))


_MAIN = {
    "runcomfy-client": "runcomfy_client.cli.console",
    "runcomfy-codegen": "runcomfy_codegen.console",
    "runcomfy-sim": "runcomfy_simulator.console",
}


def run_script(
    script: str,
    words: Sequence[object],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    stdin: bytes = b"",
    timeout: float = 60,
) -> Answer:
    """Run a console script with these arguments; what it prints and its exit code."""
    with tempfile.TemporaryDirectory() as made:
        stdin_file, stdout_file, stderr_file = (Path(made, name) for name in ("stdin", "stdout", "stderr"))
        stdin_file.write_bytes(stdin)
        process = start_script(script, words, (stdin_file, stdout_file, stderr_file), folder, environment)
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"{script} has not ended after {timeout} s; it was called with {words}")
        code = process.exitcode
        process.close()
        return Answer(code, stdout_file.read_bytes().decode(), stderr_file.read_bytes().decode())


def start_script(
    script: str,
    words: Sequence[object],
    streams: tuple[Path, Path, Path],
    folder: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> BaseProcess:
    """Start a console script whose stdin, stdout and stderr are these files or terminals."""
    argv = [script, *map(str, words)]
    process = _context.Process(target=_main, args=(argv, folder or Path.cwd(), dict(environment), streams))
    process.start()
    return process


def _main(argv: list[str], folder: Path, environment: dict[str, str], streams: tuple[Path, Path, Path]) -> None:
    for number, path in enumerate(streams):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    # New ones, as Python makes them at its start: those of before took other files' positions along.
    sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), open(1, "w"), open(2, "w")  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = argv
    sys.exit(import_module(_MAIN[argv[0]]).main())
