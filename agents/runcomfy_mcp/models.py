"""The models an agent can find: those of the generated package, with today's price where the catalog can be asked."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from runcomfy_client.describe.json_schema import input_schema
from runcomfy_client.describe.parameters import parameters
from runcomfy_client.describe.prices import Price, base_price, job_estimate, price_of
from runcomfy_client.describe.search import near_names, search_models
from runcomfy_client.describe.snippets import example_input
from runcomfy_client.errors import AuthenticationError, RunComfyError

from .text import LONGEST_DESCRIPTION, LONGEST_TITLE, clean, clean_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runcomfy_client.api.catalog import CatalogEntry
    from runcomfy_client.client import AsyncClient
    from runcomfy_client.packages import ModelPackage
    from runcomfy_client.schema.spec import ModelSpec

# Prices change seldom; an agent may ask for many models in a row.
FRESH_SECONDS = 600.0
# The catalog is a help, not a need: what the package knows is answered without it.
CATALOG_SECONDS = 5.0


class Models:
    """The models of a package."""

    def __init__(self, package: ModelPackage, client: AsyncClient) -> None:
        self._package = package
        self._client = client
        self._entries: dict[str, tuple[float, CatalogEntry | None]] = {}

    def spec(self, model_id: str) -> ModelSpec:
        """What is known of a model. Raises UnknownModelError, which names the nearest ids."""
        return self._package.known_spec(model_id)

    def search(self, query: str, category: str, limit: int) -> dict[str, Any]:
        """The models whose id, title and categories hold all words; a misspelt word stands for the nearest one."""
        specs = [self.spec(model_id) for model_id in self._package.model_ids()]
        of_category = [spec for spec in specs if category.casefold() in ["", *map(str.casefold, spec.categories)]]
        search = search_models(query, of_category)
        answer: dict[str, Any] = {"models": [_row(spec) for spec in search.models[:limit]], "total": len(search.models)}
        if search.corrected:
            answer["corrected"] = dict(search.corrected)
        if not search.models:
            answer["near"] = near_names(query, self._package.model_ids())[:5]
            answer["categories"] = sorted({name for spec in specs for name in spec.categories})
        return answer

    def has_category(self, name: str) -> bool:
        """Whether any model is of this category."""
        specs = [self.spec(model_id) for model_id in self._package.model_ids()]
        return any(name.casefold() == category.casefold() for spec in specs for category in spec.categories)

    async def describe(self, model_id: str) -> dict[str, Any]:
        """A model's schema, example and price."""
        spec = self.spec(model_id)
        entry = await self.entry(model_id)
        listed = entry is not None and entry.base_price_usd is not None
        return {
            **_row(spec),
            "categories": [clean(category, LONGEST_TITLE) for category in spec.categories],
            **({"base_price_usd": entry.base_price_usd, "price_unit": entry.price_unit} if entry and listed else {}),
            "price_note": clean(entry.pricing_note, LONGEST_DESCRIPTION) if entry else "",
            "price_source": "catalog, now" if listed else "catalog, when this client was generated",
            "input_schema": self.schema(model_id),
            "example": example_input(spec),
        }

    def schema(self, model_id: str) -> Any:
        """The standard JSON Schema of a model's input."""
        return clean_schema(input_schema(self.spec(model_id)))

    async def price(self, spec: ModelSpec) -> Price | None:
        """The base price as the catalog has it now, else as it had when the package was generated.

        Raises AuthenticationError if there is no token, or one that RunComfy refuses.
        """
        entry = await self._entry(spec.model_id)
        now = price_of(entry.base_price_usd, entry.price_unit) if entry else None
        return now or base_price(spec)

    async def estimate(self, spec: ModelSpec, input: Mapping[str, object]) -> float | None:
        """What a job will cost by the base price, in US dollars; None if there is no price, or it cannot be asked."""
        try:
            price = await self.price(spec)
        except AuthenticationError:
            price = base_price(spec)
        return None if price is None else job_estimate(price, spec, input)

    async def entry(self, model_id: str) -> CatalogEntry | None:
        """What the catalog says of a model now, or None if it cannot be asked or does not know it."""
        try:
            return await self._entry(model_id)
        except AuthenticationError:
            return None

    async def _entry(self, model_id: str) -> CatalogEntry | None:
        asked, entry = self._entries.get(model_id, (float("-inf"), None))
        if time.monotonic() - asked < FRESH_SECONDS:
            return entry
        try:
            async with asyncio.timeout(CATALOG_SECONDS):
                entry = await self._client.catalog.get(model_id)
        except AuthenticationError:
            raise
        except (RunComfyError, TimeoutError):
            return entry  # an old one is better than none
        self._entries[model_id] = (time.monotonic(), entry)
        return entry


def _row(spec: ModelSpec) -> dict[str, Any]:
    return {
        "model_id": spec.model_id,
        "title": clean(spec.display_name, LONGEST_TITLE),
        "required_inputs": [one.wire_name for one in parameters(spec) if one.required],
        "base_price_usd": spec.base_price_usd,
        "price_unit": clean(spec.price_unit, LONGEST_TITLE),
    }
