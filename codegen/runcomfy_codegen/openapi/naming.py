"""Names of components and operations: from the model id, readable, unique in the document, the same at every run."""

from __future__ import annotations

import re


def operation_name(model_id: str) -> str:
    """`bytedance/dreamina-4-0/edit` -> `bytedance_dreamina_4_0_edit`."""
    return re.sub(r"[^A-Za-z0-9]+", "_", model_id).strip("_")


def component_name(model_id: str) -> str:
    """`bytedance/dreamina-4-0/edit` -> `BytedanceDreamina40Edit`."""
    # An underscore between two numbers, or `2-5` and `25` would be one name.
    words = re.findall(r"[A-Za-z]+|[0-9]+", model_id)
    name = ""
    for word in words:
        name += f"_{word}" if name[-1:].isdigit() and word.isdigit() else word[:1].upper() + word[1:]
    return name or "Model"


class Unique:
    """Gives each name once; a second taker, also one that differs only by case, gets a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, wanted: str) -> str:
        found, number = wanted, 2
        while found.casefold() in self._taken:
            found, number = f"{wanted}_{number}", number + 1
        self._taken.add(found.casefold())
        return found
