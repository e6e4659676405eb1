"""The dialect as the generator checks it: its meta-schema, its keywords, patterns that can be read.

What a schema of the dialect means stands in `runcomfy_client.schema.dialect`, which the client reads by too.
"""

from __future__ import annotations

import functools
import json
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runcomfy_client.schema.dialect import ARRAY_KEYWORDS, NUMBER_KEYWORDS, OBJECT_KEYWORDS, STRING_KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..reading.source import Json

# Keywords that say nothing about which payloads are good.
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


def pattern_fault(pattern: str) -> str | None:
    """Why Python cannot read a regular expression."""
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return None
