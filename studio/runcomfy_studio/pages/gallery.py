"""Results: the gallery, one of them, two side by side, and their files."""

from __future__ import annotations

import asyncio
import datetime
from typing import TYPE_CHECKING

from runcomfy_client.describe.snippets import visible_json
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse
from starlette.routing import Route

from ..storage import file_headers
from .common import page, replace_files, studio_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runcomfy_client.result_store import StoredResult
    from starlette.requests import Request
    from starlette.responses import Response

PAGE = 36
THUMBNAIL = 480
_MOST_FAILED = 200


async def gallery(request: Request) -> Response:
    """Results, the newest first, by model, date and cost; or jobs that brought none."""
    studio, query = studio_of(request), request.query_params
    filters = {name: query.get(name, "").strip() for name in ("model", "since", "until", "most", "show")}
    if filters["show"] == "failed":
        cards = await studio.runs.ended_badly(_MOST_FAILED)
        models = sorted({card.model_id for card in cards})
        cards = [card for card in cards if filters["model"] in ("", card.model_id)]
        context = {"cards": cards, "results": [], "total": len(cards), "more": "", "models": models}
        return await page(request, "gallery.html", filters=filters, **context)
    stored = await studio.store.list()
    results = [result for result in stored if _fits(result, filters)]
    start = int(query["start"]) if query.get("start", "").isdecimal() and len(query["start"]) < 9 else 0
    rest = {name: text for name, text in filters.items() if text}
    more = str(request.url.include_query_params(**rest, start=start + PAGE)) if len(results) > start + PAGE else ""
    return await page(
        request,
        "gallery.html",
        filters=filters,
        results=results[start : start + PAGE],
        cards=[],
        total=len(results),
        more=more.partition("?")[2],
        models=sorted({result.model_id for result in stored if isinstance(result.model_id, str)}),
    )


def _fits(result: StoredResult, filters: Mapping[str, str]) -> bool:
    if filters["model"] not in ("", result.model_id):
        return False
    if filters["since"] or filters["until"]:
        day = datetime.datetime.fromtimestamp(result.saved_at, datetime.UTC).astimezone().date().isoformat()
        if day < filters["since"] or (filters["until"] and day > filters["until"]):
            return False
    try:
        most = float(filters["most"]) if filters["most"] else None
    except ValueError:
        most = None
    cost = result.cost if isinstance(result.cost, (int, float)) else None
    return most is None or (cost is not None and cost <= most)


async def result(request: Request) -> Response:
    """One result: its files, what it cost, and the settings it was made with."""
    kept = await _result(request, request.path_params["request_id"])
    return await page(request, "result.html", result=kept, settings_of=_settings, json_of=visible_json)


async def compare(request: Request) -> Response:
    """Two results side by side, and the settings in which they differ."""
    ids = [*dict.fromkeys(request.query_params.getlist("id"))][:2]
    if len(ids) < 2:
        text = "Tick two results in the gallery, and press Compare."
        return await page(request, "message.html", title="Two results are needed", text=text)
    pair = [await _result(request, request_id) for request_id in ids]
    settings = [_settings(result) for result in pair]
    names = [*dict.fromkeys([*settings[0], *settings[1]])]
    rows = [(name, settings[0].get(name, ""), settings[1].get(name, "")) for name in names]
    return await page(request, "compare.html", pair=pair, rows=rows)


def _settings(result: StoredResult) -> dict[str, str]:
    """The input that a result was made with, as texts; a file by its name."""
    settings = result.input if isinstance(result.input, dict) else {}
    return {name: _text(value) for name, value in settings.items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else visible_json(replace_files(value, _file_name))


def _file_name(file: Mapping[str, object]) -> str:
    """The name alone: the journal keeps where the file lay."""
    return str(file.get("name") or "a file").replace("\\", "/").rpartition("/")[2]


async def _result(request: Request, request_id: str) -> StoredResult:
    kept = await studio_of(request).store.find(request_id)
    if kept is None:
        raise HTTPException(404)
    return kept


async def result_file(request: Request) -> Response:
    """A file of a result, as what its content is."""
    kept = await _result(request, request.path_params["request_id"])
    index = request.path_params["index"]
    if not 1 <= index <= len(kept.files):
        raise HTTPException(404)
    path = kept.files[index - 1].path
    return FileResponse(path, headers=await asyncio.to_thread(file_headers, path))


async def thumbnail(request: Request) -> Response:
    """A small picture of a result's file."""
    kept = await _result(request, request.path_params["request_id"])
    path = await asyncio.to_thread(kept.thumbnail, request.path_params["index"], THUMBNAIL)
    if path is None:
        raise HTTPException(404)
    return FileResponse(path, headers=await asyncio.to_thread(file_headers, path))


ROUTES = [
    Route("/gallery", gallery),
    Route("/compare", compare),
    Route("/results/{request_id}", result),
    Route("/results/{request_id}/{index:int}", result_file),
    Route("/results/{request_id}/{index:int}/thumbnail", thumbnail),
]
