"""Finding a model by words of its id, title and categories, misspelt words too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..schema.suggest import nearest, rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..schema import ModelSpec

_WORD = re.compile(r"[^\s/,]+")
_PART = re.compile(r"[^\W_]+")
_LONGEST = 200


def ids_with(words: Iterable[str], model_ids: Iterable[str]) -> list[str]:
    """The ids that hold every one of the words, in any case."""
    folded = [word.casefold() for word in words]
    return [model_id for model_id in model_ids if all(word in model_id.casefold() for word in folded)]


def near_names(text: str, model_ids: Sequence[str]) -> list[str]:
    """Ids, and parts of ids, that the text may be a misspelling of, the nearest first; else those of its words that are
    in no id.
    """
    parts = {part for model_id in model_ids for part in model_id.casefold().split("/")}
    names = [*model_ids, *sorted(parts)]
    if near := rank(text, names):
        return near
    misspelt = [word for word in text.split() if not ids_with([word], model_ids)]
    return list(dict.fromkeys(name for word in misspelt for name in rank(word, names)))
