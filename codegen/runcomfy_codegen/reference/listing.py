"""One page that lists all models, by provider and by category, for readers of the repository: no site is built for it.

Links lead to the schemas, since those are there wherever the store is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..building.gather import gather
from ..diagnostics.diagnostic import has_errors
from ..reading.load import read_facts
from ..reading.store import INPUT, model_folder
from ..rendering.markdown import code, table, text
from ..rendering.templating import render
from ..terminal import amount
from .page import categories_of
from .pages import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..building.unit import Task
    from ..diagnostics.diagnostic import Diagnostic

# Models whose catalog entry names no category, or that came from a page, which names none.
_NO_CATEGORY = "no category known"


def model_list(schemas: Path, folder: Path) -> tuple[str, tuple[Diagnostic, ...]]:
    """The page as Markdown, with links that hold in `folder`; empty if names or folders have an error."""
    gathered = gather(schemas)
    if has_errors(gathered.diagnostics):
        return "", gathered.diagnostics
    tasks = sorted(gathered.tasks, key=lambda each: each.names.parts)
    by_provider: dict[str, list[Task]] = {}
    by_category: dict[str, list[Task]] = {}
    categories = {task.source.model_id: categories_of(read_facts(schemas, task.source.model_id)) for task in tasks}
    for task in tasks:
        by_provider.setdefault(task.source.model_id.partition("/")[0], []).append(task)
        for category in categories[task.source.model_id] or (_NO_CATEGORY,):
            by_category.setdefault(category, []).append(task)

    def link(task: Task) -> str:
        model_id = task.source.model_id
        target = os.path.relpath(model_folder(schemas, model_id).path / INPUT, folder)
        return f"[{text(model_id)}]({target.replace(os.sep, '/')})"

    def row(task: Task) -> list[str]:
        found = ", ".join(map(text, categories[task.source.model_id]))
        return [link(task), code(f"client.{task.names.dotted}"), found]

    page = render(
        "reference_list.md",
        first_line=HEADER,
        about=f"{amount(len(tasks), 'model')} of {amount(len(by_provider), 'provider')}.",
        providers=[
            (text(provider), table(["Model", "Call", "Categories"], [row(task) for task in found]))
            for provider, found in by_provider.items()
        ],
        categories=[(text(category), _links(map(link, by_category[category]))) for category in _ordered(by_category)],
    )
    return page.rstrip() + "\n", gathered.diagnostics


def _ordered(categories: Iterable[str]) -> list[str]:
    """By alphabet, models without one last."""
    return sorted(categories, key=lambda each: (each == _NO_CATEGORY, each))


def _links(links: Iterable[str]) -> str:
    return "\n".join(f"- {each}" for each in links)
