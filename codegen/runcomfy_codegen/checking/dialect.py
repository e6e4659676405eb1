"""The words of the dialect: types, formats, keywords, and the grammar of a validation rule."""

from __future__ import annotations

import functools
import json
import re
import warnings
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..reading.source import Json

MediaKind = Literal["image", "video", "audio"]

TYPES: Final = ("string", "integer", "float", "number", "boolean", "array", "object", "null")
# Singular on a string (or on an array's items), plural on an array. Either spelling is understood on both.
MEDIA_FORMATS: Final[Mapping[str, MediaKind]] = {
    "image_uri": "image",
    "video_uri": "video",
    "audio_uri": "audio",
    "image_uris": "image",
    "video_uris": "video",
    "audio_uris": "audio",
}
# Keywords that say nothing about which payloads are good.
ANNOTATIONS: Final = frozenset(
    {"$comment", "$schema", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly"}
)
# What constrains values of one type only; on any other type it says nothing.
NUMBER_KEYWORDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
STRING_KEYWORDS: Final = ("minLength", "maxLength", "pattern", "format")
ARRAY_KEYWORDS: Final = ("items", "minItems", "maxItems", "uniqueItems")
OBJECT_KEYWORDS: Final = ("properties", "required", "additionalProperties")
KEYWORDS_OF_TYPE: Final[Mapping[str, tuple[str, ...]]] = {
    "string": STRING_KEYWORDS,
    "integer": NUMBER_KEYWORDS,
    "float": NUMBER_KEYWORDS,
    "number": NUMBER_KEYWORDS,
    "boolean": (),
    # The plural formats stand on the array itself.
    "array": (*ARRAY_KEYWORDS, "format"),
    "object": OBJECT_KEYWORDS,
    "null": (),
}
# The keywords that list values, and those that list schemas.
VALUES: Final = frozenset({"enum", "const"})
ALTERNATIVES: Final = ("oneOf", "anyOf")

OPERANDS: Final = ("file_size_mb", "width_pixels", "height_pixels", "shortest_side_pixels", "width/height")
_OPERATORS: Final = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "≤": "<=", "≥": ">="}
_RULE = re.compile(rf"\s*({'|'.join(map(re.escape, OPERANDS))})\s*(<=|>=|<|>|≤|≥)\s*", re.ASCII)
# Longer than any number that means something, short enough for a double.
_LONGEST_BOUND = 64
_NUMBER_TEXT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(?:/\s*([0-9]+(?:\.[0-9]+)?)\s*)?", re.ASCII)


@functools.cache
def meta_schema() -> dict[str, Json]:
    """The dialect as JSON Schema 2020-12."""
    loaded: dict[str, Json] = json.loads(Path(__file__).with_name("dialect.schema.json").read_text(encoding="utf-8"))
    return loaded


@functools.cache
def keywords() -> frozenset[str]:
    """Every keyword that the meta-schema knows, forbidden ones included."""
    definitions = meta_schema()["$defs"]
    assert isinstance(definitions, dict)
    schema = definitions["schema"]
    assert isinstance(schema, dict)
    known = schema["properties"]
    assert isinstance(known, dict)
    return frozenset(known)


def parse_rule(text: str) -> tuple[str, str] | None:
    """Operand and plain operator of a rule: `width/height≥` -> ("width/height", ">="); None if it is not known."""
    found = _RULE.fullmatch(text)
    return (found[1], _OPERATORS[found[2]]) if found else None


def parse_bound(value: Json) -> int | float | None:
    """The number a rule compares with: 15, 4.7, "0.33", "1/3"; None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if value >= 0 else None
    found = _NUMBER_TEXT.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST_BOUND else None
    if found is None or (found[2] is not None and Fraction(found[2]) == 0):
        return None
    exact = Fraction(found[1]) / Fraction(found[2] or 1)
    return int(exact) if exact.denominator == 1 else float(exact)


def pattern_fault(pattern: str) -> str | None:
    """Why Python cannot read a regular expression."""
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return None


def types_of(schema: Mapping[str, Json]) -> tuple[str, ...]:
    """The types a schema names, "float" as "number"; empty if it names none."""
    given = schema.get("type")
    named = given if isinstance(given, list) else [] if given is None else [given]
    return tuple(dict.fromkeys("number" if each == "float" else str(each) for each in named))


def enum_values(schema: Mapping[str, Json]) -> list[Json] | None:
    """The values that `enum` or `const` list; None if neither is there in its right shape."""
    listed = schema.get("enum")
    if isinstance(listed, list):
        return listed
    return [schema["const"]] if "const" in schema else None


def is_media(schema: Mapping[str, Json]) -> bool:
    """Does a medium stand here, or in each item?"""
    format = schema.get("format")
    if isinstance(format, str) and format in MEDIA_FORMATS:
        return True
    items = schema.get("items")
    return isinstance(items, dict) and is_media(items)


def text_of(schema: Json | Mapping[str, Json], keyword: str) -> str:
    """A title or description; empty if there is none, or one that is no text."""
    value = schema.get(keyword) if isinstance(schema, dict) else None
    return value if isinstance(value, str) else ""
