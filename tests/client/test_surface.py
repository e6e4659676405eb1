"""The sync and the async client are one thing: same names, same arguments, same words."""

from __future__ import annotations

import inspect
import re

import pytest
from runcomfy_client.catalog import AsyncCatalog, Catalog
from runcomfy_client.client import AsyncClient, SyncClient
from runcomfy_client.jobs import AsyncJob, Job
from runcomfy_client.resources import AsyncResource, Resource
from runcomfy_client.result_store import AsyncResultStore, ResultStore
from runcomfy_client.results import AsyncFile, AsyncResult, File, Result

PAIRS = [
    (SyncClient, AsyncClient),
    (Catalog, AsyncCatalog),
    (Job, AsyncJob),
    (Result, AsyncResult),
    (File, AsyncFile),
    (ResultStore, AsyncResultStore),
    (Resource, AsyncResource),
]


def surface(kind: type) -> dict[str, object]:
    return {
        name: value
        for name, value in inspect.getmembers(kind)
        if not name.startswith("_") or name in ("__init__", "_submit")
    }


def without_async(text: object) -> str:
    """The words of the async twin with what must differ taken out."""
    plain = re.sub(r"\bAsync(?=[A-Z])", "", str(text))
    return plain.replace("SyncClient", "Client").replace("SyncDriver", "Driver").replace(", asynchronously", "")


@pytest.mark.parametrize(("sync", "twin"), PAIRS, ids=lambda kind: kind.__name__)
def test_the_twins_have_the_same_surface(sync: type, twin: type) -> None:
    ours, theirs = surface(sync), surface(twin)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        if inspect.isfunction(value):
            other = theirs[name]
            assert inspect.isfunction(other)
            assert without_async(inspect.signature(other)) == without_async(inspect.signature(value)), name
            assert without_async(other.__doc__) == without_async(value.__doc__), name


@pytest.mark.parametrize(("sync", "twin"), PAIRS, ids=lambda kind: kind.__name__)
def test_what_blocks_here_is_awaited_there(sync: type, twin: type) -> None:
    sends = {"status", "poll", "wait", "result", "cancel", "submit", "_submit", "balance", "list", "get", "close"}
    sends |= {"download", "read", "save", "find"}
    for name, value in surface(twin).items():
        if inspect.isfunction(value):
            assert inspect.iscoroutinefunction(value) == (name in sends), name


@pytest.mark.parametrize("kind", [kind for pair in PAIRS for kind in pair], ids=lambda kind: kind.__name__)
def test_everything_public_is_documented(kind: type) -> None:
    for name, value in surface(kind).items():
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            assert inspect.getdoc(value), f"{kind.__name__}.{name}"
