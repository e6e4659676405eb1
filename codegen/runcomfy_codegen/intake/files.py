"""Read the files that a command line names."""

from __future__ import annotations

import sys
from pathlib import Path

from ..diagnostics.diagnostic import display, visible
from .text import MAX_BYTES

STDIN = "<stdin>"


def read_all(names: list[str]) -> tuple[list[tuple[str, bytes]], list[str]]:
    """Each file's name for messages and its bytes, at most one more than MAX_BYTES; a sentence for each that fails."""
    if names.count("-") > 1:
        return [], ["- stands twice; there is one standard input"]
    files: list[tuple[str, bytes]] = []
    unreadable = []
    for name in names:
        if name == "-":
            files.append((STDIN, sys.stdin.buffer.read(MAX_BYTES + 1)))
            continue
        try:
            with Path(name).open("rb") as file:
                files.append((display(Path(name)), file.read(MAX_BYTES + 1)))
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            unreadable.append(f"{visible(name)}: {reason}")
    return files, unreadable
