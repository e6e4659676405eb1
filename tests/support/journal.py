"""Entries of a journal without a client."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from runcomfy_client.journal.owners import new_owner

from tests.support.internals import Intent, Scope

if TYPE_CHECKING:
    from pathlib import Path

    from runcomfy_client.journal import Budget, JournalEntry
    from runcomfy_client.journal.base import JournalStore

SCOPE = Scope("account", "https://api.example")


def intent(
    job_key: str | None = None, *, scope: Scope = SCOPE, digest: str = "digest", budget: Budget | None = None
) -> Intent:
    return Intent(os.urandom(16).hex(), scope, "any/model", job_key, digest, None, budget)


class Sender:
    """Who writes to a store: one owner of leases."""

    def __init__(self, store: JournalStore, seconds: float = 15.0) -> None:
        self.store = store
        self.seconds = seconds
        self.owner = new_owner()

    def intend(self, wanted: Intent) -> JournalEntry | None:
        return self.store.intend(wanted, self.owner, self.seconds)

    def submit(self, wanted: Intent, request_id: str) -> None:
        assert self.intend(wanted) is None
        self.store.submitted(wanted.submission_id, request_id)


def sqlite_store(path: Path) -> JournalStore:
    from tests.support.internals import SqliteStore

    return SqliteStore(path)
