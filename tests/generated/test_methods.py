"""The generated endpoint methods as people call them, sync and async alike, against the local Model API."""

from __future__ import annotations

import asyncio
import base64
import inspect
import io
import math
from typing import TYPE_CHECKING, Any

import pytest
import runcomfy
from PIL import Image
from runcomfy._index import PACKAGE
from runcomfy_simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TEXT_TO_IMAGE = "bytedance.dreamina_4_0.text_to_image"
EDIT = "bytedance.dreamina_4_0.edit"
SIZE = "2048x2048(1:1)"


@pytest.fixture
def api() -> Iterator[Simulator]:
    with Simulator(queue_seconds=0.05, run_seconds=0.05) as simulator:
        yield simulator


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, api: Simulator) -> Callable[..., Any]:
    """Call an endpoint by its dotted name; wait for the job if asked; give the job or the result."""

    def sync_call(endpoint: str, *, wait: bool = False, **arguments: Any) -> Any:
        with runcomfy.RunComfy(token=api.token, base_url=api.url) as client:
            job = method(client, endpoint)(**arguments)
            return job.wait(timeout=30) if wait else job

    async def async_call(endpoint: str, *, wait: bool = False, **arguments: Any) -> Any:
        async with runcomfy.AsyncRunComfy(token=api.token, base_url=api.url) as client:
            job = await method(client, endpoint)(**arguments)
            return await job.wait(timeout=30) if wait else job

    if request.param == "sync":
        return sync_call
    return lambda *given, **named: asyncio.run(async_call(*given, **named))


def method(client: object, endpoint: str) -> Callable[..., Any]:
    found: Any = client
    for name in endpoint.split("."):
        found = getattr(found, name)
    return found  # type: ignore[no-any-return]  # names are looked up at run time


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(file, "PNG")
    return file.getvalue()


def test_sends_exactly_what_was_given(api: Simulator, call: Callable[..., Any]) -> None:
    job = call(TEXT_TO_IMAGE, prompt="A paper moon", width_height=SIZE, scale=0.3)
    (accepted,) = api.jobs
    assert accepted.input == {"prompt": "A paper moon", "width×height": SIZE, "scale": 0.3}
    assert accepted.model_id == job.model_id == "bytedance/dreamina-4-0/text-to-image"
    assert accepted.request_id == job.request_id


@pytest.mark.parametrize(
    ("fault", "path", "code"),
    [
        ({"scale": True}, "/scale", "type"),
        ({"scale": math.nan}, "/scale", "not_finite"),
        ({"scale": 1.01}, "/scale", "range"),
        ({"prompt": "x" * 801}, "/prompt", "length"),
        ({"width_height": "1x1"}, "/width×height", "enum"),
    ],
)
def test_a_faulty_argument_never_reaches_the_network(
    api: Simulator, call: Callable[..., Any], fault: dict[str, Any], path: str, code: str
) -> None:
    with pytest.raises(runcomfy.InvalidInputError) as caught:
        call(TEXT_TO_IMAGE, **{"prompt": "A paper moon", **fault})
    assert [(error.path, error.code) for error in caught.value.report.errors] == [(path, code)]
    assert path in str(caught.value)
    assert api.accepted == 0


def test_every_error_is_reported_at_once(api: Simulator, call: Callable[..., Any]) -> None:
    with pytest.raises(runcomfy.InvalidInputError) as caught:
        call(TEXT_TO_IMAGE, prompt="x" * 801, scale=7, width_height="1x1", force_single=1)
    paths = [error.path for error in caught.value.report.errors]
    assert sorted(paths) == ["/force_single", "/prompt", "/scale", "/width×height"]
    assert api.accepted == 0


def test_a_misspelt_argument_is_refused_by_python(api: Simulator, call: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="scal"):
        call(TEXT_TO_IMAGE, prompt="A paper moon", scal=0.3)
    assert api.accepted == 0


def test_an_integral_float_is_sent_as_an_integer(api: Simulator, call: Callable[..., Any]) -> None:
    call("bytedance.dreamina_3_0.image_to_video", image_urls=[png(400, 400)], prompt="x", number_of_frames=121.0)
    sent = api.jobs[0].input["number_of_frames"]
    assert (sent, type(sent)) == (121, int)


def test_a_picture_too_large_brings_the_pages_own_sentence(
    api: Simulator, call: Callable[..., Any], tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(png(4097, 2000))
    with pytest.raises(runcomfy.InvalidInputError) as caught:
        call(EDIT, image_urls=[photo], prompt="Bluer")
    (error,) = caught.value.report.errors
    assert (error.path, error.code) == ("/image_urls/0", "media_rule")
    assert "Maximum resolution is 4096x4096." in error.message
    assert api.accepted == 0


def test_a_url_is_not_checked_and_says_why() -> None:
    payload = {"image_urls": ["https://example.com/photo.png"], "prompt": "Bluer"}
    report = runcomfy.validate("bytedance/dreamina-4-0/edit", payload)
    assert report.ok
    assert {unchecked.path for unchecked in report.unchecked} == {"/image_urls/0"}
    assert len(report.unchecked) == 5  # one for each of the schema's rules
    assert all("URL" in unchecked.message for unchecked in report.unchecked)


def test_a_local_picture_arrives_whole_and_the_result_is_a_picture(
    api: Simulator, call: Callable[..., Any], tmp_path: Path
) -> None:
    data = png(640, 480)
    result = call(EDIT, wait=True, image_urls=[data], prompt="Bluer", width_height="1024x1024(1:1)")
    sent = api.jobs[0].input["image_urls"][0]
    assert sent == "data:image/png;base64," + base64.b64encode(data).decode()
    assert result.files
    assert result.output.images or result.output.image


def test_the_result_downloads(api: Simulator, tmp_path: Path) -> None:
    with runcomfy.RunComfy(token=api.token, base_url=api.url) as client:
        job = client.bytedance.dreamina_4_0.text_to_image(prompt="A paper moon", width_height="1024x1024(1:1)")
        (saved,) = job.wait(timeout=30).download(tmp_path)
    with Image.open(saved) as image:
        image.load()
        assert image.size == (1024, 1024)


def test_sync_and_async_methods_agree() -> None:
    """One rule, two drivers: the same parameters, the same documentation."""
    sync, asynchronous = runcomfy.RunComfy(token="t"), runcomfy.AsyncRunComfy(token="t")
    for endpoint in PACKAGE.models.values():
        one, other = method(sync, endpoint), method(asynchronous, endpoint)
        assert inspect.signature(one).parameters == inspect.signature(other).parameters
        assert inspect.getdoc(one) == inspect.getdoc(other)
        assert inspect.iscoroutinefunction(other)
        assert not inspect.iscoroutinefunction(one)
    sync.close()
