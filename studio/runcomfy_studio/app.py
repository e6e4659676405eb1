"""The studio's parts, put together, and its addresses."""

from __future__ import annotations

import datetime
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from runcomfy_client.describe.prices import base_price
from runcomfy_client.describe.search import Found, search_models
from runcomfy_client.journal import Journal
from runcomfy_client.result_store import AsyncResultStore
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from .pages import gallery, jobs, models
from .pages.common import page
from .runs import Runs
from .security import PAGE_KEY, Guard, Keys
from .storage import Storage, is_shown
from .words import Words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runcomfy_client.client import AsyncClient
    from runcomfy_client.packages import ModelPackage
    from runcomfy_client.schema import ModelSpec
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from .settings import Settings

STATIC = Path(__file__).parent / "static"


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
    words: Words
    templates: Environment

    @cached_property
    def specs(self) -> tuple[ModelSpec, ...]:
        """Every model, by id."""
        return tuple(self.package.known_spec(model_id) for model_id in self.package.model_ids())

    def search(self, query: str) -> Found:
        return search_models(query, self.specs)


def make_studio(settings: Settings, *, base_url: str | None = None, token: str | None = None) -> Studio:
    """A studio for these settings; ``base_url`` and ``token`` are those of its simulator, if it has one."""
    module = import_module(settings.package)
    package: ModelPackage = import_module(f"{settings.package}._index").PACKAGE
    storage = Storage(settings.folder)
    client: AsyncClient = module.AsyncRunComfy(
        token=token,
        base_url=base_url or settings.base_url,
        # With the inputs, so that a result can be opened again with its settings.
        journal=Journal(settings.journal, keep_inputs=True),
    )
    places = (
        (storage.folder, "the studio's folder"),
        (settings.journal, "the journal"),
        (settings.results, "the results"),
        (Path.home(), "~"),
    )
    said = Words(client.base_url, places)
    store = AsyncResultStore(settings.results)
    keys = Keys(storage.secret())
    runs = Runs(client, store, said, None if settings.simulate else settings.max_cost)
    templates = Environment(
        loader=PackageLoader(__package__ or "runcomfy_studio"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    studio = Studio(settings, package, client, storage, store, runs, keys, said, templates)
    templates.filters.update(path=lambda text: quote(text, safe="/"), date=_date, iso=_iso)
    templates.globals.update(
        settings=settings, page_key=keys.page, key_header=PAGE_KEY, base_price=base_price, is_shown=is_shown
    )
    return studio


def _date(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds).astimezone():%-d %b %Y, %H:%M}"


def _iso(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


def make_app(studio: Studio) -> ASGIApp:
    """The studio as an ASGI application, with its guard around it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await studio.runs.resume()
        yield
        await studio.runs.close()
        await studio.client.close()

    async def not_found(request: Request, error: Exception) -> Response:
        if request.headers.get("HX-Request"):
            return HTMLResponse("", 404)
        response = await page(request, "message.html", title="Not found", text="There is no such page here.")
        response.status_code = 404
        return response

    async def failed(request: Request, error: Exception) -> Response:
        return HTMLResponse("", 500)

    routes = [
        Mount("/static", StaticFiles(directory=STATIC)),
        *models.ROUTES,
        *jobs.ROUTES,
        *gallery.ROUTES,
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: not_found, 500: failed})
    app.state.studio = studio
    return Guard(app, studio.keys, studio.settings.port)
