"""The dialect as the generator checks it: its meta-schema, its keywords, patterns that can be read.

What a schema of the dialect means stands in `runcomfy_client.schema.dialect`, which the client reads by too.
"""

from __future__ import annotations

import functools
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runcomfy_client.schema.dialect import ARRAY_KEYWORDS, NUMBER_KEYWORDS, OBJECT_KEYWORDS, STRING_KEYWORDS
from runcomfy_client.schema.patterns import SEARCH_SECONDS, Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..reading.source import Json

# With this many letters an exponential expression takes years, a sound one a thousandth of a second.
_TRIED_LENGTH: Final = 100
_TRIED_LETTERS: Final = 40
# Keywords that do not affect which payloads are valid.
ANNOTATIONS: Final = frozenset(
    {"$comment", "$schema", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly"}
)
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


def pattern_error(pattern: str) -> str | None:
    """Why a regular expression cannot be read; None if it can."""
    with warnings.catch_warnings(action="ignore"):
        return Pattern(pattern).error


def slow_text(pattern: str) -> str | None:
    """A text on which the search for a pattern takes too long; None if none is found.

    It tries texts that make expressions backtrack: one letter very often, and an end that does not match.
    The letters are those of the pattern itself and one of each common kind.
    """
    letters: Iterable[str] = dict.fromkeys((*"aA0 _-.,", *pattern[:_TRIED_LETTERS]))
    for letter in letters:
        text = letter * _TRIED_LENGTH + "!"
        with warnings.catch_warnings(action="ignore"):
            compiled = Pattern(pattern)  # a new object, since a pattern remembers its timeouts
        # On a busy machine a sound expression may run out of time, too, but not twice with ten times the time.
        if compiled.search(text, SEARCH_SECONDS / 2) is None and compiled.search(text, SEARCH_SECONDS * 5) is None:
            return text
    return None
