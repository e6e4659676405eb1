"""The document of a schema store: its models, read and patched as the generator reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import __version__
from ..building.inventory import lower_store
from ..diagnostics.diagnostic import has_errors
from ..lowering.output import own_output
from ..reading import store
from ..reading.load import load, read_common_output
from ..reading.source import parse_document
from ..reading.texts import unwrap_output
from .document import ModelSchemas, make_document

if TYPE_CHECKING:
    from pathlib import Path

    from ..diagnostics.diagnostic import Diagnostic
    from ..reading.load import Loaded
    from ..reading.source import Json


def document_of(schemas: Path, server: str | None = None) -> tuple[dict[str, object] | None, tuple[Diagnostic, ...]]:
    """The document of a schema store; None with the diagnostics if a schema has an error."""
    lowered = lower_store(schemas)
    if has_errors(lowered.diagnostics):
        return None, lowered.diagnostics
    common_bytes = read_common_output(schemas)
    common = parse_document(common_bytes, store.OUTPUT)[0] if common_bytes is not None else None
    loaded_models = (load(task.source)[0] for task, _ in lowered.models)
    models = [_schemas_of(loaded) for loaded in loaded_models if loaded]
    document = make_document(models, _output(common.value if common else {}), version=__version__, server=server)
    return document, lowered.diagnostics


def _schemas_of(loaded: Loaded) -> ModelSchemas:
    own = own_output(loaded)
    return ModelSchemas(
        model_id=loaded.model_id,
        input=loaded.input.value if isinstance(loaded.input.value, dict) else {},
        output=_output(own.value) if own else None,
        example=loaded.example.value if loaded.example else None,
        listing=loaded.model_json.value if loaded.model_json and isinstance(loaded.model_json.value, dict) else {},
    )


def _output(document: Json) -> dict[str, Json]:
    schema = unwrap_output(document)
    return schema if isinstance(schema, dict) else {}
