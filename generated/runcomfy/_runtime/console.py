"""The console script: readies the streams, starts the command, and ends every error in one line and its exit code."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

INSTALL = 'pip install "runcomfy-client[cli]"'
_EXTRA = ("cyclopts", "rich", "platformdirs")


def main() -> int:
    """Run ``runcomfy-client`` on ``sys.argv`` and give the exit code."""
    _use_utf8()
    argv = sys.argv[1:]
    try:
        code = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has enough of it (`| head`). Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return code


def _run(argv: Sequence[str]) -> int:
    try:
        from .cli.light import plain_validate

        # Checking files is what CI and editors do, a process each time: it does not wait for all the rest to load.
        asked = plain_validate(argv)
        if asked is not None:
            from .cli.validate import validate_files

            return validate_files(asked)
        try:
            from .cli.app import run_app
        except ModuleNotFoundError as missing:
            if (missing.name or "").partition(".")[0] not in _EXTRA:
                raise
            print(f"runcomfy-client needs {missing.name}, which is in the extra cli: {INSTALL}", file=sys.stderr)
            return 2
        return run_app(list(argv))
    except BrokenPipeError:
        raise
    # The last place that can make an exit code of an error.
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001
        from .cli.output import tell_error

        return tell_error(error, list(argv))


def _use_utf8() -> None:
    """Model ids are ASCII, the rest of the API is not; a Windows console or LANG=C must not make that a crash."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a stream that was replaced may have none
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="surrogateescape" if stream is sys.stdin else "backslashreplace")
