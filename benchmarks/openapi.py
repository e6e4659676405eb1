"""The same catalog for the peers: standard JSON Schema, and an OpenAPI document with one operation per model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .synthetic import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .synthetic import SyntheticModel
    from .synthetic_properties import Json


def document(models: Sequence[SyntheticModel]) -> dict[str, Json]:
    """OpenAPI 3.1: every model's POST with its input, tagged by provider, and the common output."""
    schemas: dict[str, Json] = {"Submitted": SUBMITTED, "Output": OUTPUT}
    paths: dict[str, Json] = {}
    for model in models:
        name = class_name(model.model_id)
        schemas[name] = {**standard(model.schema), "title": name}
        paths[f"/v1/models/{model.model_id}"] = {
            "post": {
                "operationId": re.sub(r"\W+", "_", model.model_id.lower()),
                "tags": [model.model_id.partition("/")[0]],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
                },
                "responses": {
                    "200": {
                        "description": "The job was accepted.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Submitted"}}},
                    }
                },
            }
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Model API", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def standard(schema: Mapping[str, Json]) -> dict[str, Json]:
    """`schema` as JSON Schema has it: `float` is a number, arrays name their items, unknown keys are refused."""
    found: dict[str, Json] = {}
    for key, value in schema.items():
        if key == "type" and value == "float":
            found[key] = "number"
        elif key == "properties" and isinstance(value, dict):
            found[key] = {name: standard(each) if isinstance(each, dict) else each for name, each in value.items()}
            found["additionalProperties"] = False
        elif key == "items" and isinstance(value, dict):
            found[key] = standard(value)
        elif key == "validations":
            found["x-validations"] = value
        else:
            found[key] = value
    if found.get("type") == "array":
        found.setdefault("items", {"type": "string"})
    return found


def class_name(model_id: str) -> str:
    """A class name that no other id of the catalog gets."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", model_id)) + "Input"


SUBMITTED: dict[str, Json] = {
    "type": "object",
    "required": ["request_id"],
    "properties": {
        name: {"type": "string"} for name in ("request_id", "status_url", "result_url", "cancel_url", "status")
    },
}
