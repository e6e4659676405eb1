"""Compare entries of the catalogue with the schema store: what is new, what changed and how, what went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..reading import store
from ..reading.source import read_document
from .catalogue import PRICES, faults_of, wanted
from .difference import differences
from .language import is_english
from .writing import Write

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from ..faults.diagnostics import Diagnostic
    from ..reading.source import Json
    from .catalogue import Entry
    from .difference import Change

Status = Literal["added", "changed", "reworded", "unchanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPull:
    """What a pull does to one model. `reworded` is a schema whose texts alone changed."""

    model_id: store.ModelId
    status: Status
    schema: Json
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def breaking(self) -> bool:
        return any(change.breaking for change in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPlan:
    """`gone` are local models that were asked for and that the catalogue no longer has; they are kept."""

    models: tuple[ModelPull, ...]
    gone: tuple[str, ...]
    writes: tuple[Write, ...]


def plan(
    entries: Iterable[Entry], known: Collection[str], patterns: Sequence[str], schemas: Path, *, prices: bool = True
) -> tuple[PullPlan, tuple[Diagnostic, ...]]:
    """Plan each entry by itself: a faulty one is reported and passed over.

    Args:
        known: all ids of the catalogue.
        prices: take prices from the catalogue; else those in the store stay as they are.
    """
    models: list[ModelPull] = []
    writes: list[Write] = []
    faults: list[Diagnostic] = []
    for entry in entries:
        found = faults_of(entry)
        faults += found
        if not found:
            models.append(_plan_one(entry, schemas, writes, prices=prices))
    folders, _ = store.walk(schemas)
    gone = tuple(each.model_id for each in folders if each.model_id not in known and wanted(each.model_id, patterns))
    return PullPlan(models=tuple(models), gone=gone, writes=tuple(writes)), tuple(faults)


def _plan_one(entry: Entry, schemas: Path, writes: list[Write], *, prices: bool) -> ModelPull:
    model_id = store.ModelId(entry.model_id)
    folder = store.model_folder(schemas, model_id)
    notes = _facts(entry, folder, writes, prices=prices)
    path = folder.path / store.INPUT
    if not path.is_file():
        writes.append(Write(path, (entry.schema,)))
        return ModelPull(model_id=model_id, status="added", schema=entry.schema)
    document, _ = read_document(path)
    if document is None:
        writes.append(Write(path, (entry.schema,)))
        notes = ("input.json could not be read and is replaced", *notes)
        return ModelPull(model_id=model_id, status="changed", schema=entry.schema, notes=notes)
    changes = differences(document.value, entry.schema)
    as_it_is = store.dumps(document.value) == store.dumps(entry.schema)
    if not changes and (as_it_is or (is_english(document.value) and not is_english(entry.schema))):
        return ModelPull(model_id=model_id, status="unchanged", schema=entry.schema, notes=notes)
    writes.append(Write(path, (entry.schema,)))
    if changes and folder.file(store.PATCH):
        notes = (*notes, "its patch.json may no longer be needed or fit: runcomfy-codegen lint tells")
    status: Status = "changed" if changes else "reworded"
    return ModelPull(model_id=model_id, status=status, schema=entry.schema, changes=changes, notes=notes)


def _facts(entry: Entry, folder: store.ModelFolder, writes: list[Write], *, prices: bool) -> tuple[str, ...]:
    """Keep what the catalogue says besides the schema; tell what of it changed."""
    path = folder.path / store.MODEL
    document, _ = read_document(path) if path.is_file() else (None, ())
    before = document.value if document else None
    facts = dict(entry.facts)
    if not prices:
        facts = {key: value for key, value in facts.items() if key not in PRICES}
        facts |= {key: before[key] for key in PRICES if key in before} if isinstance(before, dict) else {}
    if not facts or before == facts:
        return ()
    writes.append(Write(path, (facts,)))
    if not isinstance(before, dict):
        return ()
    keys = [key for key in dict.fromkeys((*before, *facts)) if before.get(key) != facts.get(key)]
    return tuple(f"{key}: {_shown(before.get(key))} -> {_shown(facts.get(key))}" for key in keys)


def _shown(value: Json) -> str:
    return "none" if value is None else store.dumps(value).strip()[:60]
