"""Second step: what the meta-schema cannot say: crossing bounds, enums and defaults that misfit, undefined names."""

from __future__ import annotations

import difflib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from runcomfy_client.schema import Report
from runcomfy_client.schema.dialect import (
    ALTERNATIVES,
    MEDIA_FORMATS,
    TYPES,
    VALUES,
    beside_values,
    enum_values,
    fits,
    is_media,
    read_schema,
    types_of,
)
from runcomfy_client.schema.rules import parse_rule

from ..diagnostics.diagnostic import has_errors, quote, visible
from ..reading.patching import operation
from .dialect import KEYWORDS_OF_TYPE, keywords, pattern_error, slow_text
from .shape import shape_diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runcomfy_client.schema import Finding, Node

    from ..diagnostics.diagnostic import Diagnostic
    from ..reading.load import Loaded
    from ..reading.patching import PatchedDocument
    from ..reading.positions import Pointer
    from ..reading.source import Json

# Of a message of the client's check, which may list an enum of many values.
_MAX_MESSAGE_LENGTH = 300


def check(loaded: Loaded) -> tuple[Diagnostic, ...]:
    """Every diagnostic of a model's schema and of what stands beside it."""
    diagnostics = [*shape_diagnostics(loaded.input)]
    if any(diagnostic.code == "E016" for diagnostic in diagnostics):
        # It is no input schema at all; further diagnostics would mislead.
        return tuple(diagnostics)
    diagnostics += _Walk(loaded.input).schema(loaded.input.value, ())
    if loaded.example and not has_errors(diagnostics):
        for finding in _errors(read_schema(loaded.input.value), loaded.example.value):
            message = f"the example does not fit the input schema: {_one_line(finding.message)}"
            diagnostics.append(loaded.example.diagnostic("W126", message, finding.keys))
    return tuple(diagnostics)


class _Walk:
    """One walk over a schema. Values of a wrong shape are skipped: the meta-schema reports them."""

    def __init__(self, document: PatchedDocument) -> None:
        self._document = document
        self._diagnostic = document.diagnostic

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
        for name, property_schema in properties.items() if isinstance(properties, dict) else ():
            yield from self.schema(property_schema, (*pointer, "properties", name))
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
                message = f"{quote(keyword)} is not a keyword of the dialect and changes nothing{guess}"
                yield self._diagnostic("W110", message, (*pointer, keyword), "key")
        if "type" not in schema:
            if not {*VALUES, *ALTERNATIVES} & schema.keys() and pointer and not _is_branch(pointer):
                yield self._diagnostic("W112", "without a type any value passes", pointer)
            return
        if not _all_known(schema["type"]):
            return
        idle = {word for words in KEYWORDS_OF_TYPE.values() for word in words}
        idle -= {word for type_ in types for word in KEYWORDS_OF_TYPE.get(type_, ())}
        for keyword in schema:
            if keyword in idle:
                message = f'"{keyword}" says nothing about {" or ".join(types)}'
                yield self._diagnostic("W111", message, (*pointer, keyword), "key")
        if "array" in types and "string" not in types and "format" in schema:
            yield from self._array_format(schema, pointer)

    def _array_format(self, schema: Mapping[str, Json], pointer: Pointer) -> Iterator[Diagnostic]:
        format = schema["format"]
        items = schema.get("items")
        if not isinstance(format, str) or format not in MEDIA_FORMATS:
            yield self._diagnostic("W111", '"format" says nothing about array', (*pointer, "format"), "key")
        elif isinstance(items, dict):
            inner = items.get("format")
            if isinstance(inner, str) and MEDIA_FORMATS.get(inner, MEDIA_FORMATS[format]) != MEDIA_FORMATS[format]:
                message = f"{quote(format)} contradicts the items' {quote(inner)}; the items' counts"
                yield self._diagnostic("W124", message, (*pointer, "format"))

    def _pattern(self, schema: Mapping[str, Json], pointer: Pointer) -> Iterator[Diagnostic]:
        pattern = schema.get("pattern")
        if not isinstance(pattern, str):
            return
        place = (*pointer, "pattern")
        cure = self._document.cure("If it does not matter, put", operation("remove", place))
        if reason := pattern_error(pattern):
            yield self._diagnostic("E015", f"the pattern cannot be read: {reason}", place, help=cure)
        elif text := slow_text(pattern):
            message = (
                f"to match the pattern takes too long on some texts, such as {quote(text[0])} {len(text) - 1} times "
                'before "!"; they are reported as not checked'
            )
            yield self._diagnostic("W127", message, place, help=cure)

    def _bounds(self, schema: Mapping[str, Json], types: tuple[str, ...], pointer: Pointer) -> Iterator[Diagnostic]:
        # With several types, one that can be satisfied is enough.
        conflicts = [conflict(type_, schema) for type_ in types]
        if not conflicts or None in conflicts:
            return
        bounds_conflict = next(crossing for crossing in conflicts if crossing)
        low, high = schema[bounds_conflict.low], schema[bounds_conflict.high]
        bounds = f'"{bounds_conflict.low}" {_shorten(low)} and "{bounds_conflict.high}" {_shorten(high)}'
        if bounds_conflict.crossed:
            help = self._document.cure(
                "If the two were mixed up, put",
                operation("replace", (*pointer, bounds_conflict.low), value=high),
                operation("replace", (*pointer, bounds_conflict.high), value=low),
            )
        else:
            cure = operation("remove", (*pointer, bounds_conflict.low))
            help = self._document.cure("If the lower bound does not matter, put", cure)
        message = f"nothing can satisfy this: {bounds} leave no {types[0]} between them"
        yield self._diagnostic("E013", message, (*pointer, bounds_conflict.low), help=help)

    def _enum(self, schema: Mapping[str, Json], pointer: Pointer) -> Iterator[Diagnostic]:
        values = enum_values(schema)
        if values is None:
            return
        keyword = "enum" if "enum" in schema else "const"
        node = beside_values(schema)
        bad = [number for number, value in enumerate(values) if not fits(node, value)]
        if values and len(bad) == len(values):
            help = None
            if kinds := {_kind(value) for value in values}:
                types: Json = [*sorted(kinds)] if len(kinds) > 1 else next(iter(kinds))
                verb = "replace" if "type" in schema else "add"
                cure = operation(verb, (*pointer, "type"), value=types)
                help = self._document.cure("If the values are right, put", cure)
            message = "nothing can satisfy this: no value of the enum fits the other keywords"
            yield self._diagnostic("E013", message, (*pointer, keyword), help=help)
            return
        for number in bad:
            message = f"{_shorten(values[number])} can never be sent: it does not fit the other keywords"
            yield self._diagnostic(
                "W121", message, (*pointer, keyword, number) if keyword == "enum" else (*pointer, keyword)
            )
        seen: set[str] = set()
        for number, value in enumerate(values):
            text = json.dumps(value, sort_keys=True)
            if text in seen:
                yield self._diagnostic("W122", f"{_shorten(value)} stands twice", (*pointer, "enum", number))
            seen.add(text)

    def _default(self, schema: Mapping[str, Json], pointer: Pointer) -> Iterator[Diagnostic]:
        samples = [("default", schema.get("default"), (*pointer, "default"))]
        examples = schema.get("examples")
        for number, example in enumerate(examples if isinstance(examples, list) else ()):
            samples.append(("example", example, (*pointer, "examples", number)))
        for kind, sample, place in samples:
            # `"default": null` is how some schemas say that there is none.
            for finding in _errors(read_schema(schema), sample) if sample is not None else ():
                message = f"the {kind} does not fit: {_one_line(finding.message)}"
                yield self._diagnostic("W120", message, (*place, *finding.keys))

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
                yield self._undefined(name, [property_ for property_ in properties if property_ not in names], place)
            elif name in required[:number]:
                yield self._diagnostic("W123", f"{quote(name)} stands twice", place)

    def _undefined(self, name: str, free: list[str], place: Pointer) -> Diagnostic:
        near = [*difflib.get_close_matches(name, free, 1)]
        near += [candidate for candidate in free if candidate.startswith(name) or name.startswith(candidate)]
        if near:
            lead, cure = f"If {quote(near[0])} is meant, put", operation("replace", place, value=near[0])
        else:
            lead, cure = "If it is not needed, put", operation("remove", place)
        message = (
            f"{quote(name)} is required but not defined, and what is not defined is refused: no payload could pass"
        )
        return self._diagnostic("E012", message, place, help=self._document.cure(lead, cure))

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
                yield self._diagnostic("W130", message, place)
            elif not is_media(schema):
                kind = next(
                    (candidate for candidate in ("video", "audio") if candidate in str(pointer[-1:]).lower()), "image"
                )
                verb = "replace" if "format" in schema else "add"
                plural = "uris" if "array" in types_of(schema) else "uri"
                cure = operation(verb, (*pointer, "format"), value=f"{kind}_{plural}")
                message = f"the rule {quote(text)} measures a file, but nothing says that a file stands here"
                yield self._diagnostic("E021", message, place, help=self._document.cure("If it does, put", cure))


def _errors(node: Node, value: Json) -> list[Finding]:
    """The errors that the client's own check finds in a value, in the order of places."""
    return [*Report("", node.check(value) or ()).errors]


def _all_known(types: Json) -> bool:
    return all(isinstance(type_, str) and type_ in TYPES for type_ in (types if isinstance(types, list) else [types]))


def _one_line(text: str) -> str:
    line = visible(text)
    return line if len(line) <= _MAX_MESSAGE_LENGTH else line[:_MAX_MESSAGE_LENGTH] + "…"


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


def _shorten(value: Json) -> str:
    """A value on one line, not too long."""
    if isinstance(value, str):
        return quote(value)
    return quote(json.dumps(value, ensure_ascii=False))[1:-1].replace('\\"', '"')


_NUMBERS = tuple((low, high) for low in ("minimum", "exclusiveMinimum") for high in ("maximum", "exclusiveMaximum"))
_PAIRS = {
    "string": (("minLength", "maxLength"),),
    "array": (("minItems", "maxItems"),),
    "integer": _NUMBERS,
    "number": _NUMBERS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two keywords that leave nothing between them. `crossed`: the lower bound is above the upper one."""

    low: str
    high: str
    crossed: bool


def conflict(type: str, schema: Mapping[str, Json]) -> Conflict | None:
    """The first pair of bounds between which no value of the type is left."""
    for low, high in _PAIRS.get(type, ()):
        least, most = schema.get(low), schema.get(high)
        if not is_number(least) or not is_number(most):
            continue
        if least > most:
            return Conflict(low=low, high=high, crossed=True)
        if least == most and (low.startswith("exclusive") or high.startswith("exclusive")):
            return Conflict(low=low, high=high, crossed=False)
        first = math.floor(least) + 1 if low.startswith("exclusive") else math.ceil(least)
        last = math.ceil(most) - 1 if high.startswith("exclusive") else math.floor(most)
        if type == "integer" and first > last:
            return Conflict(low=low, high=high, crossed=False)
    return None


def is_number(value: Json) -> TypeGuard[int | float]:
    """A JSON number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
