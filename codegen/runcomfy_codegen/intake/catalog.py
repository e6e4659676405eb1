"""Read a catalog reply, saved or live, into entries; and choose those that ids and globs ask for."""

from __future__ import annotations

import difflib
import importlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

from ..diagnostics.diagnostic import Diagnostic, quote
from ..reading.source import parse_text
from ..reading.store import model_id_error
from ..terminal import NO_ACCESS, UNAVAILABLE, USAGE
from .text import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..reading.positions import Pointer
    from ..reading.source import Document, Json

# The catalog's listing of a model: everything but its schema. `inputs` and `required_inputs` only repeat the schema.
PRICES = ("base_price_usd", "price_unit", "pricing_note")
LISTING_KEYS = ("display_name", "description", "categories", "kind", *PRICES)
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the catalog. `schema` is None if the entry has none; `listing` holds its LISTING_KEYS."""

    model_id: str
    schema: dict[str, Json] | None
    listing: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Reply:
    """The entries of a reply, by id, and the diagnostics of single entries, which do not affect the others."""

    entries: dict[str, Entry]
    diagnostics: tuple[Diagnostic, ...]


def read_reply(data: bytes, name: str) -> tuple[Reply | None, tuple[Diagnostic, ...]]:
    """A saved reply: `{"models": [...]}`, a bare list of entries, or one entry."""
    text, diagnostics = decode(data, name)
    if text is None:
        return None, diagnostics
    document, diagnostics = parse_text(text, name)
    if document is None:
        return None, diagnostics
    value: Json = document.value
    at: Pointer = ()
    if isinstance(value, dict) and "models" in value:
        value, at = value["models"], ("models",)
    if isinstance(value, dict) and "model_id" in value:
        return _entries(document, [value], [()]), ()
    if isinstance(value, list):
        return _entries(document, value, [(*at, number) for number in range(len(value))]), ()
    help = 'A reply looks like {"models": [{"model_id": "...", "input_schema": {...}}, ...]}.'
    return None, (document.diagnostic("E085", "is not a reply of the catalog", at, help=help),)


def entry_of(raw: dict[str, Json]) -> Entry:
    """An entry as received; the caller has seen that it has an id."""
    schema = raw.get("input_schema")
    return Entry(
        model_id=str(raw["model_id"]),
        schema=schema if isinstance(schema, dict) else None,
        # A null or an empty text says no more than a missing key.
        listing={key: raw[key] for key in LISTING_KEYS if raw.get(key) not in (None, "")},
    )


def entry_diagnostics(entry: Entry) -> tuple[Diagnostic, ...]:
    """Why an entry cannot be written. A catalog reply must not choose where files are written."""
    if reason := model_id_error(entry.model_id):
        return (Diagnostic(code="E073", message=f"{quote(entry.model_id)} is not a usable model id: {reason}"),)
    if entry.schema is None:
        help = "Save the reply of GET /v1/models?include_schema=true, or leave --from out to ask the live catalog."
        message = f"the entry of {quote(entry.model_id)} has no input_schema"
        return (Diagnostic(code="E086", message=message, help=help),)
    # A saved reply went through the strict reader; this is for a live one.
    try:
        text = json.dumps([entry.schema, entry.listing], indent=2, ensure_ascii=False)
    except RecursionError:
        return (Diagnostic(code="E006", message=f"the schema of {quote(entry.model_id)} is nested too deep"),)
    return parse_text(text, f"catalog entry {entry.model_id}")[1]


def choose(patterns: Sequence[str], ids: Sequence[str]) -> tuple[tuple[str, ...], tuple[Diagnostic, ...]]:
    """The ids that any pattern asks for, in the catalog's order, and a diagnostic for each pattern that matches none.

    `*` matches slashes too, so `bytedance/*` is all of bytedance.
    """
    chosen = tuple(model_id for model_id in ids if matches(model_id, patterns))
    diagnostics = [
        _unmatched(pattern, ids) for pattern in patterns if not any(matches(model_id, [pattern]) for model_id in ids)
    ]
    return chosen, tuple(diagnostics)


def matches(model_id: str, patterns: Sequence[str]) -> bool:
    return any(model_id == pattern or fnmatchcase(model_id, pattern) for pattern in patterns)


def _entries(document: Document, raw_entries: list[Json], pointers: list[Pointer]) -> Reply:
    entries: dict[str, Entry] = {}
    diagnostics: list[Diagnostic] = []
    for raw, at in zip(raw_entries, pointers, strict=True):
        if not isinstance(raw, dict) or not isinstance(raw.get("model_id"), str):
            diagnostics.append(document.diagnostic("W186", "this entry has no model_id; it is passed over", at))
            continue
        entry = entry_of(raw)
        if entry.model_id in entries and entries[entry.model_id] != entry:
            message = f"{quote(entry.model_id)} stands here a second time, with other contents; the first counts"
            diagnostics.append(document.diagnostic("W187", message, (*at, "model_id")))
        entries.setdefault(entry.model_id, entry)
    return Reply(entries, tuple(diagnostics))


def _unmatched(pattern: str, ids: Sequence[str]) -> Diagnostic:
    if _GLOB.search(pattern):
        providers = sorted({model_id.partition("/")[0] for model_id in ids})
        help = f"The catalog has {len(ids)} models of: {', '.join(providers[:20])}{', …' * (len(providers) > 20)}"
        return Diagnostic(code="E087", message=f"no model of the catalog fits {quote(pattern)}", help=help)
    by_lower = {model_id.lower(): model_id for model_id in ids}
    near = difflib.get_close_matches(pattern.lower(), list(by_lower), n=3)
    help = f"Did you mean {' or '.join(by_lower[name] for name in near)}?" if near else "Ids look like acme/poster-1."
    return Diagnostic(code="E087", message=f"the catalog has no model {quote(pattern)}", help=help)


class LiveError(Exception):
    """The catalog cannot be asked, or did not answer; the message says why and what to do.

    ``exit_code`` is the one that runcomfy-client's commands give it.
    """

    def __init__(self, message: str, exit_code: int = UNAVAILABLE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class _Model(Protocol):
    @property
    def raw(self) -> dict[str, Json]: ...


class _Catalog(Protocol):
    def list(self, *, include_schema: bool) -> Iterable[_Model]: ...

    def get(self, model_id: str) -> _Model: ...


def fetch(
    choose: Callable[[Sequence[str]], Sequence[str]], progress: Callable[[str], None]
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
            return _fetch(client.catalog, choose, progress, missing)
    except runcomfy.ConfigurationError as error:
        raise LiveError(error.message, USAGE) from error
    except runcomfy.AuthenticationError as error:
        # What the error itself advises is Python.
        cure = "Export RUNCOMFY_API_TOKEN=... with the token of your profile, or read a saved reply with --from FILE."
        raise LiveError(f"{error.message} {cure}", NO_ACCESS) from error
    except (runcomfy.PermissionDeniedError, runcomfy.InsufficientBalanceError) as error:
        raise LiveError(error.message, NO_ACCESS) from error
    except failure as error:
        raise LiveError(error.message) from error


def _fetch(
    catalog: _Catalog,
    choose: Callable[[Sequence[str]], Sequence[str]],
    progress: Callable[[str], None],
    missing: type[Exception],
) -> tuple[list[str], dict[str, Entry]]:
    progress("asking for the list of models")
    models = [model.raw for model in catalog.list(include_schema=True)]
    listed = {str(model["model_id"]): model for model in models if model.get("model_id")}
    chosen = choose(list(listed))
    entries = {}
    for number, model_id in enumerate(chosen, 1):
        entry = entry_of(listed[model_id])
        if entry.schema is None and not model_id_error(model_id):
            progress(f"{number} of {len(chosen)}: {model_id}")
            # A model that is gone between the two calls stays without a schema, which is reported later.
            with suppress(missing):
                entry = entry_of({**listed[model_id], **catalog.get(model_id).raw, "model_id": model_id})
        entries[model_id] = entry
    return list(listed), entries
