"""Compare entries of the catalog with the schema store: what is new, what changed and how, what is gone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ..building.unit import Task, lower_model
from ..comparing.schemas import differences
from ..diagnostics.diagnostic import has_errors
from ..naming.lock import read_lock
from ..naming.names import deviations, model_names
from ..reading import store
from ..reading.load import read_common_output, read_source
from ..reading.source import read_document
from .catalog import PRICES, entry_diagnostics, matches
from .language import is_english
from .writing import Write

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from ..comparing.schemas import Change
    from ..diagnostics.diagnostic import Diagnostic
    from ..reading.source import Json
    from .catalog import Entry

Status = Literal["added", "changed", "reworded", "unchanged"]


@dataclass(frozen=True, slots=True)
class ListingChange:
    """A changed value of the catalog's listing, before and after; None if it was or is not there."""

    name: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPull:
    """What a pull does to one model. `reworded` is a schema whose texts alone changed.

    `diagnostics` are what the generator will report for the new schema: names that clash with published ones, a patch
    that no longer applies.
    """

    model_id: store.ModelId
    status: Status
    schema: Json
    changes: tuple[Change, ...] = ()
    listing_changes: tuple[ListingChange, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    replaced: bool = False

    @property
    def breaking(self) -> bool:
        """May a call that was right be wrong now, or the model not be generated any more?"""
        return any(change.breaking for change in self.changes) or (
            self.status != "added" and has_errors(self.diagnostics)
        )

    @property
    def prices(self) -> tuple[ListingChange, ...]:
        """The changes that concern the price of a job."""
        return tuple(change for change in self.listing_changes if change.name in PRICES)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPlan:
    """`gone` are local models that were asked for and that the catalog no longer has; they are kept."""

    models: tuple[ModelPull, ...]
    gone: tuple[str, ...]
    writes: tuple[Write, ...]

    @property
    def breaking(self) -> bool:
        """Is there a change that may break a call?"""
        return bool(self.gone) or any(model.breaking for model in self.models)

    @property
    def any(self) -> bool:
        """Is there a change at all?"""
        return bool(self.gone) or bool(self.writes)


def plan(
    entries: Iterable[Entry], model_ids: Collection[str], patterns: Sequence[str], schemas: Path, *, prices: bool = True
) -> tuple[PullPlan, tuple[Diagnostic, ...]]:
    """Plan each entry by itself: a faulty one is reported and skipped.

    Args:
        model_ids: all ids of the catalog.
        prices: take prices from the catalog; else those in the store stay as they are.
    """
    models: list[ModelPull] = []
    writes: list[Write] = []
    diagnostics: list[Diagnostic] = []
    for entry in entries:
        diagnostics_of_entry = entry_diagnostics(entry)
        diagnostics += diagnostics_of_entry
        if not diagnostics_of_entry:
            models.append(_plan_one(entry, schemas, writes, prices=prices))
    folders, _ = store.walk(schemas)
    checked = _with_diagnostics(models, folders, schemas)
    gone = tuple(
        folder.model_id for folder in folders if folder.model_id not in model_ids and matches(folder.model_id, patterns)
    )
    return PullPlan(models=checked, gone=gone, writes=tuple(writes)), tuple(diagnostics)


def _plan_one(entry: Entry, schemas: Path, writes: list[Write], *, prices: bool) -> ModelPull:
    model_id = store.ModelId(entry.model_id)
    folder = store.model_folder(schemas, model_id)
    listing_changes = _plan_listing(entry, folder, writes, prices=prices)
    path = folder.path / store.INPUT
    if not path.is_file():
        writes.append(Write(path, (entry.schema,)))
        return ModelPull(model_id=model_id, status="added", schema=entry.schema)
    document, _ = read_document(path)
    if document is None:
        writes.append(Write(path, (entry.schema,)))
        return ModelPull(
            model_id=model_id, status="changed", schema=entry.schema, listing_changes=listing_changes, replaced=True
        )
    changes = differences(document.value, entry.schema)
    as_it_is = store.dumps(document.value) == store.dumps(entry.schema)
    if not changes and (as_it_is or (is_english(document.value) and not is_english(entry.schema))):
        return ModelPull(model_id=model_id, status="unchanged", schema=entry.schema, listing_changes=listing_changes)
    writes.append(Write(path, (entry.schema,)))
    status: Status = "changed" if changes else "reworded"
    return ModelPull(
        model_id=model_id, status=status, schema=entry.schema, changes=changes, listing_changes=listing_changes
    )


def _plan_listing(
    entry: Entry, folder: store.ModelFolder, writes: list[Write], *, prices: bool
) -> tuple[ListingChange, ...]:
    """Plan the write of model.json, and return what changed in it."""
    path = folder.path / store.MODEL
    document, _ = read_document(path) if path.is_file() else (None, ())
    before = document.value if document else None
    listing = dict(entry.listing)
    if not prices:
        listing = {key: value for key, value in listing.items() if key not in PRICES}
        listing |= {key: before[key] for key in PRICES if key in before} if isinstance(before, dict) else {}
    if not listing or before == listing:
        return ()
    writes.append(Write(path, (listing,)))
    if not isinstance(before, dict):
        return ()
    keys = dict.fromkeys((*before, *listing))
    changed = (ListingChange(key, before.get(key), listing.get(key)) for key in keys)
    return tuple(change for change in changed if change.before != change.after)


def _with_diagnostics(
    models: Sequence[ModelPull], folders: Sequence[store.ModelFolder], schemas: Path
) -> tuple[ModelPull, ...]:
    """The models, with the generator's diagnostics for those that are new or changed."""
    names_path = schemas / store.NAMES
    lock, _ = read_lock(read_document(names_path)[0] if names_path.is_file() else None)
    ids = {folder.model_id for folder in folders} | {model.model_id for model in models}
    names, clashes = model_names(sorted(ids), lock)
    common = read_common_output(schemas)
    checked = []
    for model in models:
        if model.status not in ("added", "changed"):
            checked.append(model)
            continue
        model_lock = deviations(names[model.model_id], lock.model(model.model_id))
        source = read_source(store.model_folder(schemas, model.model_id), common, store.dumps(model.schema).encode())
        _, unit = lower_model(Task(source=source, names=names[model.model_id], lock=model_lock))
        own = [clash for clash in clashes if clash.file == f"{model.model_id}/{store.INPUT}"]
        checked.append(replace(model, diagnostics=(*own, *unit.diagnostics)))
    return tuple(checked)
