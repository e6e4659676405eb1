"""The meta-schema's errors in a schema, as diagnostics."""

from __future__ import annotations

import difflib
import functools
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from runcomfy_client.schema.dialect import ALTERNATIVES, TYPES, VALUES

from ..diagnostics.diagnostic import quote
from ..reading.patching import operation
from ..reading.positions import pointer_text
from .dialect import ANNOTATIONS, meta_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.exceptions import ValidationError

    from ..diagnostics.diagnostic import Diagnostic
    from ..reading.patching import PatchedDocument
    from ..reading.positions import Pointer
    from ..reading.source import Json

# What people write for a type, and what the dialect calls it.
_OTHER_WORDS = {
    "str": "string",
    "text": "string",
    "int": "integer",
    "double": "float",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
    "none": "null",
}
_KINDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_MAPS = ("properties",)
_NOT_AT_TOP = {*VALUES, *ALTERNATIVES}


def shape_diagnostics(document: PatchedDocument) -> Iterator[Diagnostic]:
    """A diagnostic for every place where the schema does not follow the dialect."""
    for error in _meta_validator().iter_errors(document.value):
        yield _diagnostic(document, error)


@functools.cache
def _meta_validator() -> Draft202012Validator:
    return Draft202012Validator(meta_schema())


def _diagnostic(document: PatchedDocument, error: ValidationError) -> Diagnostic:
    pointer: Pointer = tuple(error.absolute_path)
    keyword = _keyword(pointer)
    if "validations" in pointer and _inside_validation(pointer):
        return _rule_diagnostic(document, pointer, error)
    if len(pointer) == 0 or pointer == ("type",):
        return _not_an_input(document, pointer, error)
    # The meta-schema forbids a keyword by `not`.
    if error.validator == "not":
        where = "at the top of an input schema" if len(pointer) == 1 and keyword in _NOT_AT_TOP else "in the dialect"
        return document.diagnostic(
            "E014",
            f'"{keyword}" has no meaning {where}, so no class could check it',
            pointer,
            "key",
            document.cure("If payloads may pass without it, put", operation("remove", pointer)),
        )
    if keyword == "type" and error.validator == "enum":
        return _unknown_type(document, pointer, error.instance)
    message = f'"{keyword}" {_expectation(error)}'
    if keyword in ANNOTATIONS:
        return document.diagnostic("W113", f"{message}; it is left out", pointer)
    place = pointer[: _keyword_depth(pointer)]
    return document.diagnostic(
        "E010",
        message,
        pointer,
        help=document.cure("If payloads may pass without it, put", operation("remove", place)),
    )


def _keyword(pointer: Pointer) -> str:
    depth = _keyword_depth(pointer)
    return str(pointer[depth - 1]) if depth else ""


def _keyword_depth(pointer: Pointer) -> int:
    """How much of the pointer leads to the last keyword: names of properties and numbers are none."""
    depth = 0
    place = 0
    while place < len(pointer):
        part = pointer[place]
        place += 1
        if isinstance(part, int):
            continue
        depth = place
        if part in _MAPS:
            # The name below it belongs to a property; what follows is a schema again.
            place += 1
    return depth


def _inside_validation(pointer: Pointer) -> bool:
    keyword = pointer.index("validations")
    return len(pointer) > keyword + 1


def _rule_diagnostic(document: PatchedDocument, pointer: Pointer, error: ValidationError) -> Diagnostic:
    last = pointer[-1]
    if last == "validation_value":
        message = 'a rule\'s "validation_value" is a number from 0, the same in a string, or a fraction like "1/3"'
    elif error.validator == "required":
        message = 'a rule needs "validation_rule" and "validation_value"'
    elif isinstance(last, int):
        message = "a rule is an object"
    else:
        message = f'a rule\'s "{last}" {_expectation(error)}'
    end = next(place for place, part in enumerate(pointer) if part == "validations" and _is_number(pointer, place + 1))
    cure = document.cure("If the rule does not matter, put", operation("remove", pointer[: end + 2]))
    return document.diagnostic("E020", message, pointer, help=cure)


def _is_number(pointer: Pointer, place: int) -> bool:
    return place < len(pointer) and isinstance(pointer[place], int)


def _not_an_input(document: PatchedDocument, pointer: Pointer, error: ValidationError) -> Diagnostic:
    instance: dict[str, Any] = error.instance if isinstance(error.instance, dict) else {}
    if error.validator == "required":
        names = [name for name in ("type", "properties") if name not in instance]
        message = f"an input schema needs {' and '.join(map(quote, names))}"
    else:
        message = 'an input schema is an object with "type": "object" and "properties"'
    inner = (key for key, value in instance.items() if isinstance(value, dict) and "properties" in value)
    wrapped = next(inner, None)
    help = None
    if wrapped and not pointer:
        move: dict[str, Json] = {"op": "move", "from": pointer_text((wrapped,)), "path": ""}
        help = document.cure(f"What stands under {quote(wrapped)} looks like one; if it is, put", move)
    elif not pointer and error.validator == "required" and "properties" in instance:
        help = document.cure("Put", operation("add", ("type",), value="object"))
    return document.diagnostic("E016", message, pointer, help=help)


def _unknown_type(document: PatchedDocument, pointer: Pointer, word: Any) -> Diagnostic:
    if not isinstance(word, str):
        return document.diagnostic("E011", f"a type is one of {', '.join(TYPES)}", pointer)
    near = _OTHER_WORDS.get(word.lower()) or next(iter(difflib.get_close_matches(word.lower(), TYPES, 1)), "string")
    return document.diagnostic(
        "E011",
        f"there is no type {quote(word)}; the types are {', '.join(TYPES)}",
        pointer,
        help=document.cure(f'If "{near}" is meant, put', operation("replace", pointer, value=near)),
    )


def _expectation(error: ValidationError) -> str:
    bound = error.validator_value
    match error.validator:
        case "type":
            return f"must be {_KINDS.get(str(bound), str(bound))}"
        case "minimum":
            return f"must be at least {bound}"
        case "exclusiveMinimum":
            return f"must be above {bound}"
        case "maximum":
            return f"must be at most {bound}"
        case "minItems" | "minLength":
            return "must not be empty"
        case "maxItems":
            return f"must hold at most {bound} values"
        case _:
            return "has no such value in the dialect"
