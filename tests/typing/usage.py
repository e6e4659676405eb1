"""How people use the client, as type checkers see it: all of it must pass mypy --strict and pyright in strict mode."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import runcomfy
from runcomfy import (
    AsyncJob,
    AsyncResult,
    AsyncRunComfy,
    Balance,
    CatalogEntry,
    HttpEvent,
    ImageInput,
    Job,
    MediaOutput,
    Result,
    RunComfy,
)
from runcomfy.models.bytedance.dreamina_4_0 import EditInput, TextToImageInput, TextToImageOutput


def generate(client: RunComfy) -> list[Path]:
    job = client.bytedance.dreamina_4_0.text_to_image(
        prompt="A paper moon", width_height="2048x2048(1:1)", scale=0.3, options={"job_key": "scene-12", "timeout": 30}
    )
    assert_type(job, Job[TextToImageOutput])
    result = job.wait(timeout=600, on_update=print, cancel_on_interrupt=True)
    assert_type(result, Result[TextToImageOutput])
    images = result.output.images or []
    print(job.request_id, job.model_id, images[0].url if images else None, result.cost, result.files, result.raw)
    return list(result.download("out/"))


async def generate_async(client: AsyncRunComfy) -> list[Path]:
    job = await client.bytedance.dreamina_4_0.text_to_image(prompt="A paper moon", scale=1)
    assert_type(job, AsyncJob[TextToImageOutput])
    async for update in job.updates():
        print(update.state, update.queue_position, update.elapsed)
    result = await job.wait(timeout=600)
    assert_type(result, AsyncResult[TextToImageOutput])
    return list(await result.download("out/"))


def edit(client: RunComfy, photo: Path) -> None:
    client.bytedance.dreamina_4_0.edit(
        image_urls=[photo, photo.read_bytes(), "https://example.com/a.png"], prompt="Bluer"
    )
    client.bytedance.dreamina_4_0.edit(image_urls=(photo,), prompt="Bluer")
    EditInput(image_urls=[photo], prompt="Bluer", width_height="1024x1024(1:1)")


def numbers(client: RunComfy) -> None:
    client.bytedance.seedream_4_0.sequential(text="3 images", sequential_image_generation_options=3)
    client.bytedance.dreamina_3_0.image_to_video(
        image_urls=[b"..."], prompt="", number_of_frames=121, resolution="720P"
    )


def typed_input(client: RunComfy) -> None:
    checked = TextToImageInput(prompt="A paper moon", scale=0.5)
    job = client.submit(checked, options={"job_key": "scene-12"})
    assert_type(job, Job[TextToImageOutput])
    assert_type(client.submit("bytedance/dreamina-4-0/text-to-image", checked), Job[TextToImageOutput])
    print(job.status(), job.result(), job.cancel())


def from_a_web_request(client: RunComfy, body: dict[str, object]) -> None:
    assert_type(client.submit("bytedance/dreamina-4-0/text-to-image", body), Job[MediaOutput])
    assert_type(client.submit(TextToImageInput.from_payload(body)), Job[TextToImageOutput])


async def typed_input_async(client: AsyncRunComfy, body: dict[str, object]) -> None:
    assert_type(await client.submit(TextToImageInput.from_payload(body)), AsyncJob[TextToImageOutput])


def annotated(client: RunComfy, pictures: list[ImageInput]) -> None:
    def told(event: HttpEvent) -> None:
        print(event.kind)

    balance: Balance = client.balance()
    entries: list[CatalogEntry] = client.catalog.list()
    print(balance.usd, entries, RunComfy(event_hooks={"request": [told]}))
    client.bytedance.dreamina_4_0.edit(image_urls=pictures, prompt="Bluer")


def by_hand(client: RunComfy) -> None:
    client.submit("any/model/id", {"prompt": "A paper moon"})
    print(client.job("a-request-id").wait(timeout=1), client.balance(), client.catalog.list(search="flux"))


def offline() -> bool:
    report = runcomfy.validate("bytedance/dreamina-4-0/edit", {"prompt": "Bluer"})
    for problem in report.errors:
        print(problem.path, problem.code, problem.message)
    return report.ok
