"""How many, how long and in which format, as the names and values of an input tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kinds import Kind

MOST_FILES = 20
LONGEST = {"image": 0.0, "video": 120.0, "audio": 300.0}
FRAMES_PER_SECOND = 24

_USUAL_SECONDS = {"image": 0.0, "video": 5.0, "audio": 10.0}
_COUNT_NAME = re.compile(
    r"(num|number_of|max|n)_?(images|outputs|videos|samples|variations)(_per_prompt)?|n|batch_size"
)
_COUNT_TITLE = re.compile(r"number of (output )?(images|videos|outputs)", re.IGNORECASE)
_SECONDS_NAMES = (
    "duration",
    "seconds",
    "length",
    "video_length",
    "audio_length",
    "duration_seconds",
    "extend_after_duration",
)
_MILLISECONDS_NAMES = ("music_length_ms", "duration_ms", "length_ms")
_FRAMES_NAMES = ("number_of_frames", "num_frames", "frames")
_FORMATS: Mapping[Kind, Mapping[str, str]] = {
    "image": {"png": "png", "jpeg": "jpg", "jpg": "jpg", "webp": "webp"},
    "video": {"mp4": "mp4"},
    "audio": {"wav": "wav", "mp3": "mp3", "ogg": "ogg", "opus": "ogg", "flac": "flac"},
}
_SAMPLE_RATES = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_USUAL_FORMAT: Mapping[Kind, str] = {"image": "png", "video": "mp4", "audio": "wav"}


def title_of(part: object) -> str:
    """A property's title; a schema may also be `true`."""
    return str(part.get("title", "")) if isinstance(part, dict) else ""


def count_of(schema: Mapping[str, Any], body: Mapping[str, Any]) -> int:
    """How many files are asked for, at least one."""
    if body.get("force_single") is True:
        return 1
    for name, part in (schema.get("properties") or {}).items():
        named = _COUNT_NAME.fullmatch(name) or _COUNT_TITLE.search(title_of(part))
        number = _number(body.get(name))
        if named and number is not None:
            return max(1, min(MOST_FILES, int(number)))
    return 1


def seconds_of(kind: Kind, body: Mapping[str, Any]) -> float:
    """How long the output lasts: 0 for an image."""
    if kind == "image":
        return 0.0
    for names, scale in ((_SECONDS_NAMES, 1.0), (_MILLISECONDS_NAMES, 0.001)):
        for name in names:
            number = _number(body.get(name))
            if number:
                return _within(kind, number * scale)
    for name in _FRAMES_NAMES:
        number = _number(body.get(name))
        if number:
            # 121 frames are "about 5 s": the first frame is where time starts.
            rate = _number(body.get("fps")) or _number(body.get("frames_per_second")) or FRAMES_PER_SECOND
            return _within(kind, max(number - 1, 1) / rate)
    return _USUAL_SECONDS[kind]


def format_of(kind: Kind, body: Mapping[str, Any]) -> str:
    """The ending of the file's name."""
    asked = str(body.get("output_format") or body.get("format") or "").lower()
    return next((suffix for word, suffix in _FORMATS[kind].items() if word in asked), _USUAL_FORMAT[kind])


def sample_rate_of(body: Mapping[str, Any]) -> int:
    """Samples a second, one that every codec here takes."""
    asked = _number(body.get("sample_rate"))
    if asked is None:
        words = str(body.get("output_format") or "").lower()
        thousands = re.search(r"(\d{1,2})(?:\.\d)?_?khz", words)
        asked = float(thousands[1]) * 1000 if thousands else 44_100 if "cd" in words else 24_000
    return min(_SAMPLE_RATES, key=lambda rate: abs(rate - asked))


def _number(value: object) -> float | None:
    """A number, or the number that a text such as "5", "5s" or "1.5 sec" starts with."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    match = re.match(r"\s*(\d+(?:\.\d+)?)\s*(?:s|sec|seconds?)?\s*$", value) if isinstance(value, str) else None
    return float(match[1]) if match else None


def _within(kind: Kind, seconds: float) -> float:
    return max(0.1, min(LONGEST[kind], seconds))
