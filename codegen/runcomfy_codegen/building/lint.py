"""`lint`: the steps up to the frozen model for every schema; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .gather import below, gather
from .unit import lower_model

if TYPE_CHECKING:
    from pathlib import Path

    from ..diagnostics.diagnostic import Diagnostic


def lint(schemas: Path) -> tuple[int, tuple[Diagnostic, ...]]:
    """How many models there are, and everything there is to say about them."""
    gathered = gather(schemas)
    faults = list(gathered.diagnostics)
    for task in gathered.tasks:
        _, unit = lower_model(task)
        faults += [below(schemas, each) for each in unit.diagnostics]
    return len(gathered.models), tuple(faults)
