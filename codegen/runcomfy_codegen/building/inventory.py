"""The inventory of a store, read once: the models' files, the locked names, and a task for each model."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import Diagnostic, display, has_errors
from ..naming.lock import read_lock, unknown_models
from ..naming.names import deviations, model_names
from ..reading import store
from ..reading.load import read_common_output, read_source
from ..reading.source import read_document
from .unit import Task, lower_model

if TYPE_CHECKING:
    from pathlib import Path

    from ..diagnostics.diagnostic import Diagnostic
    from ..lowering.model import Model
    from ..reading.source import Document
    from ..reading.store import ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What a store holds. `faulty` are the models whose own names clash; with `blocking` no model can be generated."""

    models: tuple[ModelId, ...]
    tasks: tuple[Task, ...]
    faulty: frozenset[str]
    names_document: Document | None
    diagnostics: tuple[Diagnostic, ...]
    blocking: bool


def read_inventory(schemas: Path) -> Inventory:
    """Read a store. OSError passes through."""
    folders, diagnostics = store.walk(schemas)
    names_document, names_diagnostics = _names(schemas)
    lock, lock_diagnostics = read_lock(names_document)
    names_diagnostics += lock_diagnostics
    blocking = has_errors(names_diagnostics)
    common_output = read_common_output(schemas)
    ids = [folder.model_id for folder in folders]
    names, clashes = model_names(ids, lock)
    tasks = [
        Task(
            source=read_source(folder, common_output),
            names=names[folder.model_id],
            lock=deviations(names[folder.model_id], lock.model(folder.model_id)),
        )
        for folder in folders
    ]
    names_diagnostics += tuple(unknown_models(lock, frozenset(ids), names_document))
    return Inventory(
        models=tuple(ids),
        tasks=tuple(tasks),
        faulty=frozenset(map(_owner, clashes)),
        names_document=names_document,
        diagnostics=(*diagnostics, *names_diagnostics, *(with_store_path(schemas, clash) for clash in clashes)),
        blocking=blocking,
    )


def with_store_path(schemas: Path, diagnostic: Diagnostic) -> Diagnostic:
    """A diagnostic whose file is relative to the store, with the path as messages show it."""
    if diagnostic.file is None:
        return diagnostic
    return dataclasses.replace(diagnostic, file=display(schemas / diagnostic.file))


def _names(schemas: Path) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    path = schemas / store.NAMES
    return read_document(path) if path.is_file() else (None, ())


def _owner(clash: Diagnostic) -> str:
    """The model that a name clash belongs to: it is reported at the model's input.json."""
    return (clash.file or "").removesuffix(f"/{store.INPUT}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoweredStore:
    """The models of a store that have no error, lowered, with their tasks; `total` counts the others too."""

    models: tuple[tuple[Task, Model], ...]
    total: int
    diagnostics: tuple[Diagnostic, ...]


def lower_store(schemas: Path) -> LoweredStore:
    """All steps up to the lowered model, for every model of a store: all that `lint` needs. OSError passes through."""
    inventory = read_inventory(schemas)
    diagnostics = [*inventory.diagnostics]
    models: list[tuple[Task, Model]] = []
    for task in inventory.tasks:
        model, unit = lower_model(task)
        diagnostics += [with_store_path(schemas, diagnostic) for diagnostic in unit.diagnostics]
        if model:
            models.append((task, model))
    return LoweredStore(models=tuple(models), total=len(inventory.models), diagnostics=tuple(diagnostics))
