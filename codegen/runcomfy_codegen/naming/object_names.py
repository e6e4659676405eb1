"""The names inside one input: of its properties, of the classes of its objects. Made before anything is lowered.

The walk accepts schemas with any error in them, so that clashes are reported together with all other diagnostics.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runcomfy_client.schema.dialect import ALTERNATIVES

from . import reserved
from .identifiers import ClassName, ConstantName, PythonName, constant_name
from .model import input_class, nested_class
from .names import Cure, property_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..diagnostics.diagnostic import Diagnostic
    from ..reading.patching import PatchedDocument
    from ..reading.positions import Pointer
    from ..reading.source import Json
    from ..reading.store import ModelId
    from .lock import ModelLock
    from .model import ModelNames


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectNames:
    """The names of one object: of its class, of its constant in the spec, of its properties by wire name."""

    class_name: ClassName
    constant: ConstantName
    properties: Mapping[str, PythonName]


@dataclass(frozen=True, slots=True)
class InputNames:
    """The names of all objects of an input that have properties, by the pointer to each."""

    by_pointer: Mapping[Pointer, ObjectNames] = field(default_factory=dict)

    @property
    def input(self) -> Mapping[str, PythonName]:
        """The names of the input itself."""
        root = self.by_pointer.get(())
        return root.properties if root else {}

    @property
    def objects(self) -> Mapping[ClassName, Mapping[str, PythonName]]:
        """The names of the other classes."""
        return {names.class_name: names.properties for pointer, names in self.by_pointer.items() if pointer}


def name_objects(
    model_id: ModelId, document: PatchedDocument, names: ModelNames, lock: ModelLock
) -> tuple[InputNames, tuple[Diagnostic, ...]]:
    """Name everything inside an input."""
    walk = _Walk(model_id, document, names, lock)
    walk.schema(document.value, (), ())
    return InputNames(walk.objects), tuple(walk.diagnostics)


@dataclass
class _Walk:
    _model_id: ModelId
    _document: PatchedDocument
    _names: ModelNames
    _lock: ModelLock
    objects: dict[Pointer, ObjectNames] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def schema(self, schema: Json, pointer: Pointer, path: tuple[str, ...], cure: str | None = None) -> None:
        """`path` are the Python names that lead here; classes are named after it. `cure` renames the last of them."""
        if not isinstance(schema, dict):
            return
        if isinstance(properties := schema.get("properties"), dict):
            names = self._object(properties, pointer, path, cure)
            own = self._cure(pointer, path)
            for wire, name in names.items():
                inner = own.text(wire, f"{name}_2")
                self.schema(properties[wire], (*pointer, "properties", wire), (*path, name), inner)
        self.schema(schema.get("items"), (*pointer, "items"), (*path, "item"), cure)
        for keyword in ALTERNATIVES:
            branches = schema.get(keyword)
            if isinstance(branches, list):
                objects = [number for number, branch in enumerate(branches) if _has_properties(branch)]
                for number, branch in enumerate(branches):
                    # One object among the alternatives is named after the property alone.
                    below = path if objects == [number] else (*path, f"choice_{number + 1}")
                    self.schema(branch, (*pointer, keyword, number), below, cure)

    def _object(
        self, properties: Mapping[str, Json], pointer: Pointer, path: tuple[str, ...], cure: str | None
    ) -> Mapping[str, PythonName]:
        nested = self._cure(pointer, path).class_name
        if nested and any(object_.class_name == nested for object_ in self.objects.values()):
            message = f"two objects of this model both become the class {nested}"
            self.diagnostics.append(self._document.diagnostic("E037", message, pointer, help=cure))
        own = self._cure(pointer, path)
        names, clashes = property_names(properties, self._lock.of(nested), reserved.PROPERTIES, own)
        for clash in clashes:
            place = (*pointer, "properties", clash.wire)
            self.diagnostics.append(self._document.diagnostic(clash.code, clash.message, place, "key", clash.help))
        self.objects[pointer] = ObjectNames(
            class_name=nested or input_class(self._names),
            constant=constant_name(*path, reserved=reserved.CONSTANTS) if nested else ConstantName("INPUT"),
            properties=names,
        )
        return names

    def _cure(self, pointer: Pointer, path: tuple[str, ...]) -> Cure:
        """Where names.json has the names of the object at a pointer."""
        return Cure(model_id=self._model_id, class_name=nested_class(self._names, path) if pointer else None)


def _has_properties(schema: Json) -> bool:
    return isinstance(schema, dict) and isinstance(schema.get("properties"), dict)
