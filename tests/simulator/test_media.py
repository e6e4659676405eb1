"""The files that jobs answer with are true: kind, size, length, number, and the same bytes again."""

from __future__ import annotations

import io
import itertools
import wave
from typing import TYPE_CHECKING, Any

import av
import httpx
import pytest
from PIL import Image, ImageChops

from tests.support.simulator import AUDIO, IMAGE, VIDEO

if TYPE_CHECKING:
    from tests.support.simulator import Call, Start


def picture(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(("asked", "made"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_images(start: Start, call: Call, asked: str, made: str) -> None:
    urls = call(start()).output(IMAGE, prompt="A boat", output_format=asked, num_images=3)["images"]
    replies = [httpx.get(url) for url in urls]
    assert len({reply.content for reply in replies}) == 3, "each is another picture"
    skies = {picture(reply.content).crop((0, 0, 320, 90)).tobytes() for reply in replies}
    assert len(skies) == 3, "also without the words on it"
    for reply in replies:
        assert reply.headers["content-type"] == f"image/{made.lower()}"
        image = picture(reply.content)
        assert (image.format, image.size, image.mode) == (made, (320, 180), "RGB")


def test_the_same_input_gives_the_same_bytes(start: Start, call: Call) -> None:
    def files(model_id: str, **body: Any) -> list[bytes]:
        output = call(start()).output(model_id, **body)
        return [
            httpx.get(url).content
            for value in output.values()
            for url in ([value] if isinstance(value, str) else value)
        ]

    for model_id, body in (
        (IMAGE, {"prompt": "a", "num_images": 2}),
        (VIDEO, {"prompt": "a", "generate_audio": True}),
        (AUDIO, {"tags": "a", "output_format": "ogg_opus"}),
    ):
        assert files(model_id, **body) == files(model_id, **body)
    assert files(IMAGE, prompt="a") != files(IMAGE, prompt="b")


def test_the_prompt_is_on_the_picture(start: Start, call: Call) -> None:
    caller = call(start())
    size = "1024x1024(1:1)"
    plates = []
    # Another prompt changes the scene too, so only the plate is compared.
    for prompt in ("WWWWWWWWWWWWWW", "i"):
        image = picture(httpx.get(caller.output(IMAGE, prompt=prompt, **{"width×height": size})["images"][0]).content)
        plate = image.crop((60, 835, 980, 895)).convert("L")
        plates.append(sum(plate.histogram()[200:]))
    assert plates[0] > 5 * plates[1] > 0


@pytest.mark.parametrize(
    "prompt",
    [
        "Женщина стоит рядом с лодками",
        "美しい女性がボートに座っている 漂亮的女孩坐在船上",
        "فتاة تجلس على القارب",
        "👩‍🚀🚀 \u202e\u0000\u0007 e\u0301 \ue000",
        "x" * 400,
        "\n\n  \t",
        "\U000fffff\U0010ffff",
    ],
)
def test_any_alphabet_can_be_drawn(start: Start, call: Call, prompt: str) -> None:
    url = call(start()).output(IMAGE, prompt=prompt)["images"][0]
    assert picture(httpx.get(url).content).size == (320, 180)


def test_videos_move_and_last(start: Start, call: Call) -> None:
    output = call(start()).output(VIDEO, prompt="A boat", duration=2, aspect_ratio="9:16", generate_audio=True)
    reply = httpx.get(output["video"])
    assert reply.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(reply.content), mode="r") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 180, 320)
        assert container.streams.audio[0].codec_context.name == "aac"
        assert container.duration is not None
        assert abs(container.duration / 1e6 - 2) < 0.1
        frames = [frame.to_image() for frame in container.decode(video=0)]  # type: ignore[no-untyped-call]  # av's
    assert len(frames) == 48
    changed = sum(1 for one, two in itertools.pairwise(frames) if ImageChops.difference(one, two).getbbox())
    assert changed > 40
    differences = ImageChops.difference(frames[0], frames[24]).convert("L").histogram()
    assert not any(differences[60:]), "it repeats each second"


def test_a_silent_video_has_no_sound(start: Start, call: Call) -> None:
    url = call(start()).output(VIDEO, prompt="A boat")["video"]
    with av.open(io.BytesIO(httpx.get(url).content)) as container:
        assert not container.streams.audio


def test_wave_tones(start: Start, call: Call) -> None:
    url = call(start()).output(AUDIO, tags="calm")["audio"]
    reply = httpx.get(url)
    assert reply.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(reply.content)) as sound:
        assert (sound.getframerate(), sound.getnframes(), sound.getnchannels()) == (16_000, 24_000, 1)
        samples = memoryview(sound.readframes(24_000)).cast("h")
    assert max(samples) > 5_000
    assert min(samples) < -5_000


@pytest.mark.parametrize(
    ("asked", "kind", "codec"), [("mp3_standard", "audio/mpeg", "mp3float"), ("ogg_opus", "audio/ogg", "opus")]
)
def test_other_sounds(start: Start, call: Call, asked: str, kind: str, codec: str) -> None:
    reply = httpx.get(call(start()).output(AUDIO, tags="calm", output_format=asked)["audio"])
    assert reply.headers["content-type"] == kind
    with av.open(io.BytesIO(reply.content), mode="r") as container:
        assert container.streams.audio[0].codec_context.name == codec
        rate = container.streams.audio[0].rate
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert abs(samples / rate - 1.5) < 0.05


@pytest.mark.parametrize(
    ("asked", "code", "part"),
    [
        (None, 200, slice(None)),
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=5-", 206, slice(5, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=0-99999999", 206, slice(None)),
        ("bytes=99999999-", 416, slice(0, 0)),
        ("bytes=-0", 416, slice(0, 0)),
        ("bytes=9-5", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
        ("bytes=1-2,5-6", 200, slice(None)),
    ],
)
def test_ranges(start: Start, call: Call, asked: str | None, code: int, part: slice) -> None:
    url = call(start()).output(IMAGE, prompt="a")["images"][0]
    whole = httpx.get(url).content
    reply = httpx.get(url, headers={"Range": asked} if asked else {})
    assert (reply.status_code, reply.content) == (code, whole[part])
    assert reply.headers["accept-ranges"] == "bytes"
    if code == 206:
        first = range(len(whole))[part][0]
        assert reply.headers["content-range"] == f"bytes {first}-{first + len(reply.content) - 1}/{len(whole)}"
    if code == 416:
        assert reply.headers["content-range"] == f"bytes */{len(whole)}"


def test_files_need_no_token_and_only_true_ones_are_there(start: Start, call: Call) -> None:
    simulator = start()
    url = call(simulator).output(IMAGE, prompt="a")["images"][0]
    assert httpx.head(url).headers["content-length"] == str(len(httpx.get(url).content))
    for wrong in (
        url.replace("1.png", "2.png"),
        url.replace("1.png", "1.jpg"),
        url.replace("1.png", "0.png"),
        url + "/x",
    ):
        assert httpx.get(wrong).status_code == 404


def test_a_job_that_failed_has_no_files(start: Start, call: Call) -> None:
    simulator = start()
    caller = call(simulator)
    request_id = caller.accepted(IMAGE, prompt="a #fail")
    assert caller.result(request_id)["status"] == "failed"
    assert httpx.get(f"{simulator.url}/files/{request_id}/1.png").status_code == 404
