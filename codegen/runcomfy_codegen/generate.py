"""The pipeline on one screen: read the store, build what changed, make the tree, compare, write."""

from __future__ import annotations

import ast
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .building.cache import Cache
from .building.inventory import read_inventory, with_store_path
from .building.pool import build_all
from .comparing.python import Generated, python_difference
from .diagnostics.diagnostic import Diagnostic, display, has_errors, quote
from .naming.lock import renames
from .reading.store import INPUT, NAMES, write_json
from .writing.commit import commit, output_lock, remove_leftovers
from .writing.manifest import names_entry, published_names
from .writing.plan import plan
from .writing.recover import recover
from .writing.tree import package_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from .building.inventory import Inventory
    from .building.unit import Unit
    from .comparing.python import PythonDifference
    from .reading.source import Json
    from .reading.store import ModelId
    from .writing.plan import Plan

# Of the models that would be deleted.
_MAX_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What `generate` was asked for. The package is written at `output`/`package`."""

    schemas: Path
    output: Path
    package: str = "runcomfy"
    check: bool = False
    skip_faulty: bool = False
    accept_renames: bool = False
    # Models of the package that the store does not have may be deleted; without it they are an error.
    delete: bool = False
    use_cache: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of a run. Without a plan, or with diagnostics in it, nothing was written."""

    diagnostics: tuple[Diagnostic, ...]
    models: int
    plan: Plan | None = None
    # schemas/names.json does not say what the package says.
    names_stale: bool = False
    # Faulty models that were skipped, and those among them that the package keeps as they were.
    skipped: tuple[ModelId, ...] = ()
    kept: tuple[ModelId, ...] = ()
    # Models that the package has and the store has not.
    gone: tuple[str, ...] = ()
    # What changes for Python programs; None if there was no package before.
    python: PythonDifference | None = None

    @property
    def failed(self) -> bool:
        return has_errors(self.diagnostics)

    @property
    def drifted(self) -> bool:
        return self.names_stale or self.plan is None or not self.plan.is_empty


def generate(
    request: Request, progress: Callable[[int, int], None], waiting: Callable[[], None] = lambda: None
) -> Outcome:
    """Run all steps. Writes unless it is a check, or something is an error that may not be skipped.

    Args:
        progress: called with the number of models that are built, and of those that have to be.
        waiting: called if another run holds the output folder; this run goes on when the other has ended.
    """
    with output_lock(_own_folder(request) / "lock", waiting) as locked:
        return _generate(request, progress, locked)


def _generate(request: Request, progress: Callable[[int, int], None], locked: bool) -> Outcome:
    folder = request.output / request.package
    inventory = read_inventory(request.schemas)
    if lost := _store_lost(inventory, request.schemas, folder):
        return Outcome(diagnostics=(*inventory.diagnostics, lost), models=0)
    units, _ = build_all(inventory.tasks, _cache(request), progress)
    published = published_names(folder)
    diagnostics = [*inventory.diagnostics]
    for unit in units:
        diagnostics += [with_store_path(request.schemas, diagnostic) for diagnostic in unit.diagnostics]
    renamed = {} if request.accept_renames else _rename_diagnostics(inventory, units, published, request.schemas)
    bad = inventory.faulty | renamed.keys()
    diagnostics += [diagnostic for group in renamed.values() for diagnostic in group]
    if has_errors(diagnostics) and (inventory.blocking or not request.skip_faulty):
        return Outcome(diagnostics=tuple(diagnostics), models=len(inventory.models))

    good = {unit.model_id: unit for unit in units if unit.rendered and unit.model_id not in bad}
    skipped = [model_id for model_id in inventory.models if model_id not in good]
    recovered = [found for model_id in skipped if (found := recover(folder, model_id, published))]
    good |= {unit.model_id: unit for unit in recovered}
    kept = [good[model_id] for model_id in sorted(good)]
    tree = package_tree(kept, request.package)
    plan_ = plan(folder, tree)
    gone = tuple(sorted(published.keys() - set(inventory.models)))
    if gone and not (request.delete or request.check):
        plan_ = dataclasses.replace(
            plan_, diagnostics=(*plan_.diagnostics, _not_deleted(gone, request.schemas, folder))
        )
    diagnostics += plan_.diagnostics
    names = _names(inventory, kept)
    outcome = Outcome(
        diagnostics=tuple(diagnostics),
        models=len(inventory.models),
        plan=plan_,
        names_stale=names != (inventory.names_document.value if inventory.names_document else {}),
        skipped=tuple(skipped),
        kept=tuple(unit.model_id for unit in recovered),
        gone=gone,
        python=_python_changes(folder, published, kept, plan_) if published else None,
    )
    if request.check or plan_.diagnostics:
        return outcome
    if locked:
        remove_leftovers(folder)
    if not plan_.is_empty:
        commit(plan_, tree)
    if outcome.names_stale:
        write_json(request.schemas / NAMES, names)
    return outcome


def _python_changes(
    folder: Path, published: Mapping[str, object], units: Sequence[Unit], plan_: Plan
) -> PythonDifference:
    """What changes for Python programs, from the package on disk to the one that is planned."""
    changed = {*plan_.missing, *plan_.stale, *plan_.extra}
    names = {model_id: str(entry["name"]) for model_id, entry in published.items() if isinstance(entry, dict)}
    old: dict[str, Generated] = {}
    new: dict[str, Generated] = {
        unit.model_id: Generated(method=unit.names.dotted, module=unit.rendered.models)
        for unit in units
        if unit.rendered and _module(unit.names.dotted) in changed
    }
    for model_id, method in names.items():
        if _module(method) in changed or model_id in new:
            try:
                module = (folder / _module(method)).read_text(encoding="utf-8")
                ast.parse(module)
            except (OSError, ValueError, SyntaxError):
                # The file was deleted or damaged: there is nothing to compare with.
                new.pop(model_id, None)
                continue
            old[model_id] = Generated(method=method, module=module)
    return python_difference(old, new)


def _module(method: str) -> str:
    return f"models/{method.replace('.', '/')}.py"


def _store_lost(inventory: Inventory, schemas: Path, folder: Path) -> Diagnostic | None:
    """An empty store beside a package with models: more often a wrong --schemas than an intended deletion."""
    models = len(published_names(folder))
    if inventory.models or not models:
        return None
    message = f"there is no input.json below it, and {display(folder)} has {models} models that would be deleted"
    help = "Name the right folder with --schemas. If the models are to go, delete the package's folder first."
    return Diagnostic(code="E061", message=message, file=display(schemas), help=help)


def _not_deleted(gone: Sequence[str], schemas: Path, folder: Path) -> Diagnostic:
    """A store that lacks models of the package may be another one than the package was made of."""
    listed = ", ".join(gone[:_MAX_NAMED]) + (f" and {len(gone) - _MAX_NAMED} more" if len(gone) > _MAX_NAMED else "")
    message = f"{display(folder)} has models that the store does not have: {listed}"
    help = (
        "If they are to go: runcomfy-codegen generate --delete. A store that pyproject.toml names as "
        "[tool.runcomfy] schemas needs no flag. If they are to stay, name the store that has them with --schemas."
    )
    return Diagnostic(code="E062", message=message, file=display(schemas), help=help)


def _own_folder(request: Request) -> Path:
    """Where a run keeps what it needs beside the package."""
    return request.output / ".cache" / "runcomfy-codegen"


def _cache(request: Request) -> Cache | None:
    return Cache(_own_folder(request) / "units") if request.use_cache else None


def _names(inventory: Inventory, units: Sequence[Unit]) -> dict[str, Json]:
    """The content for names.json: the names that are published now; a skipped model keeps its lines."""
    names: dict[str, Json] = {unit.model_id: names_entry(unit) for unit in units}
    before = inventory.names_document.value if inventory.names_document else None
    if isinstance(before, dict):
        names |= {model: before[model] for model in inventory.models if model in before and model not in names}
    return dict(sorted(names.items()))


def _rename_diagnostics(
    inventory: Inventory, units: Sequence[Unit], published: Mapping[str, object], schemas: Path
) -> dict[ModelId, list[Diagnostic]]:
    """The published names that would change, by model."""
    now = {unit.model_id: names_entry(unit) for unit in units if unit.rendered}
    document = inventory.names_document
    diagnostics: dict[ModelId, list[Diagnostic]] = {}
    for model_id, what, old, new in renames(published, now):
        message = f"{what} of {quote(model_id)} is published as {quote(old)} and would become {quote(new)}"
        help = (
            "Programs that use the old name would break. If that is meant: runcomfy-codegen generate --accept-renames"
        )
        if document and isinstance(document.value, dict) and model_id in document.value:
            diagnostic = document.diagnostic("E036", message, (model_id,), "key", help)
        else:
            diagnostic = Diagnostic(code="E036", message=message, file=display(schemas / model_id / INPUT), help=help)
        diagnostics.setdefault(model_id, []).append(diagnostic)
    return diagnostics
