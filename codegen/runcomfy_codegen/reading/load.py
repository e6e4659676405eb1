"""First step: a model's files become documents; a patch is applied on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import store
from .patching import apply_patch
from .source import parse_document, read_document

if TYPE_CHECKING:
    from pathlib import Path

    from ..diagnostics.diagnostic import Diagnostic
    from .patching import PatchedDocument
    from .source import Document, Json
    from .store import ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """The bytes of a model's files, as they lie in the store. `common_output` is the output.json all models share."""

    model_id: ModelId
    input: bytes
    output: bytes | None = None
    example: bytes | None = None
    patch: bytes | None = None
    model_json: bytes | None = None
    common_output: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model's documents, read and patched."""

    model_id: ModelId
    input: PatchedDocument
    output: Document | None
    example: Document | None
    common_output: Document | None
    model_json: Document | None = None


def read_common_output(schemas: Path) -> bytes | None:
    """The output.json that all models share, if the store has one; OSError passes through."""
    path = schemas / store.OUTPUT
    return path.read_bytes() if path.is_file() else None


def read_source(folder: store.ModelFolder, common_output: bytes | None, received: bytes | None = None) -> ModelSource:
    """Read a model's files; OSError passes through. `received` is the input.json that is about to be written there."""

    def content(name: str) -> bytes | None:
        path = folder.file(name)
        return path.read_bytes() if path else None

    return ModelSource(
        model_id=folder.model_id,
        input=(folder.path / store.INPUT).read_bytes() if received is None else received,
        output=content(store.OUTPUT),
        example=content(store.EXAMPLE),
        patch=content(store.PATCH),
        model_json=content(store.MODEL),
        common_output=common_output,
    )


def read_model_json(schemas: Path, model_id: ModelId) -> dict[str, Json]:
    """A model's model.json, its listing in the catalog; empty if there is none, or none that can be read."""
    path = store.model_folder(schemas, model_id).path / store.MODEL
    document = read_document(path)[0] if path.is_file() else None
    return document.value if document and isinstance(document.value, dict) else {}


def load(source: ModelSource) -> tuple[Loaded | None, tuple[Diagnostic, ...]]:
    """Parse and patch. Files are named as below schemas/: `acme/poster-1/input.json`."""
    diagnostics: list[Diagnostic] = []

    def parse(data: bytes | None, name: str) -> Document | None:
        if data is None:
            return None
        document, problems = parse_document(data, name)
        diagnostics.extend(problems)
        return document

    def own(name: str) -> str:
        return f"{source.model_id}/{name}"

    received = parse(source.input, own(store.INPUT))
    patch = parse(source.patch, own(store.PATCH))
    output = parse(source.output, own(store.OUTPUT))
    example = parse(source.example, own(store.EXAMPLE))
    model_json = parse(source.model_json, own(store.MODEL))
    common = parse(source.common_output, store.OUTPUT)
    if received is None or diagnostics:
        return None, tuple(diagnostics)
    document, patch_diagnostics = apply_patch(received, patch)
    if document is None:
        return None, patch_diagnostics
    return (
        Loaded(
            model_id=source.model_id,
            input=document,
            output=output,
            example=example,
            common_output=common,
            model_json=model_json,
        ),
        patch_diagnostics,
    )
