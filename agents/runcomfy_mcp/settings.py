"""What a person sets when the server is started; nothing of it can be changed by an agent."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from .text import LONGEST_TITLE, clean

if TYPE_CHECKING:
    from pathlib import Path

Spend: TypeAlias = Literal["ask", "budget", "never"]
# A budget looks back so far.
HOURS = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the server may spend, and where files are.

    spend: ask (a person approves each job), budget (jobs start by themselves within max_cost and max_jobs) or never.
    max_cost: US dollars in 24 hours, by estimate until a job's cost is known; None for no bound.
    max_jobs: submits in 24 hours; None for no bound. Both bounds hold under ask, too.
    results: the folder that keeps the files of results, a folder a job.
    folders: agents may send local files from these folders, and from no others.
    simulated: whether the API is a simulator: nothing costs money.
    program: how a person calls the command line, for hints. journal: the file that was named, for the same;
    journal_variable: the variable that names the journal, if one does.
    """

    spend: Spend
    max_cost: float | None
    max_jobs: int | None
    results: Path
    folders: tuple[Path, ...] = ()
    simulated: bool = False
    program: str = "runcomfy-client"
    journal: str | None = None
    journal_variable: str = ""

    def settle_line(self, name: str) -> str:
        """The start of the line by which a person settles an unsure submit."""
        words = [self.program, "settle", shlex.quote(clean(name, LONGEST_TITLE))]
        if self.journal_variable:  # its value may hold a password, and a person's shell may not have it
            words.insert(0, f"{self.journal_variable}=...")
        return " ".join([*words, "--journal", shlex.quote(self.journal)] if self.journal else words)

    def budget_line(self) -> str:
        """The line that lets a person allow a budget."""
        return f"{self.program} mcp --spend budget --max-cost 5 --max-jobs 20"
