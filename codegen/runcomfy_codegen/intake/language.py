"""Guess whether the texts of a schema are English, to choose between two languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..reading.source import Json

# Two criteria, no dictionary. Letters outside ASCII: English has next to none (× and ≤ are no letters), every other
# language of the site has more or has another script. Function words: no sentence does without, and those listed here
# belong to one side alone. Labels such as "Seed" meet neither criterion and count as English; so does a tie, since then
# the first schema stays.
_FOREIGN_LETTERS = 0.02
_ENGLISH = "the of and to is are for with or be this that your it from if by not number"
# German, Italian, French, Spanish, Portuguese, Dutch; what is a word of English too is left out.
_FOREIGN = (
    "der das und ist für mit ein eine den dem auf zu von anzahl il di che con una del della delle le gli sono numero "
    "les des du et est pour avec une dans sur nombre el los las y en para es un de la por número "
    "os da uma em com não het een voor op"
)


def is_english(schema: Json) -> bool:
    """Are the titles and descriptions of a schema English, or too short to know?"""
    text = " ".join(_texts(schema)).lower()
    letters = [char for char in text if char.isalpha()]
    if sum(not char.isascii() for char in letters) > _FOREIGN_LETTERS * len(letters):
        return False
    words = re.findall(r"\w+", text)
    return _count_words(words, _ENGLISH) >= _count_words(words, _FOREIGN)


def _count_words(words: list[str], listed: str) -> int:
    listed_words = frozenset(listed.split())
    return sum(word in listed_words for word in words)


def _texts(schema: Json) -> Iterator[str]:
    """Each title and description; a default or an enum value is no text, in whatever language it is."""
    if isinstance(schema, list):
        for item in schema:
            yield from _texts(item)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("title", "description") and isinstance(value, str):
                yield value
            elif key not in ("default", "enum", "const", "examples"):
                yield from _texts(value)
