"""The five requests of a job on bare httpx, as one would write them by hand; limits are httpx's own."""

from __future__ import annotations

import asyncio
import time

import httpx

from .load import MODEL, PROMPT

HEADERS = {"Authorization": "Bearer benchmark-token"}


def opened(origin: str) -> httpx.Client:
    return httpx.Client(base_url=origin, headers=HEADERS, timeout=None)


def aopened(origin: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=origin, headers=HEADERS, timeout=None)


def job(client: httpx.Client, pause: float) -> object:
    request_id = _read(client.post(f"/v1/models/{MODEL}", json={"prompt": PROMPT}))["request_id"]
    while _read(client.get(f"/v1/requests/{request_id}/status"))["status"] != "completed":
        time.sleep(pause)
    return _read(client.get(f"/v1/requests/{request_id}/result"))["output"]


async def ajob(client: httpx.AsyncClient, pause: float) -> object:
    request_id = _read(await client.post(f"/v1/models/{MODEL}", json={"prompt": PROMPT}))["request_id"]
    while _read(await client.get(f"/v1/requests/{request_id}/status"))["status"] != "completed":  # noqa: ASYNC110
        await asyncio.sleep(pause)
    return _read(await client.get(f"/v1/requests/{request_id}/result"))["output"]


def _read(response: httpx.Response) -> dict[str, str]:
    response.raise_for_status()
    answer: dict[str, str] = response.json()
    return answer
