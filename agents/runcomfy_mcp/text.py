"""Text of others (titles, prompts, replies) on its way to an agent or to a person who is asked."""

from __future__ import annotations

import json

# Longer texts of the catalog are cut: an agent needs no more to choose a model.
LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 2000
# Keys whose values are data to be sent as they are.
_EXACT = frozenset({"const", "default", "enum", "examples", "pattern"})


def clean(text: str, most: int) -> str:
    """The text on one line, without what a terminal or a page acts upon (controls, direction marks), and cut."""
    plain = "".join([character if character.isprintable() else " " for character in text])
    return shorten(" ".join(plain.split()), most)


def shorten(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"


def clean_schema(value: object) -> object:
    """A JSON Schema with titles and descriptions made safe to show; what a payload is checked by stays as it is."""
    if isinstance(value, list):
        return [clean_schema(item) for item in value]
    if not isinstance(value, dict):
        return value
    cleaned: dict[str, object] = {}
    for name, item in value.items():
        if name in ("title", "description", "validation_error", "patternErrorMessage") and isinstance(item, str):
            cleaned[name] = clean(item, LONGEST_DESCRIPTION)
        else:
            cleaned[name] = item if name in _EXACT else clean_schema(item)
    return cleaned


def to_json(value: object) -> str:
    """Compact JSON that every client can read: half a surrogate pair, which no UTF-8 can hold, becomes a "?"."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace").decode()
