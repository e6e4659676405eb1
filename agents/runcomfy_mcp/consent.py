"""Who says that a job may be paid.

The question is made from the arguments of the call and the model's price, and never from words the agent offers for it:
it shows what will be sent, and its digest stands for the whole where a part is cut. So an answer stands for just these
arguments. There is no argument by which an agent could confirm in the person's place.

Every submit carries a budget. Where nobody has consented it is a budget of no jobs: then a job_key that has its job
already still gives that job, and anything else is refused in the transaction that would have written it down.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field
from runcomfy_client.describe.prices import job_estimate
from runcomfy_client.journal import Budget

from .answers import Refusal
from .settings import HOURS
from .text import LONGEST_TITLE, clean, shorten, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp_types import ClientCapabilities
    from runcomfy_client.describe.prices import Price
    from runcomfy_client.schema.spec import ModelSpec

    from .settings import Settings

_LONGEST_TEXT = 300
_LONGEST_INPUT = 2000
_LONGEST_KEY = 120


class Approval(BaseModel):
    """The answer of the person who was asked."""

    approve: bool = Field(title="Run this job", description="Yes starts this one job.")


class KeyTaken(BaseModel):
    """There is nothing to consent to: the job_key has its submit already."""


def question(
    spec: ModelSpec, input: Mapping[str, object], job_key: str, price: Price | None, *, simulated: bool
) -> str:
    """What a person is asked before a job is started."""
    head = "An agent wants to start one paid job on RunComfy."
    if simulated:
        head = "An agent wants to start one job on the simulator. It costs nothing."
    cost = "not known"
    if price is not None:
        cost = clean(str(price), LONGEST_TITLE)
        if simulated:
            cost += ", which only the simulator counts"
        else:
            estimate = job_estimate(price, spec, input)
            cost += f", by which this job costs about {estimate:.4g} USD. It may cost more or less."
    lines = (
        head,
        "",
        f"Model: {clean(spec.model_id, LONGEST_TITLE)} ({clean(spec.display_name, LONGEST_TITLE)})",
        f"Base price: {cost}",
        f"Job key: {clean(json.dumps(job_key, ensure_ascii=False), _LONGEST_KEY)}",
        f"Input: {clean(to_json(_abridge(input)), _LONGEST_INPUT)}",
        f"Digest: {digest(spec, input, job_key)[:16]}",
    )
    return "\n".join(lines)


def digest(spec: ModelSpec, input: Mapping[str, object], job_key: str) -> str:
    """What stands for the whole of a call's arguments."""
    return hashlib.sha256(json.dumps([spec.model_id, job_key, input], sort_keys=True).encode()).hexdigest()


def _abridge(value: object) -> object:
    """Long texts cut, so that a data: URI does not hide the rest."""
    if isinstance(value, str):
        return shorten(value, _LONGEST_TEXT)
    if isinstance(value, list):
        return [_abridge(item) for item in value]
    if isinstance(value, dict):
        return {name: _abridge(item) for name, item in value.items()}
    return value


def check_can_ask(capabilities: ClientCapabilities | None, settings: Settings) -> None:
    """Raises Refusal unless the client says that it can show a person a form."""
    asks = capabilities.elicitation if capabilities is not None else None
    if asks is None or (asks.form is None and asks.url is not None):
        raise cannot_ask(settings)


def cannot_ask(settings: Settings) -> Refusal:
    return Refusal(
        "cannot_ask",
        "No job was started: a person must approve each paid job, and this client cannot ask one (no elicitation).",
        "Tell the person, who can use a client that asks, or allow a budget by starting the server with:"
        f" {settings.budget_line()}",
    )


def spending_is_off() -> Refusal:
    return Refusal(
        "spending_off",
        "This server was started with --spend never: it looks and checks, and starts or cancels no job.",
        "Tell the person, who can start it with --spend ask or --spend budget.",
    )


def not_approved() -> Refusal:
    return Refusal(
        "not_approved",
        "The person did not approve this job. Nothing was sent.",
        "Do not ask again unless the person wants it.",
    )


def budget(settings: Settings, estimate: float | None) -> Budget:
    """The budget of a submit that somebody has consented to."""
    return Budget(max_cost=settings.max_cost, max_jobs=settings.max_jobs, estimate=estimate, hours=HOURS)


# Of a submit that nobody has consented to: it may give the job of its key, and start none.
NO_CONSENT = Budget(max_jobs=0)
