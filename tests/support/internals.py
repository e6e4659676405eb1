"""The private parts of the client library that tests use: where each lives is written here alone.

Tests of the rules shorten pauses, force a transport, or make values that no public call makes. They import such parts
from here and change constants by name, so that a module that is renamed or split is mended in one place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runcomfy_client.api import calls, cancel, poll, submit
from runcomfy_client.api.calls import JobRef
from runcomfy_client.api.outcomes import cost_in
from runcomfy_client.journal import base, sqlite
from runcomfy_client.journal.base import Intent, Scope
from runcomfy_client.journal.postgres import PostgresStore
from runcomfy_client.journal.sqlite import SqliteStore
from runcomfy_client.transport import async_driver, connection_pool
from runcomfy_client.transport.config import Timeouts, Token
from runcomfy_client.transport.deadline import Deadline
from runcomfy_client.transport.steps import Reply, Request

if TYPE_CHECKING:
    from types import ModuleType

    import pytest

__all__ = [
    "Deadline",
    "Intent",
    "JobRef",
    "PostgresStore",
    "Reply",
    "Request",
    "Scope",
    "SqliteStore",
    "Timeouts",
    "Token",
    "cost_in",
    "set_constant",
    "without_fast_transport",
]

# A constant, and the module that reads it. All of them are seconds or counts.
_CONSTANTS: Final[dict[str, ModuleType]] = {
    "BUSY_SECONDS": sqlite,
    "CANCEL_TIMEOUT": cancel,
    "FIRST_BACKOFF": calls,
    "GRACE": submit,
    "GRACE_AFTER_SUBMIT": poll,
    "IDLE_BEFORE_SUBMIT": connection_pool,
    "LEASE_SECONDS": base,
    "LONGEST_BACKOFF": calls,
    "LONGEST_PAUSE": submit,
    "MOST_MISSES": poll,
    "QUICKEST": poll,
    "SECONDS_A_PLACE": poll,
}


def set_constant(monkeypatch: pytest.MonkeyPatch, name: str, value: float) -> None:
    """Change a constant of the client's rules for one test.

    Raises:
        KeyError: the name is not in the table above.
        AttributeError: the module in the table has no such constant any more.
    """
    monkeypatch.setattr(_CONSTANTS[name], name, value)


def without_fast_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the async client use httpx's own transport, as in an install without the extra `fast`."""
    monkeypatch.setattr(async_driver, "fast_is_usable", lambda: False)
