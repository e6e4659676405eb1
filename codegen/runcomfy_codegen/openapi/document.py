"""The whole document: what the models share, and for each model its path, its input and its output."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runcomfy_client.describe.json_schema import schema_of
from runcomfy_client.schema.dialect import read_schema

from . import common

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .common import Schema

_ABOUT = """Runs RunComfy's hosted models: a submit answers with a request id, whose status and result are polled.

Made from the models' own schemas. Media go in as public https URLs or as base64 `data:` URIs. The rules for media, for
which JSON Schema has no words, stand under `x-validations`."""

_SUBMIT = """Starts one job and answers with its request id. Each submit that is accepted is charged, and there is no
idempotency key: do not repeat one whose reply was lost without looking first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSchemas:
    """One model as the document needs it: schemas in the dialect, patched. `output` is None if it is the common one."""

    model_id: str
    input: Mapping[str, object]
    output: Mapping[str, object] | None = None
    example: object = None
    # The catalog's listing: title, categories, price.
    listing: Mapping[str, object] = field(default_factory=dict)


def make_document(
    models: Iterable[ModelSchemas], common_output: Mapping[str, object], *, version: str, server: str | None = None
) -> dict[str, object]:
    """An OpenAPI 3.1 document of the API with these models, in the order of their ids.

    Args:
        common_output: the output schema of every model that has none of its own.
        version: of the document, as `info.version`.
        server: where the API is; RunComfy's by default, whose balance is on a host of its own.
    """
    outputs = ["CommonOutput"]
    schemas: Schema = {
        **common.schemas(outputs),
        "CommonOutput": _with_title(common_output, "CommonOutput", output=True),
    }
    paths = common.paths()
    if server:
        for item in paths.values():
            assert isinstance(item, dict)
            item.pop("servers", None)
    names = Unique()
    for name in schemas:
        names.name(name)
    for model in sorted(models, key=lambda model: model.model_id):
        name = names.name(component_name(model.model_id))
        schemas[f"{name}Input"] = _with_title(model.input, f"{name}Input")
        output = "CommonOutput"
        if model.output is not None:
            output = f"{name}Output"
            outputs.append(output)
            schemas[output] = _with_title(model.output, output, output=True)
        paths[f"/v1/models/{model.model_id}"] = _model_path(model, f"{name}Input", output, names)
    schemas |= common.schemas(outputs)  # now that the outputs have their names
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "RunComfy Model API",
            "version": version,
            "description": _ABOUT,
            "contact": {"name": "RunComfy", "url": "https://docs.runcomfy.com"},
        },
        "servers": [{"url": server or common.API_SERVER}],
        "security": [{"token": []}],
        "tags": common.tags(),
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": common.responses(),
            "schemas": schemas,
        },
    }


def _with_title(schema: Mapping[str, object], name: str, *, output: bool = False) -> Schema:
    # Pages title every input "Input schema"; tools that name classes by titles need one for each.
    return {**schema_of(read_schema(dict(schema)), lenient=output), "title": name}


def _model_path(model: ModelSchemas, input_name: str, output_name: str, names: Unique) -> Schema:
    operation = names.name(operation_name(model.model_id))
    body: Schema = {"schema": common.ref("schemas", input_name)}
    if model.example is not None:
        body["example"] = model.example
    submitted: Schema = {"content": common.json_content(common.ref("schemas", "Submitted")), "links": _links()}
    return {
        "post": {
            "operationId": f"submit_{operation}",
            "tags": ["models"],
            "summary": f"Run {model.model_id}",
            "description": _SUBMIT,
            **_listing(model),
            "requestBody": {"required": True, "content": {"application/json": body}},
            "responses": {
                "200": {"description": "Accepted.", **submitted},
                "202": {"description": "Accepted.", **submitted},
                **common.error_replies("balance", "large", "invalid"),
            },
            "x-output": common.ref("schemas", output_name),
        },
        "get": {
            "operationId": f"get_{operation}",
            "tags": ["catalog"],
            "summary": f"The catalog's entry of {model.model_id}",
            "description": "Its title, categories, base price and input schema. Costs nothing.",
            "responses": {
                "200": {
                    "description": "The entry, with its input schema.",
                    "content": common.json_content(common.ref("schemas", "ModelEntry")),
                },
                **common.error_replies(),
            },
        },
    }


def _listing(model: ModelSchemas) -> Schema:
    """Title, categories and price of the catalog, for which OpenAPI has no keywords."""
    names = ("display_name", "categories", "base_price_usd", "price_unit", "pricing_note")
    facts = {name: model.listing[name] for name in names if model.listing.get(name) not in (None, "", [])}
    return {"x-catalog": facts} if facts else {}


def _links() -> Schema:
    """How the calls that follow use the request id."""
    return {
        name: {"operationId": operation, "parameters": {"request_id": "$response.body#/request_id"}}
        for name, operation in (("status", "get_status"), ("result", "get_result"), ("cancel", "cancel_request"))
    }


def operation_name(model_id: str) -> str:
    """`bytedance/dreamina-4-0/edit` -> `bytedance_dreamina_4_0_edit`."""
    return re.sub(r"[^A-Za-z0-9]+", "_", model_id).strip("_")


def component_name(model_id: str) -> str:
    """`bytedance/dreamina-4-0/edit` -> `BytedanceDreamina40Edit`."""
    # An underscore between two numbers, or `2-5` and `25` would be one name.
    words = re.findall(r"[A-Za-z]+|[0-9]+", model_id)
    name = ""
    for word in words:
        name += f"_{word}" if name[-1:].isdigit() and word.isdigit() else word[:1].upper() + word[1:]
    return name or "Model"


class Unique:
    """Gives each name once; a second taker, also one that differs only by case, gets a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, base: str) -> str:
        name, number = base, 2
        while name.casefold() in self._taken:
            name, number = f"{base}_{number}", number + 1
        self._taken.add(name.casefold())
        return name
