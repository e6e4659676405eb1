"""Ask the live catalog, through the generated client. Only here does the generator's program touch it, on demand."""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from ..reading.store import model_id_fault
from .catalog import Entry, entry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..reading.source import Json


class LiveError(Exception):
    """The catalog cannot be asked, or did not answer; the message says why and what to do."""


class _Model(Protocol):
    @property
    def raw(self) -> dict[str, Json]: ...


class _Catalogue(Protocol):
    def list(self, *, include_schema: bool) -> Iterable[_Model]: ...

    def get(self, model_id: str) -> _Model: ...


def fetch(
    choose: Callable[[Sequence[str]], Sequence[str]], tell: Callable[[str], None]
) -> tuple[list[str], dict[str, Entry]]:
    """All ids of the catalog, and the entries of those that `choose` takes, each with its schema if it has one.

    Raises LiveError.
    """
    try:
        runcomfy = importlib.import_module("runcomfy")
        client_class, failure, missing = runcomfy.RunComfy, runcomfy.RunComfyError, runcomfy.NotFoundError
    except (ImportError, AttributeError) as error:
        raise LiveError(
            f"the generated client, which asks the catalog, cannot be imported: {error}. "
            "Run `runcomfy-codegen generate` first, or read a saved reply with --from FILE."
        ) from error
    try:
        with client_class() as client:
            return _fetch(client.catalog, choose, tell, missing)
    except failure as error:
        raise LiveError(str(error)) from error


def _fetch(
    catalog: _Catalogue,
    choose: Callable[[Sequence[str]], Sequence[str]],
    tell: Callable[[str], None],
    missing: type[Exception],
) -> tuple[list[str], dict[str, Entry]]:
    tell("asking for the list of models")
    models = [model.raw for model in catalog.list(include_schema=True)]
    listed = {str(model["model_id"]): model for model in models if model.get("model_id")}
    chosen = choose(list(listed))
    entries = {}
    for number, model_id in enumerate(chosen, 1):
        entry = entry_of(listed[model_id])
        if entry.schema is None and not model_id_fault(model_id):
            tell(f"{number} of {len(chosen)}: {model_id}")
            # A model that went between the two calls stays without a schema, which is told then.
            with suppress(missing):
                entry = entry_of({**listed[model_id], **catalog.get(model_id).raw, "model_id": model_id})
        entries[model_id] = entry
    return list(listed), entries
