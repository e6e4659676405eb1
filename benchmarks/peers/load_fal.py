"""The same job through fal-client, on a server that speaks fal's queue API.

fal-client knows only https addresses; the one thing changed in it is the address of its queue.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import fal_client  # type: ignore[import-not-found] # lives in the peers' environment only
import fal_client.client  # type: ignore[import-not-found]

from .load import PROMPT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def aopened(origin: str) -> AsyncIterator[fal_client.AsyncClient]:
    fal_client.client.QUEUE_URL_FORMAT = f"{origin}/"
    yield fal_client.AsyncClient(key="benchmark-key")


async def ajob(client: fal_client.AsyncClient, pause: float) -> object:
    handle = await client.submit("benchmark/model", {"prompt": PROMPT})
    return await handle.get(interval=pause)
