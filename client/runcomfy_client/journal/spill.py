"""Ids of paid jobs that a journal could not take: kept in small files until it can be written again."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import JournalError
from ..transport.hooks import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .base import Intent


class SpilledJob(NamedTuple):
    """A job that is not in the journal yet; ``path`` is None if no file could be written either."""

    facts: dict[str, Any]
    path: Path | None


class Spill:
    """The jobs that one journal lacks.

    start: what the paths of its files begin with. journal: its name, for messages. expected: whether there may be
    something to take in; a store looks when it opens its journal, and while this is true.
    """

    def __init__(self, start: Path, journal: str) -> None:
        self._start = start
        self._journal = journal
        self._in_memory: dict[str, dict[str, Any]] = {}
        self.expected = False

    def keep(self, intent: Intent, request_id: str) -> Path:
        """Write a job into a file of its own, on disk when this returns. Raises JournalError; then it is in memory."""
        path = Path(f"{self._start}-unrecorded-{intent.submission_id}.json")
        facts = {**intent._asdict(), "scope": list(intent.scope), "request_id": request_id, "created_at": time.time()}
        budget = facts.pop("budget")
        facts["reserved"] = None if budget is None else budget.reserve
        beside = path.with_name(path.name + ".part")
        try:
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.touch(mode=0o600)
            with beside.open("w", encoding="utf-8") as file:
                json.dump(facts, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except (OSError, UnicodeError) as error:
            self._in_memory[intent.submission_id] = facts  # better than nothing, and not for long
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise JournalError(f"{path} cannot be written: {error}.", request_id=request_id) from error
        finally:
            self.expected = True
        return path

    def jobs(self) -> list[SpilledJob]:
        """What is there to be taken in."""
        self.expected = False
        jobs = [SpilledJob(facts, None) for facts in self._in_memory.values()]
        for path in sorted(self._start.parent.glob(glob.escape(self._start.name) + "-unrecorded-*.json")):
            try:
                jobs.append(SpilledJob(json.loads(path.read_text(encoding="utf-8")), path))
            except (OSError, ValueError, RecursionError) as error:
                self.failed(error)
        return jobs

    def write(self, jobs: Iterable[SpilledJob], write: Callable[[dict[str, Any]], None]) -> list[SpilledJob]:
        """Write jobs, and return those that were; what is damaged stays where it is, and is logged."""
        done = []
        for job in jobs:
            try:
                write(job.facts)
                done.append(job)
            except (ValueError, KeyError, TypeError) as error:
                self.failed(error)
        return done

    def forget(self, jobs: Iterable[SpilledJob]) -> None:
        """These are in the journal now."""
        for job in jobs:
            if job.path is None:
                self._in_memory.pop(job.facts["submission_id"], None)
            else:
                job.path.unlink(missing_ok=True)

    def failed(self, error: Exception) -> None:
        """Something could not be taken in."""
        self.expected = True
        log.error(
            "Jobs that the journal %s lacks, kept in memory or in %s-unrecorded-*.json, cannot be written to it: %s",
            *(self._journal, self._start.name, error),
        )
