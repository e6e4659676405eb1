"""The whole reference as a map from path to text: a page a model, lists by provider and family, and all diagnostics.

Paths are made of Python names, which no two models share. The pages of all models and of all codes have names that are
no Python names, so no provider can take their place.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runcomfy_client.schema.messages import amount

from ..building.inventory import lower_store, read_inventory
from ..diagnostics.codes import all_codes
from ..diagnostics.diagnostic import has_errors
from ..lowering.output import lower_output
from ..naming.identifiers import ClassName
from ..reading.load import load, read_model_json
from ..reading.store import INPUT, model_folder
from ..rendering.markdown import code, table, text
from ..rendering.templating import render
from .page import Subject, categories_of, model_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ..building.unit import Task
    from ..diagnostics.diagnostic import Diagnostic
    from ..lowering.model import Model
    from ..naming.identifiers import PythonName

ROOT: Final = "all-models.md"
CODES: Final = "all-codes.md"
# How a page of ours is recognised; it contains nothing from the schemas.
HEADER: Final = "<!-- Written by runcomfy-codegen reference; it writes it anew each time. -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The pages by path; none if a schema has an error."""

    pages: dict[str, str]
    diagnostics: tuple[Diagnostic, ...]


def make_reference(schemas: Path) -> Reference:
    """The reference of a schema store. OSError passes through."""
    lowered = lower_store(schemas)
    if has_errors(lowered.diagnostics):
        return Reference(pages={}, diagnostics=lowered.diagnostics)
    subjects = [_subject(model, task, schemas) for task, model in lowered.models]
    subjects.sort(key=lambda subject: subject.model.names.parts)
    pages = {_path(subject.model): model_page(subject, HEADER) for subject in subjects}
    pages |= _section_pages(subjects)
    codes = sorted(all_codes().values(), key=lambda diagnostic_code: diagnostic_code.code)
    pages[CODES] = render("reference_codes.md", first_line=HEADER, codes=codes)
    return Reference(pages=pages, diagnostics=lowered.diagnostics)


def _subject(model: Model, task: Task, schemas: Path) -> Subject:
    loaded, _ = load(task.source)
    assert loaded is not None
    output = model.output
    if not output and loaded.common_output:
        output, _, _ = lower_output(loaded, loaded.common_output, ClassName("MediaOutput"), task.lock)
    listing = read_model_json(schemas, task.source.model_id)
    return Subject(model=model, output=output[-1].node if output else None, listing=listing)


def _path(model: Model) -> str:
    return f"{'/'.join(model.names.parts)}.md"


def _section_pages(subjects: Sequence[Subject]) -> dict[str, str]:
    """The page of all models, one for each provider, one for each family."""
    sections: dict[tuple[PythonName, ...], list[Subject]] = {(): [*subjects]}
    for subject in subjects:
        parts = subject.model.names.parts
        for depth in range(1, len(parts)):
            sections.setdefault(parts[:depth], []).append(subject)
    return {f"{'/'.join(parts)}.md" if parts else ROOT: _section(parts, own) for parts, own in sections.items()}


def _section(parts: tuple[PythonName, ...], subjects: Sequence[Subject]) -> str:
    """A list of models, and the way to what is one step below: families of a provider, models of a family."""
    depth = len(parts)
    # The page of bytedance.dreamina_4_0 lies in the folder bytedance.
    folder = max(depth - 1, 0)
    rows: list[list[str]] = []
    children: dict[str, str] = {}
    for subject in subjects:
        model = subject.model
        names, segments = model.names.parts, model.model_id.split("/")
        path = "/".join(names[folder:])
        rows.append(
            [
                f"[{text(model.model_id)}]({path}.md)",
                code(f"client.{model.names.dotted}"),
                ", ".join(map(text, categories_of(subject.listing))),
            ]
        )
        last = len(names) == depth + 1
        label = "/".join(segments[depth:]) if last else segments[depth]
        children.setdefault("/".join(names[folder : depth + 1]), label)
    title = "/".join(subjects[0].model.model_id.split("/")[:depth]) if parts else "Models"
    return render(
        "reference_section.md",
        first_line=HEADER,
        title=text(title),
        about=f"{amount(len(subjects), 'model')}.",
        models=table(["Model", "Call", "Categories"], rows),
        children=[(label, path) for path, label in children.items()],
    )


# Models whose catalog entry names no category, or that came from a page, which names none.
_NO_CATEGORY = "no category known"


def model_list(schemas: Path, folder: Path) -> tuple[str, tuple[Diagnostic, ...]]:
    """The page as Markdown, with links that hold in `folder`; empty if names or folders have an error."""
    inventory = read_inventory(schemas)
    if has_errors(inventory.diagnostics):
        return "", inventory.diagnostics
    tasks = sorted(inventory.tasks, key=lambda task: task.names.parts)
    by_provider: dict[str, list[Task]] = {}
    by_category: dict[str, list[Task]] = {}
    categories = {task.source.model_id: categories_of(read_model_json(schemas, task.source.model_id)) for task in tasks}
    for task in tasks:
        by_provider.setdefault(task.source.model_id.partition("/")[0], []).append(task)
        for category in categories[task.source.model_id] or (_NO_CATEGORY,):
            by_category.setdefault(category, []).append(task)

    def link(task: Task) -> str:
        model_id = task.source.model_id
        target = os.path.relpath(model_folder(schemas, model_id).path / INPUT, folder)
        return f"[{text(model_id)}]({target.replace(os.sep, '/')})"

    def row(task: Task) -> list[str]:
        line = ", ".join(map(text, categories[task.source.model_id]))
        return [link(task), code(f"client.{task.names.dotted}"), line]

    page = render(
        "reference_list.md",
        first_line=HEADER,
        about=f"{amount(len(tasks), 'model')} of {amount(len(by_provider), 'provider')}.",
        providers=[
            (text(provider), table(["Model", "Call", "Categories"], [row(task) for task in rows]))
            for provider, rows in by_provider.items()
        ],
        categories=[
            (text(category), _links(map(link, by_category[category]))) for category in _sort_categories(by_category)
        ],
    )
    return page.rstrip() + "\n", inventory.diagnostics


def _sort_categories(categories: Iterable[str]) -> list[str]:
    """By alphabet, models without one last."""
    return sorted(categories, key=lambda category: (category == _NO_CATEGORY, category))


def _links(links: Iterable[str]) -> str:
    return "\n".join(f"- {link}" for link in links)
