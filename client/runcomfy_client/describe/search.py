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
    """Ids, and parts of ids, that the text may be a misspelling of; the nearest first."""
    parts = {part for model_id in model_ids for part in model_id.casefold().split("/")}
    return rank(text, [*model_ids, *sorted(parts)])


class SearchResult(NamedTuple):
    """What a search found. ``corrected`` says which words were taken for which, as pairs of misspelt and meant."""

    models: list[ModelSpec]
    corrected: tuple[tuple[str, str], ...]


def search_models(query: str, models: Sequence[ModelSpec]) -> SearchResult:
    """The models of which each word of the query is a part, in the given order; all of them for an empty query.

    A word that is part of none stands for the nearest word that is.
    """
    texts = [" ".join((spec.model_id, spec.display_name, *spec.categories)).casefold() for spec in models]
    words, corrected = [], []
    for word in _WORD.findall(query[:_LONGEST].casefold()):
        if not any(word in text for text in texts):
            known = dict.fromkeys(part for text in texts for part in _PART.findall(text))
            near = nearest(word, known)
            if near is None:
                return SearchResult([], ())
            corrected.append((word, near))
            word = near
        words.append(word)
    matches = [spec for spec, text in zip(models, texts, strict=True) if all(word in text for word in words)]
    return SearchResult(matches, tuple(corrected))
