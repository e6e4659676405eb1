"""Entry point of `runcomfy-sim`: loads only the standard library until it knows that the extra is installed."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command; says what to install if the extra is missing."""
    try:
        from .commands import run
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == __package__:
            raise
        print(
            f'runcomfy-sim needs {missing.name}. Install it with: pip install "runcomfy-client[simulator]"',
            file=sys.stderr,
        )
        return 2
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
