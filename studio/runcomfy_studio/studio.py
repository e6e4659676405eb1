"""The studio's parts, put together."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from runcomfy_client.describe.prices import base_price
from runcomfy_client.describe.search import SearchResult, search_models
from runcomfy_client.journal import Journal
from runcomfy_client.result_store import AsyncResultStore

from .fields import element_id
from .messages import Messages
from .runs import Runs
from .security import PAGE_KEY, Keys
from .storage import Storage, display_kind

if TYPE_CHECKING:
    from runcomfy_client.client import AsyncClient
    from runcomfy_client.packages import ModelPackage
    from runcomfy_client.schema import ModelSpec

    from .settings import Settings


@dataclass
class Studio:
    """What the pages work with."""

    settings: Settings
    package: ModelPackage
    client: AsyncClient
    storage: Storage
    store: AsyncResultStore
    runs: Runs
    keys: Keys
    messages: Messages
    templates: Environment

    @cached_property
    def specs(self) -> tuple[ModelSpec, ...]:
        """Every model, by id."""
        return tuple(self.package.known_spec(model_id) for model_id in self.package.model_ids())

    def search(self, query: str) -> SearchResult:
        return search_models(query, self.specs)


def make_studio(settings: Settings, *, base_url: str | None = None, token: str | None = None) -> Studio:
    """A studio for these settings; ``base_url`` and ``token`` are those of its simulator, if it has one."""
    module = import_module(settings.package)
    package: ModelPackage = import_module(f"{settings.package}._index").PACKAGE
    storage = Storage(settings.folder)
    # With the inputs, so that a result can be opened again with its settings.
    journal = Journal(settings.journal, keep_inputs=True)
    client: AsyncClient = module.AsyncRunComfy(
        token=token,
        base_url=base_url or settings.base_url,
        journal=journal,
    )
    places = (
        (storage.folder, "the studio's folder"),
        (journal.name, "[address]" if isinstance(settings.journal, str) else "the journal"),
        (settings.results, "the results"),
        (Path.home(), "~"),
    )
    messages = Messages(client.base_url, places)
    store = AsyncResultStore(settings.results, remember=True)
    keys = Keys(storage.secret())
    runs = Runs(client, store, messages, None if settings.simulate else settings.max_cost)
    templates = Environment(
        loader=PackageLoader(__package__ or "runcomfy_studio"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    studio = Studio(settings, package, client, storage, store, runs, keys, messages, templates)
    templates.filters.update(
        path=lambda text: quote(text, safe="/"), date=_date, iso=_iso, clean=messages.clean, element=element_id
    )
    templates.globals.update(
        settings=settings, page_key=keys.page, key_header=PAGE_KEY, base_price=base_price, display_kind=display_kind
    )
    return studio


def _date(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds).astimezone():%-d %b %Y, %H:%M}"


def _iso(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
