"""Schemas without their texts: two that are equal accept the same payloads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from .source import Json

_TEXTS = ("title", "description")
# Keywords whose keys are names chosen by the model's author, not keywords.
_MAPS = ("properties", "$defs", "definitions")
_LISTS = ("oneOf", "anyOf", "allOf")


def without_texts(schema: Json) -> Json:
    """The schema without titles and descriptions; a property called `title` stays."""
    if not isinstance(schema, dict):
        return schema
    stripped: dict[str, Json] = {}
    for keyword, value in schema.items():
        if keyword in _TEXTS:
            continue
        if keyword in _MAPS and isinstance(value, dict):
            stripped[keyword] = {name: without_texts(prop) for name, prop in value.items()}
        elif keyword in _LISTS and isinstance(value, list):
            stripped[keyword] = [without_texts(item) for item in value]
        elif keyword == "items":
            stripped[keyword] = without_texts(value)
        else:
            stripped[keyword] = value
    return stripped


def same_except_texts(left: Json, right: Json) -> bool:
    """Do two schemas (or two output documents, `{"output": schema}`) differ in titles and descriptions only?

    Key order does not count; True and 1 are not the same.
    """
    return _text(left) == _text(right)


def unwrap_output(output: Json) -> Json:
    """The schema of an output document; pages print `{"output": schema}`."""
    return output["output"] if is_wrapped(output) else output


def is_wrapped(output: Json) -> TypeGuard[dict[str, Json]]:
    return isinstance(output, dict) and set(output) == {"output"}


def _text(schema: Json) -> str:
    return json.dumps(without_texts(unwrap_output(schema)), sort_keys=True)
