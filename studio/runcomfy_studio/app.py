"""The studio as an application: its addresses, with the guard around them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runcomfy_client.errors import RunComfyError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from .pages import gallery, jobs, models
from .pages.common import fragment, page
from .security import Guard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from .studio import Studio

log = logging.getLogger("runcomfy")

STATIC = Path(__file__).parent / "static"


def make_app(studio: Studio) -> ASGIApp:
    """The studio as an ASGI application, with its guard around it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            await asyncio.to_thread(studio.storage.clean_up)
        except OSError as error:
            log.warning("Old dropped files are not removed: %s", error)
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

    async def broken(request: Request, error: Exception) -> Response:
        """The journal, a folder or the API cannot be used: the page says so in the client's words."""
        problem = studio.messages.of(error)
        if request.headers.get("HX-Request"):
            return HTMLResponse(fragment(request, "_problem.html", problem=problem))
        context = {"at": request.url.path, "waiting": 0, "title": "This does not work now", "text": problem}
        return HTMLResponse(fragment(request, "message.html", **context), 503)

    async def gone(request: Request, error: Exception) -> Response:
        """The browser has left in the middle of its request, and nobody reads this."""
        return HTMLResponse("", 400)

    handlers: dict[int | type[Exception], Any] = {
        404: not_found,
        ClientDisconnect: gone,
        RunComfyError: broken,
        OSError: broken,
        RecursionError: broken,
    }
    routes = [
        Mount("/static", StaticFiles(directory=STATIC)),
        *models.ROUTES,
        *jobs.ROUTES,
        *gallery.ROUTES,
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    app.state.studio = studio
    return Guard(app, studio.keys, studio.settings.port)
