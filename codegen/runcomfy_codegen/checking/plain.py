"""A schema of the dialect as plain JSON Schema 2020-12, and the validator that judges defaults and enums by it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from .bounds import is_number
from .dialect import ALTERNATIVES, MEDIA_FORMATS, pattern_fault, types_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..reading.source import Json

_MEDIA_STRING: Json = {"type": "string"}
# "float" is "number" by then.
_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object", "null"})


def plain(schema: Json, *, without: frozenset[str] = frozenset()) -> dict[str, Json]:
    """What the schema says about payloads, in standard words; `without` leaves keywords of its top level out.

    Unknown keywords and those whose value has the wrong shape are the checks' business and are dropped here.
    """
    if not isinstance(schema, dict):
        return {}
    made = {
        keyword: value
        for keyword, value in schema.items()
        if keyword not in without and keyword in _SHAPES and _SHAPES[keyword](value)
    }
    if types := [each for each in types_of(schema) if each in _TYPES]:
        made["type"] = [*types]
    for keyword in ALTERNATIVES:
        branches = schema.get(keyword)
        if keyword not in without and isinstance(branches, list) and branches:
            made[keyword] = [plain(branch) for branch in branches]
    properties = schema.get("properties")
    if isinstance(properties, dict):
        made["properties"] = {name: plain(each) for name, each in properties.items()}
        made.setdefault("additionalProperties", False)
    if "items" in schema:
        made["items"] = plain(schema["items"])
    elif "array" in types and str(schema.get("format")) in MEDIA_FORMATS:
        made["items"] = _MEDIA_STRING
    return made


def validator(schema: Json, *, without: frozenset[str] = frozenset()) -> Draft202012Validator:
    """A validator of the dialect's meaning of a schema."""
    made: Draft202012Validator = _Validator(plain(schema, without=without))
    return made


def _multiple_of(_: Any, step: float, instance: Any, __: Mapping[str, Any]) -> Iterator[ValidationError]:
    # Read as people write them: 0.3 is three times 0.1, though their doubles are not. The client's check agrees.
    if is_number(instance) and Fraction(repr(instance)) % Fraction(repr(step)):
        yield ValidationError(f"{instance!r} is not a multiple of {step}")


def _is_count(value: Json) -> bool:
    return is_number(value) and value >= 0 and value == int(value)


def _is_bool(value: Json) -> bool:
    return isinstance(value, bool)


def _is_step(value: Json) -> bool:
    return is_number(value) and value > 0


def _is_pattern(value: Json) -> bool:
    return isinstance(value, str) and pattern_fault(value) is None


def _is_names(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_values(value: Json) -> bool:
    return isinstance(value, list) and bool(value)


def _is_any(_: Json) -> bool:
    return True


# The keywords that judge and take no schema, and what their value must be for that.
_SHAPES: Final[Mapping[str, Callable[[Json], bool]]] = {
    "minimum": is_number,
    "maximum": is_number,
    "exclusiveMinimum": is_number,
    "exclusiveMaximum": is_number,
    "multipleOf": _is_step,
    "minLength": _is_count,
    "maxLength": _is_count,
    "pattern": _is_pattern,
    "minItems": _is_count,
    "maxItems": _is_count,
    "uniqueItems": _is_bool,
    "required": _is_names,
    "additionalProperties": _is_bool,
    "enum": _is_values,
    "const": _is_any,
}
_Validator: Any = extend(  # type: ignore[no-untyped-call]  # jsonschema types it in comments only
    Draft202012Validator, {"multipleOf": _multiple_of}
)
