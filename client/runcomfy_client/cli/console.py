"""The console script: readies the streams, starts the command, and ends every error in one line and its exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .errors import READER_GONE, CommandError, NotWrittenError
from .output import report_error
from .package import program, select
from .validation import check_files, parse_plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

INSTALL = 'pip install "runcomfy-client[cli]"'
_EXTRA = ("cyclopts", "platformdirs", "rich", "ruamel")


def main(package: str | None = None) -> int:
    """Run the command line on ``sys.argv`` and return the exit code.

    ``package`` is the generated package of `python -m`; if it is None, the user chooses it (see `package`).
    """
    _ready_streams()
    code = _run_and_flush(package, sys.argv[1:])
    try:
        sys.stderr.flush()
    except OSError:  # the output is lost, but the command has done its work
        _discard(sys.stderr)
    return code


def _run_and_flush(package: str | None, argv: Sequence[str]) -> int:
    """The exit code, once stdout has taken everything."""
    try:
        code = _run(package, argv)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has closed it (`| head`)
        _discard(sys.stdout)
        return READER_GONE
    except OSError as error:
        _discard(sys.stdout)
        return report_error(NotWrittenError(f"cannot write the output: {error.strerror or error}"), argv)
    return code


def _run(package: str | None, argv: Sequence[str]) -> int:
    try:
        words = select(package, argv)
        try:
            # Checking files is what CI and editors do, a process each time: it does not wait for all the rest to load.
            request = parse_plain(words)
            if request is not None:
                return check_files(request)
            from .app import run_app  # loads cyclopts, which a base install has not

            return run_app(words)
        except ModuleNotFoundError as missing:
            if (missing.name or "").partition(".")[0] not in _EXTRA:
                raise
            raise CommandError(f"{program()} needs {missing.name}, which is in the extra cli: {INSTALL}") from missing
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place that can make an exit code of it
        return report_error(error, argv)


def _ready_streams() -> None:
    """Every stream is there, and speaks UTF-8.

    Python has None for one that was closed (``>&-``). Model ids are ASCII, the rest of the API is not; a Windows
    console or LANG=C must not make that a crash.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # open until exit
            continue
        reconfigure = getattr(stream, "reconfigure", None)  # a stream that was replaced may have none
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="surrogateescape" if mode == "r" else "backslashreplace")


def _discard(stream: TextIO) -> None:
    """Nothing more can be written there; Python would report that again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
