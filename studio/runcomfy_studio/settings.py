"""What a studio is started with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PORT = 8788


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a studio is started with.

    package: the import name of the generated package with the models. program: how the user calls the command line,
    for snippets. folder: where the studio keeps its secret, drafts and dropped files. journal: the file, or the address
    of the database, that submits are recorded in. results: the folder of results. max_cost: US dollars that may be
    spent in 24 hours, by estimate; None for no limit. base_url: the API's address, None for the one that the
    environment names. simulate: run on a simulator in this process, which costs nothing.
    """

    package: str
    program: str
    folder: Path
    journal: Path | str
    results: Path
    port: int = PORT
    max_cost: float | None = None
    base_url: str | None = None
    simulate: bool = False
    open_browser: bool = True
