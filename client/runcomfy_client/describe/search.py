"""Finding a model by words of its id, and the ids that a misspelt word may mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..schema.suggest import rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def ids_with(words: Iterable[str], model_ids: Iterable[str]) -> list[str]:
    """The ids that hold every one of the words, in any case."""
    folded = [word.casefold() for word in words]
    return [model_id for model_id in model_ids if all(word in model_id.casefold() for word in folded)]


def near_names(text: str, model_ids: Sequence[str]) -> list[str]:
    """Ids, and parts of ids, that the text may be a misspelling of; the nearest first."""
    parts = {part for model_id in model_ids for part in model_id.casefold().split("/")}
    return rank(text, [*model_ids, *sorted(parts)])
