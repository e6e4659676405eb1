"""The same job through this project's client: endpoint method, validation, wait, parsed output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runcomfy import AsyncRunComfy, RunComfy

from .load import PROMPT

if TYPE_CHECKING:
    from runcomfy.models.bytedance.dreamina_4_0.text_to_image import TextToImageOutput

TOKEN = "benchmark-token"


def opened(origin: str) -> RunComfy:
    return RunComfy(TOKEN, origin)


def aopened(origin: str) -> AsyncRunComfy:
    return AsyncRunComfy(TOKEN, origin)


def job(client: RunComfy, pause: float) -> TextToImageOutput:
    return client.bytedance.dreamina_4_0.text_to_image(prompt=PROMPT).wait(poll_interval=pause).output


async def ajob(client: AsyncRunComfy, pause: float) -> TextToImageOutput:
    job = await client.bytedance.dreamina_4_0.text_to_image(prompt=PROMPT)
    return (await job.wait(poll_interval=pause)).output
