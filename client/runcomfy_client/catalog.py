"""RunComfy's catalog as a client offers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .api import catalog

if TYPE_CHECKING:
    from .api.calls import Session
    from .api.catalog import CatalogEntry
    from .transport.async_driver import AsyncDriver
    from .transport.sync_driver import SyncDriver


class Catalog:
    """RunComfy's list of models."""

    def __init__(self, session: Session, driver: SyncDriver) -> None:
        self._session = session
        self._driver = driver

    def list(
        self, search: str | None = None, category: str | None = None, *, include_schema: bool = False
    ) -> list[CatalogEntry]:
        """Every model that fits, with its base price; with its input schema too if asked."""
        return self._driver.run(catalog.list_models(self._session, search, category, include_schema))

    def get(self, model_id: str) -> CatalogEntry:
        """One model, with its input schema. Raises NotFoundError."""
        return self._driver.run(catalog.get_model(self._session, model_id))


class AsyncCatalog:
    """RunComfy's list of models."""

    def __init__(self, session: Session, driver: AsyncDriver) -> None:
        self._session = session
        self._driver = driver

    async def list(
        self, search: str | None = None, category: str | None = None, *, include_schema: bool = False
    ) -> list[CatalogEntry]:
        """Every model that fits, with its base price; with its input schema too if asked."""
        return await self._driver.run(catalog.list_models(self._session, search, category, include_schema))

    async def get(self, model_id: str) -> CatalogEntry:
        """One model, with its input schema. Raises NotFoundError."""
        return await self._driver.run(catalog.get_model(self._session, model_id))
