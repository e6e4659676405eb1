"""All the work that concerns one model alone: load, check, name, lower, make classes, render, format."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from runcomfy_client.schema import ModelSpec

from ..checking.check import check
from ..diagnostics.diagnostic import has_errors
from ..lowering.lower import lower_input
from ..lowering.model import Model, ObjectClass
from ..lowering.output import lower_output, own_output
from ..naming.model import input_class, output_class
from ..naming.object_names import name_objects
from ..reading.load import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..diagnostics.diagnostic import Diagnostic
    from ..naming.identifiers import ClassName, PythonName
    from ..naming.lock import ModelLock
    from ..naming.model import ModelNames
    from ..reading.load import Loaded, ModelSource
    from ..reading.store import ModelId
    from ..rendering.rendered import Rendered

_NOT_NEEDED = "Delete patch.json; but if you are just writing it, correct the place that it names."


class CatalogListing(TypedDict):
    """The values of model.json that the spec of a model takes."""

    display_name: str
    categories: tuple[str, ...]
    base_price_usd: float | None
    price_unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a unit depends on, and nothing else: the bytes of the model's files, its names, names chosen inside it."""

    source: ModelSource
    names: ModelNames
    lock: ModelLock


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """The outcome of a task. Without errors it has text, and the names in it: {wire: Python name} by class."""

    model_id: ModelId
    names: ModelNames
    diagnostics: tuple[Diagnostic, ...]
    properties: Mapping[str, str]
    objects: Mapping[str, Mapping[str, str]]
    rendered: Rendered | None


def lower_model(task: Task) -> tuple[Model | None, Unit]:
    """The steps up to the frozen model: all that `lint` needs. The unit has no text yet."""
    names, lock = task.names, task.lock
    model_id = task.source.model_id

    def unit(
        diagnostics: tuple[Diagnostic, ...],
        properties: Mapping[str, str] | None = None,
        objects: Mapping[ClassName, Mapping[str, PythonName]] | None = None,
    ) -> Unit:
        return Unit(
            model_id=model_id,
            names=names,
            diagnostics=diagnostics,
            properties=properties or {},
            objects={str(name): wire_names for name, wire_names in (objects or {}).items()},
            rendered=None,
        )

    loaded, diagnostics = load(task.source)
    if loaded is None:
        return None, unit(_mark_obsolete_patch(task.source, diagnostics))
    # The next step runs even if an earlier one has diagnostics: all are reported at once.
    diagnostics += check(loaded)
    inner, clashes = name_objects(model_id, loaded.input, names, lock)
    diagnostics += clashes
    objects: dict[ClassName, Mapping[str, PythonName]] = {**inner.objects}
    output = own_output(loaded)
    output_classes: tuple[ObjectClass, ...] = ()
    if output:
        output_classes, output_names, clashes = lower_output(loaded, output, output_class(names), lock)
        diagnostics += clashes
        objects |= output_names
    unit_ = unit(diagnostics, inner.input, objects)
    if has_errors(diagnostics):
        return None, unit_
    input_classes = lower_input(loaded.input, inner)
    example = loaded.example.value if loaded.example else None
    spec = ModelSpec(
        model_id,
        input_classes[-1].node,
        input_class=input_class(names),
        output_class=output_class(names),
        example=example if isinstance(example, dict) else None,
        **_catalog_listing(loaded),
    )
    model = Model(spec=spec, names=names, input=input_classes, output=output_classes)
    return model, unit_


def _catalog_listing(loaded: Loaded) -> CatalogListing:
    """The catalog's listing of the model; a value of a wrong type is left out."""
    listing = loaded.model_json.value if loaded.model_json and isinstance(loaded.model_json.value, dict) else {}
    title, categories, unit = listing.get("display_name"), listing.get("categories"), listing.get("price_unit")
    price = _price(listing.get("base_price_usd"))
    return CatalogListing(
        display_name=title if isinstance(title, str) else "",
        categories=tuple(map(str, categories)) if isinstance(categories, list) else (),
        base_price_usd=price,
        price_unit=unit if isinstance(unit, str) else "",
    )


def _price(value: object) -> float | None:
    """A negative price is ignored, as in the replies of jobs; so is a number that no float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= sys.float_info.max else None


def _mark_obsolete_patch(source: ModelSource, diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """A patch that does not apply is no longer needed if the schema has no errors without it."""
    if source.patch is None or [diagnostic.code for diagnostic in diagnostics] != ["E041"]:
        return diagnostics
    unpatched, problems = load(dataclasses.replace(source, patch=None))
    if unpatched is None or has_errors((*problems, *check(unpatched))):
        return diagnostics
    message = f"{diagnostics[0].message}; the schema has no errors without it: upstream has fixed the error"
    return (dataclasses.replace(diagnostics[0], code="E042", message=message, help=_NOT_NEEDED),)


def build_unit(task: Task) -> Unit:
    """All steps of one model. A pure function of the task."""
    model, unit = lower_model(task)
    if model is None:
        return unit
    # The libraries that write code are slow to load, and lint does without them.
    from ..rendering.render import render_model

    return Unit(
        model_id=unit.model_id,
        names=unit.names,
        diagnostics=unit.diagnostics,
        properties=unit.properties,
        objects=unit.objects,
        rendered=render_model(model),
    )
