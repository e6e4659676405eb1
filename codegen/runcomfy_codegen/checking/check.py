"""Second step: what the meta-schema cannot say: crossing bounds, enums and defaults that misfit, undefined names."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

from ..faults.diagnostics import quote
from ..reading.patching import operation
from .bounds import conflict
from .dialect import (
    ALTERNATIVES,
    KEYWORDS_OF_TYPE,
    MEDIA_FORMATS,
    VALUES,
    enum_values,
    is_media,
    keywords,
    parse_rule,
    pattern_fault,
    types_of,
)
from .plain import validator
from .shape import shape_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..faults.diagnostics import Diagnostic
    from ..reading.load import Loaded
    from ..reading.patching import PatchedDocument
    from ..reading.positions import Pointer
    from ..reading.source import Json

_KNOWN_TYPES = frozenset(KEYWORDS_OF_TYPE)
# What a fault of a default is called; jsonschema's own words would repeat the whole value.
_LIMITS = {
    "enum": "is not one of the enum's values",
    "const": "is not the constant",
    "minimum": "is below the minimum",
    "exclusiveMinimum": "is not above the exclusive minimum",
    "maximum": "is above the maximum",
    "exclusiveMaximum": "is not below the exclusive maximum",
    "minLength": "is too short",
    "maxLength": "is too long",
    "minItems": "has too few items",
    "maxItems": "has too many items",
    "type": "is of another type",
}


def check(loaded: Loaded) -> tuple[Diagnostic, ...]:
    """Every fault of a model's schema and of what stands beside it."""
    faults = [*shape_faults(loaded.input)]
    if any(fault.code == "E016" for fault in faults):
        # It is no input schema at all; what else could be said of it would mislead.
        return tuple(faults)
    faults += _Walk(loaded.input).schema(loaded.input.value, ())
    if loaded.example:
        errors = validator(loaded.input.value).iter_errors(loaded.example.value)
        for error in errors if not any(fault.severity == "error" for fault in faults) else ():
            message = f"the example does not fit the input schema: {quote(error.message)[1:-1]}"
            faults.append(loaded.example.diagnostic("W126", message, tuple(error.absolute_path)))
    return tuple(faults)


class _Walk:
    """One walk over a schema. What has the wrong shape is skipped: the meta-schema has spoken of it."""

    def __init__(self, document: PatchedDocument) -> None:
        self._document = document
        self._fault = document.diagnostic

    def schema(self, schema: Json, pointer: Pointer) -> Iterator[Diagnostic]:
        if not isinstance(schema, dict):
            return
        types = types_of(schema)
        yield from self._keywords(schema, types, pointer)
        yield from self._pattern(schema, pointer)
        yield from self._bounds(schema, types, pointer)
        yield from self._enum(schema, pointer)
        yield from self._default(schema, pointer)
        yield from self._required(schema, pointer)
        yield from self._rules(schema, pointer)
        properties = schema.get("properties")
        for name, each in properties.items() if isinstance(properties, dict) else ():
            yield from self.schema(each, (*pointer, "properties", name))
        yield from self.schema(schema.get("items"), (*pointer, "items"))
        for keyword in ALTERNATIVES:
            branches = schema.get(keyword)
            for number, branch in enumerate(branches if isinstance(branches, list) else ()):
                yield from self.schema(branch, (*pointer, keyword, number))

    def _keywords(self, schema: Mapping[str, Json], types: tuple[str, ...], pointer: Pointer) -> Iterator[Diagnostic]:
        for keyword in schema:
            if keyword not in keywords():
                near = difflib.get_close_matches(keyword, sorted(keywords()), 1, 0.8)
                guess = f"; did you mean {quote(near[0])}?" if near else ""
                message = f"{quote(keyword)} is no keyword of the dialect and changes nothing{guess}"
                yield self._fault("W110", message, (*pointer, keyword), "key")
        if not types:
            if not {*VALUES, *ALTERNATIVES} & schema.keys() and pointer and not _is_branch(pointer):
                yield self._fault("W112", "without a type any value passes", pointer)
            return
        if not _KNOWN_TYPES.issuperset(types):
            return
        idle = {word for words in KEYWORDS_OF_TYPE.values() for word in words}
        idle -= {word for each in types for word in KEYWORDS_OF_TYPE.get(each, ())}
        for keyword in schema:
            if keyword in idle:
                message = f'"{keyword}" says nothing about {" or ".join(types)}'
                yield self._fault("W111", message, (*pointer, keyword), "key")
        if "array" in types and "string" not in types and "format" in schema:
            yield from self._array_format(schema, pointer)

    def _array_format(self, schema: Mapping[str, Json], pointer: Pointer) -> Iterator[Diagnostic]:
        format = schema["format"]
        items = schema.get("items")
        if not isinstance(format, str) or format not in MEDIA_FORMATS:
            yield self._fault("W111", '"format" says nothing about array', (*pointer, "format"), "key")
        elif isinstance(items, dict):
            inner = items.get("format")
            if isinstance(inner, str) and MEDIA_FORMATS.get(inner, MEDIA_FORMATS[format]) != MEDIA_FORMATS[format]:
                message = f"{quote(format)} contradicts the items' {quote(inner)}; the items' counts"
                yield self._fault("W124", message, (*pointer, "format"))

    def _pattern(self, schema: Mapping[str, Json], pointer: Pointer) -> Iterator[Diagnostic]:
        pattern = schema.get("pattern")
        if isinstance(pattern, str) and (reason := pattern_fault(pattern)):
            place = (*pointer, "pattern")
            cure = self._document.cure("If it does not matter, put", operation("remove", place))
            yield self._fault("E015", f"the pattern cannot be read: {reason}", place, help=cure)

    def _bounds(self, schema: Mapping[str, Json], types: tuple[str, ...], pointer: Pointer) -> Iterator[Diagnostic]:
        # With several types, one that can be satisfied is enough.
        conflicts = [conflict(each, schema) for each in types]
        if not conflicts or None in conflicts:
            return
        found = next(each for each in conflicts if each)
        low, high = schema[found.low], schema[found.high]
        said = f'"{found.low}" {_shown(low)} and "{found.high}" {_shown(high)}'
        if found.crossed:
            help = self._document.cure(
                "If the two were mixed up, put",
                operation("replace", (*pointer, found.low), value=high),
                operation("replace", (*pointer, found.high), value=low),
            )
        else:
            cure = operation("remove", (*pointer, found.low))
            help = self._document.cure("If the lower bound does not matter, put", cure)
        message = f"nothing can satisfy this: {said} leave no {types[0]} between them"
        yield self._fault("E013", message, (*pointer, found.low), help=help)

    def _enum(self, schema: Mapping[str, Json], pointer: Pointer) -> Iterator[Diagnostic]:
        values = enum_values(schema)
        if values is None:
            return
        keyword = "enum" if "enum" in schema else "const"
        judge = validator(dict(schema), without=VALUES)
        bad = [number for number, value in enumerate(values) if not judge.is_valid(value)]
        if values and len(bad) == len(values):
            help = None
            if kinds := {_kind(value) for value in values}:
                types: Json = [*sorted(kinds)] if len(kinds) > 1 else next(iter(kinds))
                verb = "replace" if "type" in schema else "add"
                cure = operation(verb, (*pointer, "type"), value=types)
                help = self._document.cure("If the values are right, put", cure)
            message = "nothing can satisfy this: no value of the enum fits what else is said"
            yield self._fault("E013", message, (*pointer, keyword), help=help)
            return
        for number in bad:
            message = f"{_shown(values[number])} can never be given: it does not fit what else is said"
            yield self._fault(
                "W121", message, (*pointer, keyword, number) if keyword == "enum" else (*pointer, keyword)
            )
        seen: set[str] = set()
        for number, value in enumerate(values):
            text = json.dumps(value, sort_keys=True)
            if text in seen:
                yield self._fault("W122", f"{_shown(value)} stands twice", (*pointer, "enum", number))
            seen.add(text)

    def _default(self, schema: Mapping[str, Json], pointer: Pointer) -> Iterator[Diagnostic]:
        # `"default": null` is how some schemas say that there is none.
        if schema.get("default") is None:
            return
        error = next(iter(validator(dict(schema)).iter_errors(schema["default"])), None)
        if error is not None:
            limit = _LIMITS.get(str(error.validator), "does not fit")
            yield self._fault("W120", f"the default {_shown(schema['default'])} {limit}", (*pointer, "default"))

    def _required(self, schema: Mapping[str, Json], pointer: Pointer) -> Iterator[Diagnostic]:
        required, properties = schema.get("required"), schema.get("properties")
        if not isinstance(required, list) or not isinstance(properties, dict):
            return
        names = [name for name in required if isinstance(name, str)]
        for number, name in enumerate(required):
            place = (*pointer, "required", number)
            if not isinstance(name, str):
                continue
            if name not in properties:
                yield self._undefined(name, [each for each in properties if each not in names], place)
            elif name in required[:number]:
                yield self._fault("W123", f"{quote(name)} stands twice", place)

    def _undefined(self, name: str, free: list[str], place: Pointer) -> Diagnostic:
        near = [*difflib.get_close_matches(name, free, 1)]
        near += [each for each in free if each.startswith(name) or name.startswith(each)]
        if near:
            lead, cure = f"If {quote(near[0])} is meant, put", operation("replace", place, value=near[0])
        else:
            lead, cure = "If it is not needed, put", operation("remove", place)
        message = (
            f"{quote(name)} is required but not defined, and what is not defined is refused: no payload could pass"
        )
        return self._fault("E012", message, place, help=self._document.cure(lead, cure))

    def _rules(self, schema: Mapping[str, Json], pointer: Pointer) -> Iterator[Diagnostic]:
        rules = schema.get("validations")
        if not isinstance(rules, list):
            return
        for number, rule in enumerate(rules):
            text = rule.get("validation_rule") if isinstance(rule, dict) else None
            if not isinstance(text, str):
                continue
            place = (*pointer, "validations", number, "validation_rule")
            if parse_rule(text) is None:
                message = f"the rule {quote(text)} is not known; it is kept and reported as not checked"
                yield self._fault("W130", message, place)
            elif not is_media(schema):
                kind = next((each for each in ("video", "audio") if each in str(pointer[-1:]).lower()), "image")
                verb = "replace" if "format" in schema else "add"
                plural = "uris" if "array" in types_of(schema) else "uri"
                cure = operation(verb, (*pointer, "format"), value=f"{kind}_{plural}")
                message = f"the rule {quote(text)} measures a file, but nothing says that a file stands here"
                yield self._fault("E021", message, place, help=self._document.cure("If it does, put", cure))


def _is_branch(pointer: Pointer) -> bool:
    return isinstance(pointer[-1], int)


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "float"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _shown(value: Json) -> str:
    """A value on one line, not too long."""
    if isinstance(value, str):
        return quote(value)
    text = json.dumps(value, ensure_ascii=False)
    return quote(text)[1:-1].replace('\\"', '"')
