"""The same job on bare aiohttp: about the least an asyncio client in Python can cost."""

from __future__ import annotations

import asyncio

import aiohttp

from .load import MODEL, PROMPT


def aopened(origin: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(origin, headers={"Authorization": "Bearer benchmark-token"})


async def ajob(client: aiohttp.ClientSession, pause: float) -> object:
    async with client.post(f"/v1/models/{MODEL}", json={"prompt": PROMPT}, raise_for_status=True) as reply:
        request_id = (await reply.json())["request_id"]
    while True:
        async with client.get(f"/v1/requests/{request_id}/status", raise_for_status=True) as reply:
            if (await reply.json())["status"] == "completed":
                break
        await asyncio.sleep(pause)
    async with client.get(f"/v1/requests/{request_id}/result", raise_for_status=True) as reply:
        return (await reply.json())["output"]
