"""The shapes of what tools answer. The SDK makes their output schemas, and checks every answer by them."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict


class ModelRow(TypedDict):
    model_id: str
    title: str
    required_inputs: list[str]
    base_price_usd: float | None
    price_unit: str


class ModelList(TypedDict):
    """``total`` counts all that fit, ``corrected`` says which misspelt words were taken for which; ``near`` and
    ``categories`` help where nothing fits.
    """

    models: list[ModelRow]
    total: int
    corrected: NotRequired[dict[str, str]]
    near: NotRequired[list[str]]
    categories: NotRequired[list[str]]
    next: str


class ModelFacts(ModelRow):
    categories: list[str]
    price_note: str
    price_source: str
    input_schema: dict[str, Any]
    example: dict[str, Any]
    local_files: str
    next: str


class Finding(TypedDict):
    path: str
    code: str
    message: str
    given: NotRequired[str]
    allowed: NotRequired[list[Any]]
    suggestion: NotRequired[Any]
    rule: NotRequired[str]


class Verdict(TypedDict):
    model_id: str
    ok: bool
    errors: list[Finding]
    warnings: list[Finding]
    unchecked: list[Finding]
    more_errors: NotRequired[int]
    more_warnings: NotRequired[int]
    more_unchecked: NotRequired[int]
    estimated_usd: NotRequired[float | None]
    next: str


class JobFile(TypedDict):
    uri: str
    kind: str
    mime_type: str
    size: int
    path: str


class JobFacts(TypedDict):
    """A job. ``state``: in_queue, in_progress, completed, failed, cancelled; submitted or unknown
    before RunComfy has stated it."""

    request_id: str
    state: str
    model_id: str | None
    job_key: NotRequired[str | None]
    already_submitted: NotRequired[bool]
    queue_position: NotRequired[int | None]
    elapsed_seconds: NotRequired[float | None]
    estimated_usd: NotRequired[float | None]
    cost_usd: NotRequired[float | None]
    files: NotRequired[list[JobFile]]
    more_files: NotRequired[int]
    warnings: NotRequired[list[str]]
    error: NotRequired[Any]
    next: str


class Cancelled(TypedDict):
    request_id: str
    cancelled: bool
    outcome: str
    next: str


class JobRow(TypedDict):
    request_id: str | None
    state: str
    model_id: str
    job_key: str | None
    created_at: str
    cost_usd: float | None
    note: str | None
    files_kept: int


class JobList(TypedDict):
    jobs: list[JobRow]
    total: int
    next: str


class Spent(TypedDict):
    jobs: int
    spent_usd: float
    reserved_usd: float


class Money(TypedDict):
    balance_usd: float | None
    currency: str
    spend: str
    max_cost_usd: float | None
    max_jobs: int | None
    last_24_hours: Spent
    next: str
