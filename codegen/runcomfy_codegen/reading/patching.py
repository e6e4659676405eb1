"""patch.json: RFC 6902, applied on load; its own errors are reported like a schema's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jsonpatch
import jsonpointer

from ..diagnostics.diagnostic import json_text, quote, visible
from .positions import pointer_text
from .source import too_deep

if TYPE_CHECKING:
    from ..diagnostics.diagnostic import Diagnostic
    from .positions import Part, Pointer
    from .source import Document, Json

_OPERATIONS = {
    "add": ("value",),
    "replace": ("value",),
    "test": ("value",),
    "remove": (),
    "move": ("from",),
    "copy": ("from",),
}
_UPSTREAM = (
    "If upstream has fixed the error, delete patch.json; else give the operation the place where it belongs now."
)


@dataclass(frozen=True)
class PatchedDocument:
    """A document after its patch. A diagnostic points into the patch if the patch wrote the value that it is about."""

    received: Document
    value: Json
    patch: Document | None = None
    # Where each operation wrote, with the operation's number.
    written: tuple[tuple[Pointer, int], ...] = ()

    def diagnostic(
        self, code: str, message: str, pointer: Pointer = (), part: Part = "value", help: str | None = None
    ) -> Diagnostic:
        """A diagnostic at a pointer of the patched document."""
        if self.patch:
            for place, number in reversed(self.written):
                if pointer[: len(place)] == place:
                    inside: Pointer = (number, "value", *pointer[len(place) :])
                    # `move` and `copy` have no value of their own.
                    target = inside if _has_value(self.patch.value, inside) else (number,)
                    return self.patch.diagnostic(code, message, target, part, help)
        return self.received.diagnostic(code, message, pointer, part, help)

    def cure(self, lead: str, *operations: dict[str, Json]) -> str:
        """Help that prints the whole patch.json with these operations added; `lead` ends in "put"."""
        before = self.patch.value if self.patch and isinstance(self.patch.value, list) else []
        # As people would write it: an operation a line.
        lines = ",\n".join("  " + json_text(change) for change in (*before, *operations))
        return f"{lead} this into patch.json beside the schema:\n[\n{lines}\n]"


def operation(op: str, pointer: Pointer, **members: Json) -> dict[str, Json]:
    """One operation of a cure."""
    return {"op": op, "path": pointer_text(pointer), **members}


def apply_patch(received: Document, patch: Document | None) -> tuple[PatchedDocument | None, tuple[Diagnostic, ...]]:
    """Apply a patch to the input schema as it was received."""
    if patch is None:
        return PatchedDocument(received, received.value), ()
    diagnostics = tuple(_shape_diagnostics(patch))
    if diagnostics or not isinstance(patch.value, list):
        return None, diagnostics
    value = received.value
    written: list[tuple[Pointer, int]] = []
    for number, step in enumerate(patch.value):
        assert isinstance(step, dict)
        try:
            after: Json = jsonpatch.apply_patch(value, [step])
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, ValueError) as error:
            message = f"the patch no longer applies: {quote(_unfit_pointer(step, value))}: {_reason(error)}"
            return None, (patch.diagnostic("E041", message, (number,), help=_UPSTREAM),)
        if json.dumps(after) == json.dumps(value) and step["op"] != "test":
            message = (
                f"the patch changes nothing: {quote(str(step['path']))} is so already; upstream has fixed the error"
            )
            return None, (
                patch.diagnostic("E042", message, (number,), help="Delete the operation, or the whole file."),
            )
        if too_deep(after):
            return None, (patch.diagnostic("E006", "would nest the schema too deep", (number,)),)
        if step["op"] in ("add", "replace", "copy", "move"):
            written.append((_parts(str(step["path"]), value), number))
        value = after
    return PatchedDocument(received, value, patch, tuple(written)), ()


def _unfit_pointer(step: dict[str, Json], value: Json) -> str:
    """Which of an operation's pointers does not fit."""
    source = step.get("from")
    missing = object()
    if isinstance(source, str) and jsonpointer.JsonPointer(source).resolve(value, missing) is missing:
        return source
    return str(step["path"])


def _reason(error: Exception) -> str:
    if isinstance(error, jsonpatch.JsonPatchTestFailed):
        return "something else than the tested value stands there"
    if isinstance(error, jsonpatch.JsonPatchConflict | jsonpointer.JsonPointerException):
        return "there is no such place"
    return visible(str(error) or type(error).__name__)


def _shape_diagnostics(patch: Document) -> list[Diagnostic]:
    if not isinstance(patch.value, list) or not patch.value:
        return [patch.diagnostic("E040", "a patch is a list of operations, with at least one of them")]
    return [
        diagnostic
        for number, step in enumerate(patch.value)
        for diagnostic in _operation_diagnostics(patch, number, step)
    ]


def _operation_diagnostics(patch: Document, number: int, step: Json) -> list[Diagnostic]:
    def diagnostic(message: str, *pointer: str | int) -> Diagnostic:
        return patch.diagnostic("E040", message, (number, *pointer))

    if not isinstance(step, dict):
        return [diagnostic('an operation is an object with "op" and "path"')]
    kind = step.get("op")
    if not isinstance(kind, str) or kind not in _OPERATIONS:
        return [diagnostic(f'"op" is one of {", ".join(_OPERATIONS)}', "op")]
    missing = [name for name in ("path", *_OPERATIONS[kind]) if name not in step]
    diagnostics = [diagnostic(f'the operation "{kind}" needs "{name}"') for name in missing]
    for name in ("path", "from"):
        text = step.get(name, "")
        if not isinstance(text, str) or not _is_pointer(text):
            diagnostics.append(diagnostic(f'"{name}" is a JSON pointer, like "/properties/image"', name))
    return diagnostics


def _is_pointer(text: str) -> bool:
    try:
        jsonpointer.JsonPointer(text)
    except jsonpointer.JsonPointerException:
        return False
    return True


def _parts(path: str, before: Json) -> Pointer:
    """A pointer's parts, with numbers where the document has a list."""
    parts: list[str | int] = []
    here: Json = before
    for part in jsonpointer.JsonPointer(path).parts:
        if isinstance(here, list):
            index = len(here) if part == "-" else int(part)
            parts.append(index)
            here = here[index] if index < len(here) else None
        else:
            parts.append(str(part))
            here = here.get(str(part)) if isinstance(here, dict) else None
    return tuple(parts)


def _has_value(value: Json, pointer: Pointer) -> bool:
    for part in pointer:
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return False
    return True
