"""The commands that bring schemas in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `import` and `pull`; each sets `run`, a function from the parsed arguments to the exit status."""
