"""What an input asks for: sizes, numbers, lengths, rates and formats, in all the ways that schemas have for them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from runcomfy_simulator.catalog import DEFAULT_OUTPUT, Model
from runcomfy_simulator.guess import guess_category, guess_kind
from runcomfy_simulator.media.probe import MediaInfo
from runcomfy_simulator.media.sizes import LONGEST_SIDE, MOST_PIXELS
from runcomfy_simulator.media.spec import OutputSpec, output_spec


def spec(model_id: str, properties: dict[str, Any], **body: Any) -> OutputSpec:
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
        (IMAGE, {"size": "1024_1536"}, (1024, 1536)),
        (IMAGE, {"size": "1024*1536"}, (1024, 1536)),
        (IMAGE, {"size": "1024 x 1536"}, (1024, 1536)),
        (IMAGE, {"resolution": "0.5K"}, (512, 512)),
        (IMAGE, {"resolution": "2K", "aspect_ratio": "16:9"}, (2731, 1536)),
        (IMAGE, {"resolution": "4k"}, (4096, 4096)),
        (IMAGE, {"image_resolution": 2048}, (2048, 2048)),
        (IMAGE, {"size": [640, 480]}, (640, 480)),
        (IMAGE, {"imageWidth": 640, "imageHeight": 480}, (640, 480)),
        (IMAGE, {"orientation": "portrait"}, (768, 1365)),
        (VIDEO, {"resolution": "1080p"}, (1920, 1080)),
        (VIDEO, {"resolution": 480, "ratio": "1:1"}, (480, 480)),
        (VIDEO, {"quality": "FHD"}, (1920, 1080)),
        (VIDEO, {"aspect_ratio": "21:9"}, (1680, 720)),
        (VIDEO, {"aspect_ratio": "adaptive"}, (1280, 720)),
        (VIDEO, {"batch_size": "64x64", "file_size": 9}, (1280, 720)),
    ],
)
def test_sizes(model_id: str, body: dict[str, Any], size: tuple[int, int]) -> None:
    properties: dict[str, Any] = {name: {} for name in body}
    made = spec(model_id, properties, **body)
    assert (made.width, made.height) == size


@pytest.mark.parametrize(("model_id", "kind"), [(IMAGE, "image"), (VIDEO, "video")])
@pytest.mark.parametrize(
    "body", [{"width": 10**9, "height": 10**9}, {"width": 10**9, "height": 1}, {"size": "1:999999"}]
)
def test_size_is_bounded(model_id: str, kind: str, body: dict[str, Any]) -> None:
    properties = {name: TEXT if name == "size" else NUMBER for name in body}
    made = spec(model_id, properties, **body)
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
        ("image_count", "", 2, 2),
        ("numberOfImages", "", 2, 2),
        ("num_outputs", "", "2", 2),
        ("number_of_videos", "", 2, 2),
        ("anything", "Number of output images", 2, 2),
        ("max_images", "", 10**300, 20),
        ("max_sequence_length", "", 512, 1),
    ],
)
def test_counts(name: str, title: str, value: object, count: int) -> None:
    assert spec(IMAGE, {name: {"title": title}}, **{name: value}).count == count


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
        (VIDEO, {"frames": 61, "frame_rate": 30}, 2.0),
        (VIDEO, {"num_frames": 49, "frames_per_second": "24fps"}, 2.0),
        (VIDEO, {"video_length": 4}, 4.0),
        (VIDEO, {"durationSeconds": 4}, 4.0),
        (VIDEO, {"duration_ms": 4000}, 4.0),
        (AUDIO, {"extend_after_duration": 30, "extend_before_duration": 5}, 45.0),
    ],
)
def test_lengths(model_id: str, body: dict[str, Any], seconds: float) -> None:
    assert spec(model_id, {name: {} for name in body}, **body).seconds == seconds


@pytest.mark.parametrize(
    ("body", "rate"),
    [
        ({}, 24),
        ({"fps": 12}, 12),
        ({"frames_per_second": 25}, 25),
        ({"frame_rate": "29.97"}, 29.97),
        ({"output_fps": "60fps"}, 60),
        ({"fps": 1_000_000}, 120),
        ({"fps": 0}, 24),
        ({"fps": "high"}, 24),
    ],
)
def test_frame_rates(body: dict[str, Any], rate: float) -> None:
    assert spec(VIDEO, {name: {} for name in body}, **body).frame_rate == rate


@pytest.mark.parametrize(
    ("body", "sound"),
    [
        ({}, False),
        ({"generate_audio": True}, True),
        ({"generate_audio_switch": True}, True),
        ({"generate_audio_for_video": "on"}, True),
        ({"generate_audio": "disabled"}, False),
        ({"sound": True}, True),
        ({"with_audio": False, "sound": True}, False),
        ({"voice": "https://example.org/a.mp3"}, True),
        ({"generate_audio": False, "voice": "https://example.org/a.mp3"}, False),
        ({"keep_original_sound": True}, False),
        ({"keep_original_sound": True, "clip": "https://example.org/a.mp4"}, True),
        ({"keep_original_sound": False, "clip": "https://example.org/a.mp4"}, False),
    ],
)
def test_sound_tracks(body: dict[str, Any], sound: bool) -> None:
    properties: dict[str, Any] = {name: {} for name in body}
    properties |= {
        "voice": {"type": "string", "format": "audio_uri"},
        "clip": {"type": "string", "format": "video_uri"},
    }
    assert spec(VIDEO, properties, **body).sound is sound


@pytest.mark.parametrize(
    ("model_id", "body", "suffix", "rate"),
    [
        (IMAGE, {}, "png", 24_000),
        (IMAGE, {"output_format": "JPEG"}, "jpg", 24_000),
        (IMAGE, {"format": "image/avif"}, "avif", 24_000),
        (IMAGE, {"image_format": "webp"}, "webp", 24_000),
        (IMAGE, {"response_format": "url", "output_format": "b64"}, "png", 24_000),
        (VIDEO, {"output_format": "webm"}, "webm", 24_000),
        (VIDEO, {"output_format": "gif"}, "mp4", 24_000),
        (AUDIO, {"output_format": "pcm_16000"}, "pcm", 16_000),
        (AUDIO, {"output_format": "wav_22khz"}, "wav", 22_050),
        (AUDIO, {"output_format": "wav_cd_quality"}, "wav", 44_100),
        (AUDIO, {"audio_format": "ogg_opus", "sample_rate": 48_000}, "ogg", 48_000),
        (AUDIO, {"output_format": "mp3_44100_128"}, "mp3", 44_100),
    ],
)
def test_formats(model_id: str, body: dict[str, Any], suffix: str, rate: int) -> None:
    made = spec(model_id, {name: {} for name in body}, **body)
    assert (made.suffix, made.sample_rate) == (suffix, rate)


def test_an_output_follows_its_inputs() -> None:
    portrait = MediaInfo("image", "image/png", 9, 300, 600)
    voice = MediaInfo("audio", "audio/wav", 9, seconds=7.5)
    silent = MediaInfo("video", "video/mp4", 9, 640, 640, 3.0)
    model = Model(
        "a/b/talk", {"properties": {"keep_audio": {"default": True}}}, DEFAULT_OUTPUT, {"categories": ["x-to-video"]}
    )
    talking = output_spec(model, {}, [portrait, voice])
    assert (talking.width, talking.height, talking.seconds) == (720, 1440, 7.5)
    edited = output_spec(model, {"ratio": "16:9"}, [silent, voice])
    assert (edited.width, edited.height, edited.seconds, edited.sound) == (1280, 720, 3.0, False)
    assert output_spec(model, {}, [replace(silent, sound=True)]).sound


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
        ("pixverse/transition", (), (), "video"),
        ("runway/aleph-2/edit", (), ("video_url",), "video"),
        ("some/avatar", (), ("image_url", "audio_url"), "video"),
        ("some/thing", (), ("image_url", "audio_url"), "video"),
        ("some/thing", (), ("audio_url",), "audio"),
        ("some/edit", (), ("image_url",), "image"),
    ],
)
def test_kinds(model_id: str, categories: tuple[str, ...], properties: tuple[str, ...], kind: str) -> None:
    assert guess_kind(model_id, categories, media_schema(*properties), DEFAULT_OUTPUT) == kind


@pytest.mark.parametrize(
    ("model_id", "properties", "category"),
    [
        ("bytedance/dreamina-4-0/edit", ("image_urls",), "image-to-image"),
        ("bytedance/seedance-2.5/image-to-video/1080p", ("image",), "image-to-video"),
        ("kling/kling-video-o3/4K/Text-To-Video", (), "text-to-video"),
        ("blackforestlabs/flux-3/first-last-frame-to-video/draft", (), "first-last-frame-to-video"),
        ("pixverse/pixverse-5/transition", ("first_frame_image", "last_frame_image"), "first-last-frame-to-video"),
        ("google/omni/video-edit", ("video_url", "reference_image_url"), "video-to-video"),
        ("some/avatar-2", ("image_url", "audio_url"), "text-to-video"),
        ("some/thing", (), "text-to-image"),
    ],
)
def test_categories(model_id: str, properties: tuple[str, ...], category: str) -> None:
    schema = media_schema(*properties)
    assert guess_category(model_id, guess_kind(model_id, (), schema, DEFAULT_OUTPUT), schema) == category


def test_what_must_be_there_says_more_than_what_may() -> None:
    schema = {**media_schema("image_url", "video_url"), "required": ["image_url"]}
    assert guess_kind("some/edit", (), schema, DEFAULT_OUTPUT) == "image"
    assert guess_category("some/thing", "image", schema) == "image-to-image"


def media_schema(*names: str) -> dict[str, Any]:
    """Properties of these names; those that name a kind of media take media."""
    formats = {"image": "image_uri", "video": "video_uri", "audio": "audio_uri"}

    def part(name: str) -> dict[str, Any]:
        kind = next((kind for kind in formats if re.search(rf"(^|_){kind}(_|s?$)", name)), "")
        if name.endswith("urls"):
            return {"type": "array", "format": f"{formats[kind]}s"}
        return {"type": "string", "format": formats[kind]} if kind else {}

    return {"type": "object", "properties": {name: part(name) for name in names}}
