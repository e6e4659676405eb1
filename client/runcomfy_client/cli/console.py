"""The console script: readies the streams, starts the command, and ends every error in one line and its exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .package import choose

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

INSTALL = 'pip install "runcomfy-client[cli]"'
_EXTRA = ("cyclopts", "rich", "platformdirs")


def main(package: str | None = None) -> int:
    """Run ``runcomfy-client`` on ``sys.argv`` and return the exit code.

    ``package`` is the generated package it works for; `runcomfy` if it is None.
    """
    if package is not None:
        choose(package)
    _ready_streams()
    code = _written(sys.argv[1:])
    try:
        sys.stderr.flush()
    except OSError:  # what people would have read is lost, what was asked for is done
        _leave(sys.stderr)
    return code


def _written(argv: Sequence[str]) -> int:
    """The exit code, once stdout has taken everything."""
    try:
        code = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has enough of it (`| head`)
        _leave(sys.stdout)
        from .exit_codes import READER_GONE

        return READER_GONE
    except OSError as error:
        _leave(sys.stdout)
        from .exit_codes import NotWrittenError
        from .output import tell_error

        return tell_error(NotWrittenError(f"cannot write the output: {error.strerror or error}"), list(argv))
    return code


def _run(argv: Sequence[str]) -> int:
    try:
        from .light import plain_validate

        # Checking files is what CI and editors do, a process each time: it does not wait for all the rest to load.
        asked = plain_validate(argv)
        if asked is not None:
            from .validate import validate_files

            return validate_files(asked)
        try:
            from .app import run_app
        except ModuleNotFoundError as missing:
            if (missing.name or "").partition(".")[0] not in _EXTRA:
                raise
            from .exit_codes import CommandError

            raise CommandError(
                f"runcomfy-client needs {missing.name}, which is in the extra cli: {INSTALL}"
            ) from missing
        return run_app(list(argv))
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place that can make an exit code of it
        from .output import tell_error

        return tell_error(error, list(argv))


def _ready_streams() -> None:
    """Every stream is there, and speaks UTF-8.

    Python has None for one that was closed (``>&-``). Model ids are ASCII, the rest of the API is not; a Windows
    console or LANG=C must not make that a crash.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # lives as long as we
            continue
        reconfigure = getattr(stream, "reconfigure", None)  # a stream that was replaced may have none
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="surrogateescape" if mode == "r" else "backslashreplace")


def _leave(stream: TextIO) -> None:
    """Nobody takes what is still to be written there; Python would complain of that once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
