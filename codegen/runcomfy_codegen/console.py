"""The console script: standard library only, so that it can say what is missing instead of failing to load."""

from __future__ import annotations

import os
import sys
import traceback

# The modules of the `codegen` extra and what they bring along.
_EXTRA = frozenset(
    {"black", "datamodel_code_generator", "filelock", "jinja2", "jsonpatch", "jsonpointer", "jsonschema"}
)
_BUG = 70
_USAGE = 2
_IO_ERROR = 74
_INTERRUPTED = 130


def main() -> None:
    """Run `runcomfy-codegen` and leave with its exit code."""
    sys.exit(run_guarded())


def run_guarded() -> int:
    """Run the command line; every way to end has an exit code and a message."""
    try:
        from .cli import run

        return run()
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in _EXTRA:
            return _bug()
        _say(f'runcomfy-codegen needs {name}. Install it with: pip install "runcomfy-client[codegen]"')
        return _USAGE
    except KeyboardInterrupt:
        _say("runcomfy-codegen: interrupted")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader of stdout is gone (`| head`), so no message can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _IO_ERROR
    except OSError as error:
        where = f" {error.filename!r}" if error.filename else ""
        _say(f"runcomfy-codegen: {error.strerror or error}{where}")
        return _IO_ERROR
    except Exception:  # noqa: BLE001 - the last line of defence, it reports and leaves
        return _bug()


def _bug() -> int:
    traceback.print_exc()
    _say("runcomfy-codegen: this is a bug in the generator, not in your schemas; please report it with the lines above")
    return _BUG


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
