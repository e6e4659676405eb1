"""schemas/names.json: the Python names that are published, and the names chosen to cure clashes, in one file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import Diagnostic, quote
from ..reading.store import ModelId
from . import reserved
from .identifiers import ClassName, PythonName, is_python_name
from .model import ModelNames

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..reading.positions import Pointer
    from ..reading.source import Document, Json

_SHAPE = '{"name": "provider.family.method", "properties": {wire name: Python name}, "objects": {class: {...}}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLock:
    """The names of one model: its own, its input's properties, and those of its other classes."""

    name: ModelNames | None = None
    properties: Mapping[str, PythonName] = field(default_factory=dict)
    objects: Mapping[ClassName, Mapping[str, PythonName]] = field(default_factory=dict)

    def of(self, class_name: ClassName | None) -> Mapping[str, PythonName]:
        """The locked names of a class; None is the input itself."""
        return self.properties if class_name is None else self.objects.get(class_name, {})


@dataclass(frozen=True, slots=True)
class Lock:
    """All locked names, by model id."""

    models: Mapping[ModelId, ModelLock] = field(default_factory=dict)

    def model(self, model_id: ModelId) -> ModelLock:
        return self.models.get(model_id, _NOTHING)


_NOTHING = ModelLock()


def read_lock(document: Document | None) -> tuple[Lock, tuple[Diagnostic, ...]]:
    """Read names.json; None if there is none."""
    if document is None:
        return Lock(), ()
    if not isinstance(document.value, dict):
        return Lock(), (document.diagnostic("E035", f"names.json is an object: model id -> {_SHAPE}"),)
    reader = _Reader(document)
    models = {ModelId(key): reader.model(key, entry) for key, entry in document.value.items()}
    return Lock(models), tuple(reader.diagnostics)


def renames(
    old: Mapping[str, object], new: Mapping[ModelId, dict[str, Json]]
) -> Iterator[tuple[ModelId, str, str, str]]:
    """(model id, what, old name, new name) for each published name that would change. A missing name is no rename."""
    for model_id, entry in new.items():
        before = old.get(model_id)
        if not isinstance(before, dict):
            continue
        if before.get("name") != entry["name"]:
            yield model_id, "the model", str(before.get("name")), str(entry["name"])
        yield from _property_renames(model_id, before.get("properties"), entry.get("properties"))
        objects, now = before.get("objects"), entry.get("objects")
        if isinstance(objects, dict) and isinstance(now, dict):
            for name, properties in now.items():
                yield from _property_renames(model_id, objects.get(name), properties)


def _property_renames(model_id: ModelId, before: object, after: object) -> Iterator[tuple[ModelId, str, str, str]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for wire, name in after.items():
            if before.get(wire, name) != name:
                yield model_id, f"the property {quote(wire)}", str(before[wire]), str(name)


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self.diagnostics: list[Diagnostic] = []

    def model(self, model_id: str, entry: Json) -> ModelLock:
        if not isinstance(entry, dict):
            self._report(f"an entry is an object: {_SHAPE}", (model_id,))
            return _NOTHING
        for key in entry.keys() - {"name", "properties", "objects"}:
            self._report(f"{quote(key)} means nothing here; an entry is {_SHAPE}", (model_id, key))
        objects = entry.get("objects", {})
        if not isinstance(objects, dict):
            self._report('"objects" is an object: class name -> {wire name: Python name}', (model_id, "objects"))
            objects = {}
        return ModelLock(
            name=self._model_name(model_id, entry["name"]) if "name" in entry else None,
            properties=self._names(entry.get("properties", {}), (model_id, "properties"), reserved.PROPERTIES),
            objects={
                ClassName(name): self._names(object_, (model_id, "objects", name), reserved.PROPERTIES)
                for name, object_ in objects.items()
            },
        )

    def _model_name(self, model_id: str, name: Json) -> ModelNames | None:
        place = (model_id, "name")
        names = ModelNames.of(name) if isinstance(name, str) else None
        length = 2 if model_id.count("/") < 2 else 3
        if names is None or len(names.parts) != length:
            shape = "provider.method" if length == 2 else "provider.family.method"
            self._report(f'"name" of this id is "{shape}", each part like poster_1', place)
            return None
        for number, part in enumerate(names.parts):
            reason = (reserved.CLIENT if number == 0 else reserved.RESOURCES).get(part)
            if reason:
                self._report(f"{quote(part)} {reason}", place)
                return None
        return names

    def _names(self, names: Json, place: Pointer, reserved_names: Mapping[str, str]) -> dict[str, PythonName]:
        if not isinstance(names, dict):
            self._report("names are an object: wire name -> Python name", place)
            return {}
        made: dict[str, PythonName] = {}
        for wire, name in names.items():
            if not isinstance(name, str) or not is_python_name(name):
                self._report(
                    "a Python name is lower case: a to z, digits and _, beginning with a letter", (*place, wire)
                )
            elif name in reserved_names:
                self._report(f"{quote(name)} {reserved_names[name]}", (*place, wire))
            else:
                made[wire] = PythonName(name)
        return made

    def _report(self, message: str, pointer: Pointer) -> None:
        self.diagnostics.append(self._document.diagnostic("E035", message, pointer))


def unknown_models(lock: Lock, ids: frozenset[ModelId], document: Document | None) -> Iterator[Diagnostic]:
    """Entries of models that are not in the store; they go with the next `generate`."""
    for model_id in lock.models:
        if document and model_id not in ids:
            message = f"there is no model {quote(model_id)}; its names will be dropped"
            yield document.diagnostic("W136", message, (model_id,), "key")
