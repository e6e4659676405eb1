"""The list of models, and the page of each: its form, the verdict while one types, the request in four languages."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from runcomfy_client.describe.snippets import curl_submit, example_input, run_line, sync_call, visible_json
from runcomfy_client.schema import MISSING
from runcomfy_client.schema.json_payload import read_payload, without_schema_key
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, JSONResponse
from starlette.routing import Route

from .. import fields, form
from ..runs import new_key
from ..storage import Draft, UploadError, display_kind, file_headers
from ..verdict import Verdict, check_form, with_names
from .common import fragment, page, read_form, replace_files, spec_of, studio_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runcomfy_client.result_store import StoredResult
    from runcomfy_client.schema import ModelSpec
    from starlette.requests import Request
    from starlette.responses import Response

    from ..studio import Studio

_AT = re.compile(r"f(?:\.\d{1,5})*(?::more)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """A form as a browser has it, and what there is to say of it."""

    spec: ModelSpec
    key: str
    reading: form.Reading
    fields: tuple[fields.Field, ...]
    verdict: Verdict

    @property
    def payload(self) -> dict[str, object]:
        return self.reading.payload


async def state_of(studio: Studio, spec: ModelSpec, data: form.Data, key: str, *, probe: bool = False) -> FormState:
    """Read and check a form. Answers 400 for one that no page of ours sends."""

    def work() -> FormState:
        reading = form.read(spec.input, data)
        tree = fields.fields(spec, data)
        verdict = check_form(spec, reading, studio.storage, fields.names_in(tree), probe=probe)
        return FormState(spec=spec, key=key, reading=reading, fields=tree, verdict=verdict)

    try:
        return await asyncio.to_thread(work)
    except form.FormError as error:
        raise HTTPException(400, str(error)) from None


async def read_state(request: Request) -> FormState:
    """The form that the browser sends with its request."""
    pairs = await read_form(request)
    keys = [text for name, text in pairs if name == "key"]
    probe = ("do", "probe") in pairs
    return await state_of(
        studio_of(request), spec_of(request), form.clean(pairs), keys[-1] if keys else "", probe=probe
    )


async def index(request: Request) -> Response:
    """All models, or those of a search."""
    studio = studio_of(request)
    query = request.query_params.get("q", "")
    category = request.query_params.get("category", "")
    search = await asyncio.to_thread(studio.search, query)
    categories = sorted({name for spec in studio.specs for name in spec.categories})
    specs = [spec for spec in search.models if not category or category in spec.categories]
    context = {"groups": _groups(specs), "corrected": search.corrected, "query": query}
    if request.headers.get("HX-Request"):
        return HTMLResponse(fragment(request, "_models.html", **context))
    total = len(studio.specs)
    return await page(request, "models.html", categories=categories, category=category, total=total, **context)


def _groups(specs: Sequence[ModelSpec]) -> list[tuple[str, list[ModelSpec]]]:
    """Models by their first category; those without one come last."""
    groups: dict[str, list[ModelSpec]] = {}
    for spec in specs:
        groups.setdefault(spec.categories[0] if spec.categories else "", []).append(spec)
    return [(name.replace("-", " ").capitalize() or "Other", groups[name]) for name in sorted(groups, key=_last_empty)]


def _last_empty(name: str) -> tuple[bool, str]:
    return not name, name


async def model(request: Request) -> Response:
    """A model's page, with the draft, the example, or the settings of a result in its form."""
    studio, spec = studio_of(request), spec_of(request)
    draft = studio.storage.draft(spec.model_id)
    key = draft.key or new_key()
    payload, banner = draft.payload, ""
    origin = request.query_params.get("from", "")
    if origin:
        result = await studio.store.find(origin)
        settings = input_of(studio, result) if result is not None else None
        banner = "These are the settings of a result. Your own draft stays until you change something here."
        if settings is None:
            banner = "The settings of this result are not on record."
        payload = settings or payload
    if not draft.key:
        studio.storage.keep_draft(spec.model_id, Draft(draft.payload, key))
    if payload is None:
        payload = example_input(spec)
    state = await state_of(studio, spec, form.write(spec.input, payload), key)
    cards = [card for card in await studio.runs.pending() if card.model_id == spec.model_id]
    results = [result for result in await studio.store.list() if result.model_id == spec.model_id]
    latest = await studio.runs.card(results[0].request_id) if results else None
    cards += [latest] if latest else []
    more = len(results) if len(results) > 1 else 0
    return await page(request, "model.html", banner=banner, cards=cards, more_results=more, **context_of(studio, state))


def context_of(studio: Studio, state: FormState) -> dict[str, Any]:
    """What the templates of a form and its verdict show."""
    return {
        "spec": state.spec,
        "state": state,
        "verdict": state.verdict,
        "code": snippets(studio, state),
        "preview": lambda text: preview(studio, text),
    }


def snippets(studio: Studio, state: FormState) -> dict[str, str]:
    """The request as JSON, and as lines to paste if the input is good."""
    code = {"json": visible_json(state.payload, indent=2), "python": "", "shell": "", "curl": ""}
    if state.verdict.ok:
        spec, package = state.spec, studio.package
        values = with_names(spec.input, state.payload, studio.storage)
        code["python"] = sync_call(package.name, package.models[spec.model_id], spec, values)
        code["shell"] = run_line(studio.settings.program, spec, values) + "\n"
        code["curl"] = curl_submit(f"{studio.client.base_url}/v1/models/{spec.model_id}", values) + "\n"
    return code


def preview(studio: Studio, text: str) -> dict[str, str]:
    """What a media field shows of the file it holds."""
    path = studio.storage.file_of(text)
    if path is None:
        return {}
    return {"name": path.name, "kind": display_kind(path), "url": f"/uploads/{path.parent.name}"}


def input_of(studio: Studio, result: StoredResult) -> dict[str, object] | None:
    """The input that a result keeps, as a form takes it: files are found again by their digest."""

    def reference(file: Mapping[str, object]) -> str:
        path = studio.storage.upload(str(file["sha256"]))
        return f"file:{path.parent.name}/{path.name}" if path else f"(a file of {file['bytes']} bytes, not kept here)"

    payload = replace_files(result.input, reference)
    return payload if isinstance(payload, dict) else None


async def change(request: Request) -> Response:
    """The form was changed: the verdict, and with a button's action the field that it changes."""
    studio, spec = studio_of(request), spec_of(request)
    pairs = await read_form(request)
    values = dict(pairs)
    do, at = values.get("do", ""), values.get("at", "")
    if at and not _AT.fullmatch(at):
        raise HTTPException(400)
    data, focus = form.clean(pairs), ""
    if do == "add":
        data = form.add_row(data, at)
        focus = f"{at}.{form.rows_of(data, at) - 1}"
    elif do == "remove" and values.get("row", "").isdecimal():
        data, focus = form.remove_row(data, at, int(values["row"][:9])), f"{at}:add"
    elif do == "clear":
        data, focus = form.clear(data, at), at
    elif do == "example":
        data = form.write(spec.input, example_input(spec))
    elif do == "empty":
        data = {}
    state = await state_of(studio, spec, data, values.get("key", ""), probe=do == "probe")
    await asyncio.to_thread(keep, studio, state)
    context = context_of(studio, state)
    html = ""
    if do in ("example", "empty"):
        html = fragment(request, "_form.html", **context)
    elif at:
        field = fields.field_at(spec, data, at)
        if field is not None:
            html = fragment(request, "_field.html", field=field, focus=focus, **context)
    return HTMLResponse(html + fragment(request, "_verdict.html", source="form", **context))


async def change_json(request: Request) -> Response:
    """The JSON was changed: the form, and the verdict."""
    studio, spec = studio_of(request), spec_of(request)
    values = dict(await read_form(request))
    payload, findings = read_payload(values.get("json", ""))
    payload = without_schema_key(payload)
    problem = findings[0].message if findings else ""
    if payload is not MISSING and not isinstance(payload, dict):
        problem = 'must be an object, such as {"prompt": "..."}'
    if problem or not isinstance(payload, dict):
        return HTMLResponse(fragment(request, "_json_problem.html", problem=f"This {problem or 'is empty'}."))
    state = await state_of(studio, spec, form.write(spec.input, payload), values.get("key", ""))
    await asyncio.to_thread(keep, studio, state)
    context = context_of(studio, state)
    html = fragment(request, "_form.html", **context)
    return HTMLResponse(html + fragment(request, "_verdict.html", source="json", **context))


def keep(studio: Studio, state: FormState) -> None:
    """Keep a form as its model's draft. Its key stays: another tab may have used the one of this form."""
    key = studio.storage.draft(state.spec.model_id).key or state.key
    studio.storage.keep_draft(state.spec.model_id, Draft(state.payload, key))


async def upload(request: Request) -> Response:
    """Keep a file that was dropped into a field; answers what the field holds for it."""
    name = unquote(request.headers.get("X-File-Name", ""), errors="replace")
    try:
        reference = await studio_of(request).storage.keep_upload(request.stream(), name)
    except UploadError as error:
        return JSONResponse({"problem": str(error)}, 413)
    except OSError as error:
        return JSONResponse({"problem": f"The file cannot be kept: {error.strerror}."}, 507)
    return JSONResponse({"reference": reference})


async def dropped_file(request: Request) -> Response:
    """A file that was dropped, for its preview."""
    path = studio_of(request).storage.upload(request.path_params["digest"])
    if path is None:
        raise HTTPException(404)
    return FileResponse(path, headers=file_headers(path))


ROUTES = [
    Route("/", index),
    Route("/models/{model_id:path}", model),
    Route("/form/{model_id:path}", change, methods=["POST"]),
    Route("/json/{model_id:path}", change_json, methods=["POST"]),
    Route("/uploads", upload, methods=["POST"]),
    Route("/uploads/{digest}", dropped_file),
]
