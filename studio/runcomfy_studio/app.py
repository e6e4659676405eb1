"""The studio as an application: its addresses, with the guard around them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from .pages import gallery, jobs, models
from .pages.common import page
from .security import Guard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from .studio import Studio

STATIC = Path(__file__).parent / "static"


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
