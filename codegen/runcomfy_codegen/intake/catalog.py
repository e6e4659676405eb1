"""Read a catalog reply, saved or live, into entries; and choose those that ids and globs ask for."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import Diagnostic, quote
from ..reading.source import parse_text
from ..reading.store import model_id_fault
from .text import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..reading.positions import Pointer
    from ..reading.source import Document, Json

# What the catalog says of a model besides its schema. `inputs` and `required_inputs` only repeat the schema.
PRICES = ("base_price_usd", "price_unit", "pricing_note")
FACTS = ("display_name", "description", "categories", "kind", *PRICES)
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the catalog. `schema` is None if the entry came without one; `facts` are those of FACTS it has."""

    model_id: str
    schema: dict[str, Json] | None
    facts: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Reply:
    """The entries of a reply, by id, and the faults of single entries, which do not touch the others."""

    entries: dict[str, Entry]
    faults: tuple[Diagnostic, ...]


def read_reply(data: bytes, name: str) -> tuple[Reply | None, tuple[Diagnostic, ...]]:
    """A saved reply: `{"models": [...]}`, a bare list of entries, or one entry."""
    text, faults = decode(data, name)
    if text is None:
        return None, faults
    document, faults = parse_text(text, name)
    if document is None:
        return None, faults
    value: Json = document.value
    at: Pointer = ()
    if isinstance(value, dict) and "models" in value:
        value, at = value["models"], ("models",)
    if isinstance(value, dict) and "model_id" in value:
        return _entries(document, [value], [()]), ()
    if isinstance(value, list):
        return _entries(document, value, [(*at, number) for number in range(len(value))]), ()
    help = 'A reply looks like {"models": [{"model_id": "...", "input_schema": {...}}, ...]}.'
    return None, (document.diagnostic("E085", "is no reply of the catalog", at, help=help),)


def entry_of(raw: dict[str, Json]) -> Entry:
    """An entry as received; the caller has seen that it has an id."""
    schema = raw.get("input_schema")
    return Entry(
        model_id=str(raw["model_id"]),
        schema=schema if isinstance(schema, dict) else None,
        # A null or an empty text says no more than a missing key.
        facts={key: raw[key] for key in FACTS if raw.get(key) not in (None, "")},
    )


def faults_of(entry: Entry) -> tuple[Diagnostic, ...]:
    """Why an entry cannot be written. Whoever answers for the catalog does not choose where files go, or which."""
    if reason := model_id_fault(entry.model_id):
        return (Diagnostic(code="E073", message=f"{quote(entry.model_id)} is no usable model id: {reason}"),)
    if entry.schema is None:
        help = "Save the reply of GET /v1/models?include_schema=true, or leave --from out to ask the live catalog."
        message = f"the entry of {quote(entry.model_id)} has no input_schema"
        return (Diagnostic(code="E086", message=message, help=help),)
    # A saved reply went through the strict reader; this is for a live one.
    try:
        text = json.dumps([entry.schema, entry.facts], indent=2, ensure_ascii=False)
    except RecursionError:
        return (Diagnostic(code="E006", message=f"the schema of {quote(entry.model_id)} is nested too deep"),)
    return parse_text(text, f"catalog entry {entry.model_id}")[1]


def choose(patterns: Sequence[str], ids: Sequence[str]) -> tuple[tuple[str, ...], tuple[Diagnostic, ...]]:
    """The ids that any pattern asks for, in the catalog's order, and a fault for each pattern that asks for none.

    `*` matches slashes too, so `bytedance/*` is all of bytedance.
    """
    chosen = tuple(model_id for model_id in ids if wanted(model_id, patterns))
    faults = [_unmatched(pattern, ids) for pattern in patterns if not any(wanted(each, [pattern]) for each in ids)]
    return chosen, tuple(faults)


def wanted(model_id: str, patterns: Sequence[str]) -> bool:
    return any(model_id == pattern or fnmatchcase(model_id, pattern) for pattern in patterns)


def _entries(document: Document, found: list[Json], pointers: list[Pointer]) -> Reply:
    entries: dict[str, Entry] = {}
    faults: list[Diagnostic] = []
    for raw, at in zip(found, pointers, strict=True):
        if not isinstance(raw, dict) or not isinstance(raw.get("model_id"), str):
            faults.append(document.diagnostic("W186", "this entry has no model_id; it is passed over", at))
            continue
        entry = entry_of(raw)
        if entry.model_id in entries and entries[entry.model_id] != entry:
            message = f"{quote(entry.model_id)} stands here a second time, with other contents; the first counts"
            faults.append(document.diagnostic("W187", message, (*at, "model_id")))
        entries.setdefault(entry.model_id, entry)
    return Reply(entries, tuple(faults))


def _unmatched(pattern: str, ids: Sequence[str]) -> Diagnostic:
    if _GLOB.search(pattern):
        providers = sorted({model_id.partition("/")[0] for model_id in ids})
        help = f"The catalog has {len(ids)} models of: {', '.join(providers[:20])}{', …' * (len(providers) > 20)}"
        return Diagnostic(code="E087", message=f"no model of the catalog fits {quote(pattern)}", help=help)
    by_lower = {model_id.lower(): model_id for model_id in ids}
    near = difflib.get_close_matches(pattern.lower(), list(by_lower), n=3)
    help = f"Did you mean {' or '.join(by_lower[each] for each in near)}?" if near else "Ids look like acme/poster-1."
    return Diagnostic(code="E087", message=f"the catalog has no model {quote(pattern)}", help=help)
