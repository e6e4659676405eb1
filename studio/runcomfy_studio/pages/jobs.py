"""Running: the question before a payment, the submit, the cards of jobs, and what is pending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runcomfy_client.errors import RunComfyError
from runcomfy_client.identifiers import request_id_in
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.routing import Route

from ..runs import KEY_PREFIX, Estimate, digest, element_id, new_key
from ..security import same
from ..storage import Draft
from ..verdict import with_sent_files
from .common import fragment, page, read_form, studio_of
from .models import FormState, context_of, read_state

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from ..studio import Studio

# Tells the page to lead to the first field with a problem.
_REFUSED = {"HX-Trigger": "studio-refused"}


def _consent(studio: Studio, state: FormState) -> str:
    """What the pay button sends: good for this key and this input only."""
    return studio.keys.sign(f"pay {state.spec.model_id} {state.key} {digest(state.payload)}")


def _with_problems(request: Request, state: FormState) -> Response:
    context = context_of(studio_of(request), state)
    return HTMLResponse(fragment(request, "_verdict.html", source="form", **context), headers=_REFUSED)


async def confirm(request: Request) -> Response:
    """The dialog before a submit to the real API: what it may cost, what is left, and the button that pays."""
    studio, state = studio_of(request), await read_state(request)
    if not state.verdict.ok:
        return _with_problems(request, state)
    problem, balance, estimate = "", "", None
    try:
        estimate = await studio.runs.estimate(state.spec, state.payload)
        problem = await studio.runs.over_limit(estimate)
        balance = await studio.runs.balance()
    except RunComfyError as error:
        problem = studio.messages.of(error)
    spent = await studio.runs.spent() if studio.runs.max_cost is not None else None
    context = {"spec": state.spec, "estimate": estimate, "balance": balance, "problem": problem, "spent": spent}
    return HTMLResponse(fragment(request, "_dialog.html", consent=_consent(studio, state), **context))


async def run(request: Request) -> Response:
    """Submit the form once. On the real API only with the consent of the dialog, for this very input."""
    studio = studio_of(request)
    state = await read_state(request)
    if not state.key.startswith(KEY_PREFIX) or len(state.key) > 100:
        raise HTTPException(400)
    if not state.verdict.ok:
        return _with_problems(request, state)
    estimate: Estimate | None = None
    if not studio.settings.simulate:
        if not same(request.query_params.get("pay", ""), _consent(studio, state)):
            raise HTTPException(403)
        if studio.runs.max_cost is not None:
            try:
                estimate = await studio.runs.estimate(state.spec, state.payload)
            except RunComfyError as error:
                return HTMLResponse(fragment(request, "_problem.html", problem=studio.messages.of(error)))
    values = with_sent_files(state.spec.input, state.payload, studio.storage)
    done = await studio.runs.submit(state.spec.model_id, values, state.key, estimate)
    if done.new_key:
        studio.storage.keep_draft(state.spec.model_id, Draft(state.payload, done.new_key))
    card = await studio.runs.card(done.name) if done.name else None
    key = done.new_key or state.key
    return HTMLResponse(fragment(request, "_submitted.html", card=card, done=done, key=key))


async def card(request: Request) -> Response:
    """One card, as it is now."""
    return await _card(request, request.path_params["name"])


async def _card(request: Request, name: str, message: str = "") -> Response:
    current = await studio_of(request).runs.card(name)
    if current is None:
        return HTMLResponse(fragment(request, "_lost_card.html", id=element_id(name)))
    return HTMLResponse(fragment(request, "_card.html", card=current, message=message))


async def cancel(request: Request) -> Response:
    name = request.path_params["name"]
    return await _card(request, name, await studio_of(request).runs.cancel(name))


async def look(request: Request) -> Response:
    name = request.path_params["name"]
    return await _card(request, name, await studio_of(request).runs.look_again(name))


async def settle(request: Request) -> Response:
    """Settle an unsure submit: with the id of its job, or as never started."""
    studio, values = studio_of(request), dict(await read_form(request))
    name = request.path_params["name"]
    request_id = values.get("request_id", "").strip()
    if values.get("started") == "no":
        name, problem = await studio.runs.settle(name, None)
        return await _card(request, name, problem)
    if request_id_in({"request_id": request_id}) is None:
        return await _card(request, name, "Enter the request id as RunComfy shows it.")
    name, problem = await studio.runs.settle(name, request_id)
    response = await _card(request, name, problem)
    entry = await studio.runs.find(name)
    if problem or entry is None:
        return response
    # The key has its job now; the form goes on with another.
    draft, key = studio.storage.draft(entry.model_id), new_key()
    if draft.key == entry.job_key:
        studio.storage.keep_draft(entry.model_id, Draft(draft.payload, key))
    return HTMLResponse(fragment(request, "_key.html", key=key) + bytes(response.body).decode())


async def pending(request: Request) -> Response:
    """What was not seen to end."""
    return await page(request, "pending.html", cards=await studio_of(request).runs.pending())


ROUTES = [
    Route("/confirm/{model_id:path}", confirm, methods=["POST"]),
    Route("/run/{model_id:path}", run, methods=["POST"]),
    Route("/jobs/{name}", card),
    Route("/jobs/{name}/cancel", cancel, methods=["POST"]),
    Route("/jobs/{name}/look", look, methods=["POST"]),
    Route("/jobs/{name}/settle", settle, methods=["POST"]),
    Route("/pending", pending),
]
