"""Sizes, numbers and lengths, in all the ways that schemas have for them."""

from __future__ import annotations

from typing import Any

import pytest
from runcomfy_simulator.catalog import DEFAULT_OUTPUT, Model
from runcomfy_simulator.guess import guess_kind
from runcomfy_simulator.media.sizes import LONGEST_SIDE, MOST_PIXELS
from runcomfy_simulator.media.spec import OutputSpec, output_spec


def order(model_id: str, properties: dict[str, Any], **body: Any) -> OutputSpec:
    schema = {"type": "object", "properties": properties}
    return output_spec(Model(model_id, schema, DEFAULT_OUTPUT), body)


TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
IMAGE, VIDEO, AUDIO = "a/b/text-to-image", "a/b/text-to-video", "a/b/text-to-audio"


@pytest.mark.parametrize(
    ("model_id", "body", "size"),
    [
        (IMAGE, {}, (1024, 1024)),
        (IMAGE, {"width": 300, "height": 200}, (300, 200)),
        (IMAGE, {"width×height": "2048x2048(1:1)"}, (2048, 2048)),
        (IMAGE, {"image_size": "2560:1440 (16:9)"}, (2560, 1440)),
        (IMAGE, {"width×height": "4694x3520(4:3)"}, (4694, 3520)),
        (IMAGE, {"image_size": "landscape_16_9"}, (1024, 576)),
        (IMAGE, {"image_size": {"width": 640, "height": 480}}, (640, 480)),
        (IMAGE, {"image_size": {"width": 640}}, (640, 640)),
        (IMAGE, {"aspect_ratio": "4:1"}, (2048, 512)),
        (IMAGE, {"aspect_ratio": "1:1", "resolution": "2K"}, (2048, 2048)),
        (IMAGE, {"aspect_ratio": "16:9", "resolution": "1080p"}, (1920, 1080)),
        (IMAGE, {"aspect_ratio": "auto"}, (1024, 1024)),
        (IMAGE, {"size": "0:5"}, (1024, 1024)),
        (VIDEO, {}, (1280, 720)),
        (VIDEO, {"resolution": "1080P", "aspect_ratio": "9:16"}, (1080, 1920)),
        (VIDEO, {"resolution": "480p"}, (854, 480)),
        (VIDEO, {"resolution": "4k"}, (3840, 2160)),
        ("a/b/text-to-video/480p", {}, (854, 480)),
        ("a/b/4K/text-to-video", {"aspect_ratio": "1:1"}, (2160, 2160)),
        (VIDEO, {"size": "101x75"}, (102, 76)),
    ],
)
def test_sizes(model_id: str, body: dict[str, Any], size: tuple[int, int]) -> None:
    properties = {name: {"type": "object"} if isinstance(value, dict) else TEXT for name, value in body.items()}
    made = order(model_id, properties, **body)
    assert (made.width, made.height) == size


@pytest.mark.parametrize(("model_id", "kind"), [(IMAGE, "image"), (VIDEO, "video")])
@pytest.mark.parametrize(
    "body", [{"width": 10**9, "height": 10**9}, {"width": 10**9, "height": 1}, {"size": "1:999999"}]
)
def test_size_is_bounded(model_id: str, kind: str, body: dict[str, Any]) -> None:
    properties = {name: TEXT if name == "size" else NUMBER for name in body}
    made = order(model_id, properties, **body)
    assert made.width * made.height <= MOST_PIXELS[kind] * 1.01
    assert min(made.width, made.height) >= 1
    assert max(made.width, made.height) <= LONGEST_SIDE + 1


@pytest.mark.parametrize(
    ("name", "title", "value", "count"),
    [
        ("num_images", "", 4, 4),
        ("n", "", 3, 3),
        ("max_images", "", 500, 20),
        ("number_of_images", "", 0, 1),
        ("sequential_image_generation_options", "Maximum Number of Output Images", 7, 7),
        ("num_inference_steps", "", 30, 1),
        ("number_of_frames", "Number of Frames", 121, 1),
        ("num_images", "", True, 1),
    ],
)
def test_counts(name: str, title: str, value: object, count: int) -> None:
    assert order(IMAGE, {name: {"title": title}}, **{name: value}).count == count


@pytest.mark.parametrize(
    ("model_id", "body", "seconds"),
    [
        (VIDEO, {"duration": 8}, 8.0),
        (VIDEO, {"duration": "12"}, 12.0),
        (VIDEO, {"duration": "6s"}, 6.0),
        (VIDEO, {"duration": "auto"}, 5.0),
        (VIDEO, {"number_of_frames": 121}, 5.0),
        (VIDEO, {"number_of_frames": 241}, 10.0),
        (VIDEO, {"num_frames": 31, "fps": 10}, 3.0),
        (VIDEO, {"duration": 99_999}, 120.0),
        (AUDIO, {"music_length_ms": 40_000}, 40.0),
        (AUDIO, {"duration": 0.001}, 0.1),
        (IMAGE, {"duration": 8}, 0.0),
    ],
)
def test_lengths(model_id: str, body: dict[str, Any], seconds: float) -> None:
    assert order(model_id, {name: {} for name in body}, **body).seconds == seconds


def test_defaults_count() -> None:
    schema = {
        "properties": {
            "aspect_ratio": {"type": "string", "default": "1:4"},
            "width": {"type": "integer", "default": 64},
            "height": {"type": "integer", "default": 32},
        },
    }
    made = output_spec(Model(IMAGE, schema, DEFAULT_OUTPUT), {"aspect_ratio": "2:1"})
    assert (made.width, made.height) == (64, 32)


@pytest.mark.parametrize(
    ("model_id", "categories", "properties", "kind"),
    [
        ("kling/kling-video-o3/4K/image-to-video", (), (), "video"),
        ("flux-3/image-to-video/draft", (), (), "video"),
        ("bytedance/seedance-2.0/pro", ("text-to-video",), (), "video"),
        ("acestep-ai/ace-step/audio-inpaint", (), (), "audio"),
        ("ideogram-ai/ideogram-v4/text-to-image", (), (), "image"),
        ("blackforestlabs/flux-1-kontext/pro/edit", (), (), "image"),
        ("some/thing", (), ("lyrics",), "audio"),
        ("some/thing", (), ("duration",), "video"),
        ("some/thing", (), (), "image"),
    ],
)
def test_kinds(model_id: str, categories: tuple[str, ...], properties: tuple[str, ...], kind: str) -> None:
    assert guess_kind(model_id, categories, {"properties": {name: {} for name in properties}}, DEFAULT_OUTPUT) == kind
