"""What the files of a job must be, read from its input: kind, number, size, length, format, and the words on them."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .properties import Values
from .sizes import size_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..catalog import Model
    from ..guess import Kind
    from .probe import MediaInfo

MOST_FILES = 20
MOST_SECONDS = {"image": 0.0, "video": 120.0, "audio": 300.0}
MOST_FRAMES_A_SECOND = 120
FRAMES_PER_SECOND = 24

_DEFAULT_SECONDS = {"image": 0.0, "video": 5.0, "audio": 10.0}
_FORMATS: Mapping[Kind, Mapping[str, str]] = {
    "image": {"png": "png", "jpeg": "jpg", "jpg": "jpg", "webp": "webp", "avif": "avif"},
    "video": {"mp4": "mp4", "webm": "webm", "mov": "mov", "quicktime": "mov"},
    "audio": {"wav": "wav", "mp3": "mp3", "mpeg": "mp3", "ogg": "ogg", "opus": "ogg", "flac": "flac", "pcm": "pcm"},
}
_DEFAULT_FORMAT: Mapping[Kind, str] = {"image": "png", "video": "mp4", "audio": "wav"}
_SAMPLE_RATES = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSpec:
    """Enough to make the same files again at any time.

    `width` and `height` are in pixels, `seconds` is 0 for an image, `suffix` is the ending of the files' names, `sound`
    says whether a video has a sound track. `seed` depends on model and input alone.
    """

    kind: Kind
    count: int
    width: int
    height: int
    seconds: float
    frame_rate: float
    suffix: str
    sample_rate: int
    sound: bool
    caption: str
    title: str
    seed: int


def output_spec(model: Model, body: Mapping[str, Any], inputs: Sequence[MediaInfo] = ()) -> OutputSpec:
    """What `model` makes of `body`.

    Args:
        inputs: what is known of the media that the body names; media on other hosts are not among them.
    """
    values = Values(model.input_schema, model.validator.with_defaults(body))
    kind = model.kind
    source = next(((media.width, media.height) for media in inputs if media.width and media.height), None)
    width, height = size_of(kind, model.model_id, values, source)
    return OutputSpec(
        kind=kind,
        count=_count(values),
        width=width,
        height=height,
        seconds=_seconds(kind, values, inputs),
        frame_rate=_frame_rate(values),
        suffix=_suffix(kind, values),
        sample_rate=_sample_rate(values),
        sound=_has_sound(model, values, body, inputs),
        caption=values.text("text")[:2_000],
        title=model.model_id,
        seed=_seed(model.model_id, body),
    )


def _count(values: Values) -> int:
    """How many files to make, at least one."""
    number = values.number("count")
    if number is None or any(value is True or value == "disabled" for value in values.all("single")):
        return 1
    return max(1, min(MOST_FILES, int(number)))


def _seconds(kind: Kind, values: Values, inputs: Sequence[MediaInfo]) -> float:
    """How long the output lasts: what is asked for, else as long as the input, else a usual time."""
    if kind == "image":
        return 0.0
    seconds = values.number("seconds") or (values.number("milliseconds") or 0) / 1000
    frames = values.number("frames")
    if not seconds and frames:
        # 121 frames are "about 5 s": time starts at the first frame.
        seconds = max(frames - 1, 1) / _frame_rate(values)
    if not seconds:
        lengths = [media.seconds for media in inputs if media.kind == kind] or [media.seconds for media in inputs]
        seconds = next((length for length in lengths if length), _DEFAULT_SECONDS[kind]) + sum(
            values.numbers("extra seconds")
        )
    return max(0.1, min(MOST_SECONDS[kind], seconds))


def _frame_rate(values: Values) -> float:
    rate = values.number("frame rate")
    return min(rate, MOST_FRAMES_A_SECOND) if rate and rate >= 1 else FRAMES_PER_SECOND


def _has_sound(model: Model, values: Values, body: Mapping[str, Any], inputs: Sequence[MediaInfo]) -> bool:
    """Does the input ask for a sound track, or contain one to keep?"""
    if values.switch("sound") is not None:
        requested = values.switch("sound") is True
    else:
        # With a voice as input the video talks.
        requested = any(spot.kind == "audio" for spot in model.validator.media(body))
    if not requested and values.switch("original sound"):
        videos = [media for media in inputs if media.kind == "video"]
        # A video on another host is not read; its sound is to be kept, so it is taken to have some.
        return (
            any(media.sound for media in videos)
            if videos
            else any(spot.kind == "video" for spot in model.validator.media(body))
        )
    return requested


def _suffix(kind: Kind, values: Values) -> str:
    """The ending of the files' names."""
    for value in values.all("format"):
        requested = str(value).lower()
        for word, suffix in _FORMATS[kind].items():
            if word in requested:
                return suffix
    return _DEFAULT_FORMAT[kind]


def _sample_rate(values: Values) -> int:
    """Samples a second, a number that every codec here takes."""
    requested = values.number("sample rate")
    if requested is None:
        words = " ".join(str(value).lower() for value in values.all("format"))
        thousands = re.search(r"(\d{1,2})(?:\.\d)?_?khz", words)
        hertz = re.search(r"(?<!\d)(\d{4,5})(?!\d)", words)
        if thousands:
            requested = float(thousands[1]) * 1000
        else:
            requested = float(hertz[1]) if hertz else 44_100 if "cd" in words else 24_000
    return min(_SAMPLE_RATES, key=lambda rate: abs(rate - requested))


def _seed(model_id: str, body: Mapping[str, Any]) -> int:
    text = json.dumps([model_id, body], sort_keys=True, ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:6], "big")
