"""A schema of the dialect as plain JSON Schema 2020-12, and the validator that judges defaults and enums by it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from .dialect import KEYWORDS_OF_TYPE, MEDIA_FORMATS, keywords, types_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .source import Json

_MEDIA_STRING: Json = {"type": "string"}


def plain(schema: Json, *, without: frozenset[str] = frozenset()) -> dict[str, Json]:
    """What the schema says about payloads, in standard words; `without` leaves keywords of its top level out.

    Unknown keywords and those whose value has the wrong shape are the checks' business and are dropped here.
    """
    if not isinstance(schema, dict):
        return {}
    made: dict[str, Json] = {}
    for keyword, value in schema.items():
        if keyword not in without and keyword in _KEPT:
            made[keyword] = value
    if types := types_of(schema):
        made["type"] = list(types)
    for keyword in ("oneOf", "anyOf"):
        branches = schema.get(keyword)
        if keyword not in without and isinstance(branches, list):
            made[keyword] = [plain(branch) for branch in branches]
    properties = schema.get("properties")
    if isinstance(properties, dict):
        made["properties"] = {name: plain(each) for name, each in properties.items()}
        made.setdefault("additionalProperties", False)
    if "items" in schema:
        made["items"] = plain(schema["items"])
    elif "array" in types and schema.get("format") in MEDIA_FORMATS:
        made["items"] = _MEDIA_STRING
    return made


def validator(schema: Json, *, without: frozenset[str] = frozenset()) -> Draft202012Validator:
    """A validator of the dialect's meaning of a schema."""
    made: Draft202012Validator = _Validator(plain(schema, without=without))
    return made


def _multiple_of(_: Any, step: float, instance: Any, __: Mapping[str, Any]) -> Iterator[ValidationError]:
    # Read as people write them: 0.3 is three times 0.1, though their doubles are not. The client's check agrees.
    if isinstance(instance, int | float) and not isinstance(instance, bool):  # noqa: SIM102
        if Fraction(repr(instance)) % Fraction(repr(step)):
            yield ValidationError(f"{instance!r} is not a multiple of {step}")


_KEPT = (
    frozenset(word for words in KEYWORDS_OF_TYPE.values() for word in words)
    | {"enum", "const"} - {"items", "properties", "format"}
) & keywords()
_Validator: Any = extend(  # type: ignore[no-untyped-call]  # jsonschema types it in comments only
    Draft202012Validator, {"multipleOf": _multiple_of}
)
