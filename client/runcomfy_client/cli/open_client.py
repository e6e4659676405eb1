"""The client behind the commands: settings from options and environment, the journal in the platform's state folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..identifiers import check_model_id
from ..transport.config import BASE_URL, Config, clean_base_url
from .package import client_class

if TYPE_CHECKING:
    from ..client import SyncClient
    from ..journal.journal import Journal


def open_client(
    base_url: str | None, *, journal: str | None = None, record: bool = True, validate: bool = True
) -> SyncClient:
    """A client; ``record=False`` leaves the journal out.

    The token is never an argument: other users of the machine could read it in the list of processes.
    """
    path = journal_path(journal) if record else None
    return client_class()(base_url=base_url, journal=path, validate=validate)


def open_journal(path: str | None) -> Journal:
    """The journal alone, which needs no token."""
    from ..journal.journal import Journal

    return Journal(journal_path(path))


def journal_path(path: str | None) -> Path:
    """Where submits are recorded: as told, else the folder the platform has for such state."""
    if path:
        return Path(path).expanduser()
    from platformdirs import user_state_path

    return user_state_path("runcomfy-client", appauthor=False) / "journal.sqlite3"


def api_url(base_url: str | None, model_id: str) -> str:
    """The address a submit goes to; an id that a submit would refuse is refused here too."""
    import os

    base = clean_base_url(base_url or os.environ.get("RUNCOMFY_BASE_URL") or BASE_URL)
    return Config(token=None, base_url=base).url("models", check_model_id(model_id))
