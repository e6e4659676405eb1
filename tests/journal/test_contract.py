"""The contract of journal stores, run on each store."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.journal.contract import StoreContract
from tests.support.internals import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from runcomfy_client.journal.base import JournalStore

_NUMBERS = itertools.count(1)


def sqlite(request: pytest.FixtureRequest, folder: Path) -> Callable[[], JournalStore]:
    return partial(SqliteStore, folder / "jobs.sqlite")


def postgres(request: pytest.FixtureRequest, folder: Path) -> Callable[[], JournalStore]:
    from tests.support.internals import PostgresStore

    url = request.getfixturevalue("postgres_url")
    return partial(PostgresStore, url, schema=f"journal_{next(_NUMBERS)}", spill_start=folder / "jobs")


STORES = {"sqlite": sqlite, "postgres": postgres}


class TestStores(StoreContract):
    @pytest.fixture(params=STORES)
    def open_store(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], JournalStore]]:
        opened: list[JournalStore] = []
        open_one = STORES[request.param](request, tmp_path)

        def open_store() -> JournalStore:
            opened.append(open_one())
            return opened[-1]

        yield open_store
        for store in opened:
            store.close()
