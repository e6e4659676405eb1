"""Every model in schemas/ is run, and its files are what was asked for, as PIL and PyAV see them.

What is expected is read here from the input by rules of the test's own; it does not ask the simulator.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import pytest
from PIL import Image
from runcomfy_simulator import Simulator
from runcomfy_simulator.catalog import Model, load
from runcomfy_simulator.media.renderer import make_file
from runcomfy_simulator.media.spec import output_spec

from tests.support.simulator import Caller
from tests.support.store import SAMPLE

if TYPE_CHECKING:
    from collections.abc import Iterator

CATALOG = load(Path(__file__).resolve().parents[2] / "schemas")
LINES = {"4k": 2160, "2k": 1440, "1080p": 1080, "720p": 720, "480p": 480, "360p": 360}
SECONDS = 2


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(schemas=CATALOG, queue_seconds=0, run_seconds=0, balance=1e6) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def media(simulator: Simulator) -> dict[str, str]:
    """A file of each kind to be named in inputs: 2:1, two seconds, with sound."""
    urls = {}
    for kind, body in (
        ("image", {"width": 400, "height": 200}),
        ("video", {"width": 400, "height": 200, "duration": SECONDS, "sound": True}),
        ("audio", {"duration": SECONDS}),
    ):
        model = Model(f"a/text-to-{kind}", {"properties": {name: {} for name in body}}, {})
        urls[kind] = simulator.host(make_file(output_spec(model, body), 0), f"{kind}.bin")
    return urls


def least(part: dict[str, Any]) -> Any:
    """The cheapest value that a property takes."""
    if "enum" in part:
        return min(part["enum"], key=lambda value: float(value) if str(value).isdigit() else 0)
    return part.get("minimum", part.get("default"))


def body_for(model: Model, media: dict[str, str]) -> dict[str, Any]:
    """What is required, and short."""
    properties: dict[str, Any] = dict(model.input_schema["properties"])
    body: dict[str, Any] = {}
    for name, part in properties.items():
        kind = re.match(r"(image|video|audio)_uri(s?)", str(part.get("format")))
        if name == "duration":
            choices = [value for value in part.get("enum", [part.get("minimum", 5)]) if value != "auto"]
            body[name] = choices[0]
        elif name in ("music_length_ms", "extend_after_duration"):
            body[name] = part["minimum"]
        elif name == "resolution":
            body[name] = min(part["enum"], key=lambda word: LINES.get(word.lower(), 9999))
        elif name not in model.input_schema.get("required", ()):
            continue
        elif kind:
            body[name] = [media[kind[1]]] * (part.get("minItems") or 1) if kind[2] else media[kind[1]]
        elif part.get("type") == "string" and "enum" not in part:
            body[name] = "A boat"
        else:
            body[name] = least(part)
    return body


def expected_size(model: Model, asked: dict[str, Any]) -> tuple[int, int] | None:
    """The pixels that the input spells out, or the shape and the shorter side; None for anything else."""
    if "width" in asked and "height" in asked:
        return asked["width"], asked["height"]
    for value in asked.values():
        if isinstance(value, str) and (found := re.match(r"(\d{3,4})[x:](\d{3,4})", value)):
            return int(found[1]), int(found[2])
    ratio = next((asked[name] for name in ("aspect_ratio", "ratio") if name in asked), None)
    words = str(asked.get("resolution") or model.model_id).lower()
    lines = next((LINES[word] for word in LINES if re.search(rf"(^|/){word}($|/)", words)), None)
    if model.kind != "video" or not lines or (ratio and ":" not in ratio):
        return None
    width, height = map(float, ratio.split(":")) if ratio else (16.0, 9.0)
    return (round(lines * width / height), lines) if width >= height else (lines, round(lines * height / width))


# The sample in every run, the others in a long one.
@pytest.mark.parametrize(
    "model",
    [model if model.model_id in SAMPLE else pytest.param(model, marks=pytest.mark.long) for model in CATALOG],
    ids=lambda model: model.model_id,
)
def test_it_makes_what_was_asked(simulator: Simulator, media: dict[str, str], model: Model) -> None:
    body = body_for(model, media)
    asked = {
        name: body.get(name, part.get("default"))
        for name, part in model.input_schema["properties"].items()
        if name in body or part.get("default") is not None
    }
    with Caller(simulator) as caller:
        before = simulator.balance
        output = caller.output(model.model_id, **body)
        job = simulator.jobs[-1]
        [value] = output.values()
        urls = [value] if isinstance(value, str) else value
        assert len(urls) == asked.get("sequential_image_generation_options", 1)
        reply = caller.get(urls[-1])
        assert simulator.balance == pytest.approx(before - job.cost)
    assert model.kind == model.categories[0].rpartition("-")[2]
    assert reply.headers["content-type"].startswith(model.kind)
    if model.kind == "image":
        check_image(reply.content, asked, expected_size(model, asked))
        return
    kinds = {part.get("format") for name, part in model.input_schema["properties"].items() if name in body}
    seconds = asked.get("duration") or asked.get("music_length_ms", 0) / 1000
    if "number_of_frames" in asked:
        seconds = (asked["number_of_frames"] - 1) / 24
    if not seconds:
        given = SECONDS if kinds & {"video_uri", "audio_uri"} else 10
        seconds = given + asked.get("extend_after_duration", 0) + asked.get("extend_before_duration", 0)
    with av.open(io.BytesIO(reply.content), mode="r") as container:
        assert container.duration is not None
        assert abs(container.duration / 1e6 - (5 if seconds == "auto" else float(seconds))) < 0.15
        if model.kind == "audio":
            assert_audio(container.format.name, container.streams.audio[0].rate, asked)
            return
        stream = container.streams.video[0]
        sound = bool(asked.get("generate_audio") or asked.get("sound"))
        kept = bool(asked.get("keep_original_sound") or asked.get("audio_setting")) and "video_uri" in kinds
        assert bool(container.streams.audio) is (sound or kept)
        size = expected_size(model, asked)
        if size and (asked.get("aspect_ratio") or asked.get("ratio") or not kinds & {"image_uri", "video_uri"}):
            assert abs(stream.width - size[0]) <= 1
            assert abs(stream.height - size[1]) <= 1
        else:
            follows = kinds & {"image_uri", "video_uri", "image_uris", "video_uris"}
            shape = asked.get("aspect_ratio", "auto")
            if follows and ":" not in shape:
                assert stream.width / stream.height == pytest.approx(2, abs=0.02), "the shape of its input"
        assert (stream.codec_context.name, float(stream.average_rate or 0)) == ("h264", 24)
        assert next(container.decode(video=0)).width == stream.width


def check_image(data: bytes, asked: dict[str, Any], size: tuple[int, int] | None) -> None:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.format == str(asked.get("output_format", "png")).upper()
        if size:
            assert image.size == size
        elif ":" in str(shape := asked.get("aspect_ratio") or asked.get("size")):
            width, height = map(float, str(shape).split(":"))
            assert image.width / image.height == pytest.approx(width / height, rel=0.01)


def assert_audio(container: str, rate: int, asked: dict[str, Any]) -> None:
    word = str(asked.get("output_format", "wav"))
    assert container in word
    if "sample_rate" in asked:
        assert rate == asked["sample_rate"]


def test_asked_rates_and_formats_are_in_the_files() -> None:
    """fps, formats and raw PCM, which no model in schemas/ asks for yet."""

    def made(kind: str, **body: Any) -> bytes:
        model = Model(f"a/text-to-{kind}", {"properties": {name: {} for name in body}}, {})
        return make_file(output_spec(model, body), 0)

    size = {"width": 320, "height": 180}
    for rate, suffix, codec in ((12, "mp4", "h264"), (29.97, "mov", "h264"), (60, "webm", "vp8")):
        data = made("video", fps=rate, duration=2, output_format=suffix, generate_audio=True, **size)
        with av.open(io.BytesIO(data), mode="r") as container:
            stream = container.streams.video[0]
            assert float(stream.average_rate or 0) == pytest.approx(rate, rel=0.01)
            assert stream.codec_context.name == codec
            frames = [frame.to_image() for frame in container.decode(video=0)]  # type: ignore[no-untyped-call]  # av's
            assert len(frames) == round(2 * rate)
            assert len({frame.tobytes() for frame in frames}) > 8, "it moves"
            assert container.streams.audio
    for suffix, name in (("avif", "AVIF"), ("webp", "WEBP"), ("jpeg", "JPEG")):
        with Image.open(io.BytesIO(made("image", output_format=suffix, **size))) as image:
            image.load()
            assert (image.format, image.size) == (name, (320, 180))
    pcm = made("audio", output_format="pcm", sample_rate=16_000, duration=1.5)
    assert len(pcm) == 2 * 24_000
    assert max(memoryview(pcm).cast("h")) > 5_000
