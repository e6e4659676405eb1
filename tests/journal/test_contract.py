"""The contract of journal stores, run on each store."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.journal.contract import StoreContract
from tests.support.internals import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runcomfy_client.journal.base import JournalStore

STORES: dict[str, Callable[[Path], JournalStore]] = {"sqlite": lambda folder: SqliteStore(folder / "jobs.sqlite")}


class TestStores(StoreContract):
    @pytest.fixture(params=STORES)
    def open_store(self, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], JournalStore]:
        return partial(STORES[request.param], tmp_path)
