"""What all pages share: the studio at hand, templates, the forms that browsers send, and the inputs of old jobs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runcomfy_client.schema import ModelSpec
    from starlette.requests import Request

    from ..studio import Studio

# A form may hold data: URIs; files that are dropped go another way.
LARGEST_FORM = 96 * 1024 * 1024
_MOST_FIELDS = 50_000


def studio_of(request: Request) -> Studio:
    studio: Studio = request.app.state.studio
    return studio


def spec_of(request: Request) -> ModelSpec:
    """The model of the address. Answers 404 for one that is not known."""
    spec = studio_of(request).package.spec(request.path_params["model_id"])
    if spec is None:
        raise HTTPException(404)
    return spec


async def read_form(request: Request) -> list[tuple[str, str]]:
    """The names and texts of a form. Answers 413 for too large a one, 400 for what is no form."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise HTTPException(413)
    try:
        return await asyncio.to_thread(
            parse_qsl, body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise HTTPException(400) from None


def replace_files(value: object, replacement: Callable[[Mapping[str, object]], object]) -> object:
    """A job's input as the journal keeps it, with what stands there for a file replaced."""
    if isinstance(value, dict):
        if "sha256" in value and "bytes" in value:
            return replacement(value)
        return {key: replace_files(item, replacement) for key, item in value.items()}
    return [replace_files(item, replacement) for item in value] if isinstance(value, list) else value


def fragment(request: Request, template: str, **context: Any) -> str:
    """A part of a page."""
    return studio_of(request).templates.get_template(template).render(**context)


async def page_context(request: Request) -> dict[str, Any]:
    """What the frame of every page shows."""
    studio = studio_of(request)
    return {"at": request.url.path, "waiting": len(await studio.runs.pending())}


async def page(request: Request, template: str, **context: Any) -> HTMLResponse:
    """A whole page."""
    return HTMLResponse(fragment(request, template, **await page_context(request), **context))
