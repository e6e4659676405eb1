"""What does not depend on the models: calls, replies and errors, as RunComfy's docs and clients describe them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

# Plain JSON.
Schema: TypeAlias = "dict[str, object]"

API_SERVER = "https://model-api.runcomfy.net"
BALANCE_SERVER = "https://api.runcomfy.net"
REQUEST_ID_PATTERN = "^[A-Za-z0-9_-]{1,128}$"
# The states that /status and /result return, documented or seen; clients must take an unknown word for "still running".
STATUS_WORDS = ["in_queue", "in_progress", "completed", "cancelled", "failed"]
RESULT_WORDS = ["in_queue", "in_progress", "succeeded", "completed", "failed", "cancelled"]

_TEXT: Schema = {"type": "string"}
_URL: Schema = {"type": "string", "format": "uri"}
_ID: Schema = {"type": "string", "pattern": REQUEST_ID_PATTERN}


def ref(kind: str, name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def json_content(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _reply(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": json_content(schema)}


def _object(required: list[str], **properties: Schema) -> Schema:
    return {"type": "object", "required": required, "properties": dict(properties)}


def error_replies(*names: str) -> Schema:
    """The error replies of a call, by status; every call may return those of the token and of the server."""
    chosen = {"400": "BadRequest", "401": "Unauthorized", "429": "TooManyRequests", "5XX": "ServerError"}
    extra = {
        "balance": ("402", "InsufficientBalance"),
        "foreign": ("403", "Forbidden"),
        "unknown": ("404", "NotFound"),
        "large": ("413", "TooLarge"),
        "invalid": ("422", "Invalid"),
    }
    chosen |= dict(extra[name] for name in names)
    return {status: ref("responses", name) for status, name in sorted(chosen.items())}


def schemas(outputs: Sequence[str]) -> Schema:
    """The components of replies; `outputs` are the names of the components that a result's output may be."""
    output: Schema = (
        ref("schemas", outputs[0]) if len(outputs) == 1 else {"anyOf": [ref("schemas", output) for output in outputs]}
    )
    entry = _object(
        ["model_id"],
        model_id=_TEXT,
        display_name=_TEXT,
        description=_TEXT,
        categories={"type": "array", "items": _TEXT},
        kind=_TEXT,
        base_price_usd={"type": "number", "description": "Neither a minimum nor a quote."},
        price_unit={"type": "string", "examples": ["output", "second"]},
        pricing_note=_TEXT,
        inputs={"type": "array", "items": _TEXT},
        required_inputs={"type": "array", "items": _TEXT},
        input_schema={"type": "object", "description": "In RunComfy's own dialect.", "additionalProperties": True},
    )
    submitted = _object(["request_id"], request_id=_ID, status=_TEXT, status_url=_URL, result_url=_URL, cancel_url=_URL)
    status = _object(
        ["request_id", "status"],
        request_id=_ID,
        status={"type": "string", "examples": list(STATUS_WORDS)},
        queue_position={
            "type": "integer",
            "minimum": 0,
            "description": "Only while queued; whether it starts at 0 or 1 is not documented.",
        },
        status_url=_URL,
        result_url=_URL,
    )
    result = _object(
        ["request_id", "status"],
        request_id=_ID,
        model_id=_TEXT,
        status={"type": "string", "examples": list(RESULT_WORDS)},
        output={"description": "Of the shape that the model's submit names under `x-output`.", **output},
        error={"description": "A string, an object or a list; null beside a success."},
        created_at=_TEXT,
        finished_at=_TEXT,
        cost={"type": "number", "description": "US dollars; with include_cost=true. It may arrive late."},
        input={"type": "object", "description": "Echoed now and then."},
    )
    cancelled = _object(
        ["request_id", "outcome"],
        request_id=_ID,
        status=_TEXT,
        outcome={"type": "string", "enum": ["cancelled", "not_cancellable"]},
    )
    error: Schema = {
        "type": "object",
        "description": "The text stands in one of `error_message`, `message`, `error` and `detail`.",
        "properties": {
            "error_code": {"type": ["integer", "null"]},
            "error_message": _TEXT,
            "message": _TEXT,
            "error": {},
            "detail": {"description": "A string or a list, one entry for each problem."},
        },
    }
    return {
        "Submitted": submitted,
        "Status": status,
        "Result": result,
        "Cancelled": cancelled,
        "ModelEntry": entry,
        "ModelList": _object(
            ["models"],
            models={"type": "array", "items": ref("schemas", "ModelEntry")},
            total={"type": "integer"},
            limit={"type": "integer"},
            offset={"type": "integer"},
        ),
        "Categories": _object(["categories"], categories={"type": "array", "items": _TEXT}),
        "Balance": _object(
            ["balance_usd"],
            balance_usd={"type": "number", "description": "May be negative."},
            balance_microdollars={"type": "integer"},
            currency=_TEXT,
        ),
        "Error": error,
    }


def responses() -> Schema:
    """The components of errors."""
    error = ref("schemas", "Error")
    return {
        "BadRequest": _reply(
            "400001 unknown model id, 400002 no balance, 400004 bad token, 400005 result not ready, or a bad input.",
            error,
        ),
        "Unauthorized": _reply("400004: the token is missing, expired or revoked.", error),
        "InsufficientBalance": _reply("400002: no balance is left.", error),
        "Forbidden": _reply("403001: the request belongs to another user.", error),
        "NotFound": _reply("404001: the request id is unknown, deleted or expired.", error),
        "TooLarge": _reply("The body is too large.", error),
        "Invalid": _reply("The input does not match the schema.", error),
        "TooManyRequests": {
            "description": "Too many requests.",
            "headers": {"Retry-After": {"schema": {"type": "string"}}},
            "content": json_content(error),
        },
        "ServerError": {"description": "An error on the server's side; the body may be anything."},
    }


def tags() -> list[Schema]:
    """The groups of calls."""
    texts = {
        "models": "Submit a job to a model. Each submit that is accepted is charged.",
        "requests": "What became of a job: its state, its result, a cancel.",
        "catalog": "Which models there are, with their input schemas and base prices.",
        "account": "The account's balance.",
    }
    return [{"name": name, "description": text} for name, text in texts.items()]


def paths() -> Schema:
    """The calls that all models share."""
    request_id: Schema = {"name": "request_id", "in": "path", "required": True, "schema": _ID}
    cost: Schema = {"name": "include_cost", "in": "query", "schema": {"type": "boolean"}}

    def call(
        operation: str,
        tag: str,
        summary: str,
        description: str,
        reply: Schema,
        *errors: str,
        parameters: list[Schema],
    ) -> Schema:
        schema: Schema = {
            "operationId": operation,
            "tags": [tag],
            "summary": summary,
            "description": description,
            "responses": {"200": reply, **error_replies(*errors)},
        }
        return {**schema, "parameters": list(parameters)} if parameters else schema

    cancel = call(
        "cancel_request",
        "requests",
        "Cancel a job that is still queued",
        "A job that runs or is over is not cancelled, and is paid for. Asking twice does no harm.",
        {},
        "foreign",
        "unknown",
        parameters=[request_id],
    )
    cancelled = _reply("Whether it was cancelled.", ref("schemas", "Cancelled"))
    cancel["responses"] = {"202": cancelled, **error_replies("foreign", "unknown")}
    status = call(
        "get_status",
        "requests",
        "Where a job stands",
        "Costs nothing. Poll it with growing pauses; 429 asks for longer ones.",
        _reply("Its state. `completed` means over, not good.", ref("schemas", "Status")),
        "foreign",
        "unknown",
        parameters=[request_id],
    )
    result = call(
        "get_result",
        "requests",
        "What a job made",
        "Files are URLs, fetched without the token; they expire. The cost may arrive later than the output.",
        _reply("Its result, or its state while it runs.", ref("schemas", "Result")),
        "foreign",
        "unknown",
        "invalid",
        parameters=[request_id, cost],
    )
    listing = call(
        "list_models",
        "catalog",
        "The models",
        "A page of the models that the account can run, with their base prices.",
        _reply("A window of the models found.", ref("schemas", "ModelList")),
        "invalid",
        parameters=[
            {"name": "search", "in": "query", "schema": _TEXT},
            {"name": "category", "in": "query", "schema": _TEXT},
            {"name": "kind", "in": "query", "schema": _TEXT},
            {"name": "include_schema", "in": "query", "schema": {"type": "boolean"}},
            {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 500}},
            {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0}},
        ],
    )
    named = _reply("Their names.", ref("schemas", "Categories"))
    left = _reply("What is left.", ref("schemas", "Balance"))
    balance = call(
        "get_balance",
        "account",
        "The account's balance",
        "Costs nothing, so it is also a check of the token.",
        left,
        parameters=[],
    )
    return {
        "/v1/models": {"get": listing},
        "/v1/models/categories": {
            "get": call(
                "list_categories",
                "catalog",
                "The categories of models",
                "The words that the parameter `category` of the list of models takes.",
                named,
                parameters=[],
            )
        },
        "/v1/requests/{request_id}/status": {"get": status},
        "/v1/requests/{request_id}/result": {"get": result},
        "/v1/requests/{request_id}/cancel": {"post": cancel},
        "/prod/v2/balance": {"get": balance, "servers": [{"url": BALANCE_SERVER}]},
    }
