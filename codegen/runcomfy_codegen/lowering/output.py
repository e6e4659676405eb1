"""The output's schema becomes nodes, leniently: a paid result is never rejected, so only shapes count, not bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runcomfy_client.schema import (
    AnyOf,
    AnyValue,
    Array,
    Boolean,
    Integer,
    Media,
    Node,
    Null,
    Number,
    Object,
    Property,
    String,
)
from runcomfy_client.schema.dialect import MEDIA_FORMATS, text_of, types_of

from ..naming import reserved
from ..naming.identifiers import ClassName, PythonName, class_name, constant_name
from ..naming.names import Cure, property_names
from ..reading.texts import is_wrapped, same_except_texts, unwrap_output
from .model import ObjectClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..diagnostics.diagnostic import Diagnostic
    from ..naming.lock import ModelLock
    from ..reading.load import Loaded
    from ..reading.positions import Pointer
    from ..reading.source import Document, Json

_FILE_FORMATS = frozenset({"uri", "url", *MEDIA_FORMATS})
_LEAVES: Mapping[str, type[Node]] = {
    "string": String,
    "integer": Integer,
    "number": Number,
    "boolean": Boolean,
    "null": Null,
}


def own_output(loaded: Loaded) -> Document | None:
    """The model's output.json if it says anything that the common one does not."""
    if loaded.output is None or (
        loaded.common_output and same_except_texts(loaded.output.value, loaded.common_output.value)
    ):
        return None
    return loaded.output


def lower_output(
    loaded: Loaded, document: Document, output_class: ClassName, lock: ModelLock
) -> tuple[tuple[ObjectClass, ...], dict[ClassName, dict[str, PythonName]], tuple[Diagnostic, ...]]:
    """The classes of the output, innermost first, the names of its properties by class, and diagnostics."""
    pointer: Pointer = ("output",) if is_wrapped(document.value) else ()
    schema = unwrap_output(document.value)
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        message = 'an output schema is {"output": {"type": "object", "properties": {...}}}'
        return (), {}, (document.diagnostic("E017", message, pointer),)
    lowering = _Lowering(loaded, document, lock)
    lowering.object(schema, pointer, output_class)
    return tuple(lowering.classes), lowering.names, tuple(lowering.diagnostics)


class _Lowering:
    def __init__(self, loaded: Loaded, document: Document, lock: ModelLock) -> None:
        self._model_id = loaded.model_id
        self._document = document
        self._lock = lock
        self.classes: list[ObjectClass] = []
        self.names: dict[ClassName, dict[str, PythonName]] = {}
        self.diagnostics: list[Diagnostic] = []

    def object(self, schema: Mapping[str, Json], pointer: Pointer, name: ClassName) -> Object:
        properties = schema["properties"]
        assert isinstance(properties, dict)
        if name in self.names:
            message = f"two objects of this output both become the class {name}"
            self.diagnostics.append(self._document.diagnostic("E037", message, pointer))
        cure = Cure(model_id=self._model_id, class_name=name)
        names, clashes = property_names(properties, self._lock.of(name), reserved.OUTPUT_PROPERTIES, cure)
        for clash in clashes:
            place = (*pointer, "properties", clash.wire)
            self.diagnostics.append(self._document.diagnostic(clash.code, clash.message, place, "key", clash.help))
        self.names[name] = names
        nodes = {
            wire: Property(
                self._node(property_, (*pointer, "properties", wire), (name, names[wire])),
                name=names[wire] if names[wire] != wire else None,
                title=text_of(property_, "title"),
                description=text_of(property_, "description"),
            )
            for wire, property_ in properties.items()
            if wire in names
        }
        node = Object(nodes, extra=True, description=text_of(schema, "description"))
        constant = constant_name(name, reserved=reserved.CONSTANTS)
        self.classes.append(ObjectClass(node=node, name=name, constant=constant))
        return node

    def _node(self, schema: Json, pointer: Pointer, path: tuple[str, ...]) -> Node:
        if not isinstance(schema, dict):
            return AnyValue()
        nodes = [self._node_of_type(type_, schema, pointer, path) for type_ in types_of(schema)]
        if not nodes:
            return AnyValue()
        return nodes[0] if len(nodes) == 1 else AnyOf(*nodes)

    def _node_of_type(self, type: str, schema: Mapping[str, Json], pointer: Pointer, path: tuple[str, ...]) -> Node:
        if type == "array":
            items = self._node(schema["items"], (*pointer, "items"), (*path, "item")) if "items" in schema else None
            return Array(items)
        if type == "object":
            if isinstance(schema.get("properties"), dict):
                return self.object(schema, pointer, class_name(*path))
            return Object({}, extra=True)
        if type == "string" and str(schema.get("format")) in _FILE_FORMATS:
            return Media("file")
        return _LEAVES.get(type, AnyValue)()
