"""Which input property means what: one table for all the names that schemas have for the same thing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Meaning = Literal[
    "count",
    "single",
    "seconds",
    "milliseconds",
    "extra seconds",
    "frames",
    "frame rate",
    "sound",
    "original sound",
    "format",
    "sample rate",
    "width",
    "height",
    "size",
    "text",
]


@dataclass(frozen=True, slots=True)
class _Row:
    """`names` must match a whole name (lower case, words joined by `_`), `titles` may stand anywhere in a title."""

    meaning: Meaning
    names: str
    titles: str = ""


_THING = r"(?:images?|outputs?|videos?|audios?|samples|variations|generations|results)"
_OF = r"(?:output|image|video|audio|music|song|sound|clip|target|total)"
# The first row that matches says what a property means.
_TABLE = (
    _Row("count", rf"(?:num|number_of|max|n|total)_?{_THING}(?:_per_prompt)?|{_THING}_(?:count|num|number)"),
    _Row("count", r"n|count|batch_size", titles=r"number of (?:output |generated )?(?:images|videos|outputs)"),
    _Row("single", r"force_single|sequential_image_generation"),
    _Row("milliseconds", rf"(?:{_OF}_)?(?:length|duration)_(?:ms|milliseconds)"),
    _Row("extra seconds", r"extend_(?:before|after)_duration"),
    _Row("seconds", rf"(?:{_OF}_)?(?:seconds|(?:length|duration)(?:_(?:in_)?(?:s|secs?|seconds))?)"),
    _Row("frames", r"(?:(?:num|number_of|n|total|max|video)_)?frames(?:_(?:count|num|number))?|frame_(?:count|num)"),
    _Row("frame rate", rf"(?:{_OF}_)?(?:fps|frames?_per_second|frame_?rate)"),
    _Row("original sound", r"keep_(?:original_)?(?:sound|audio)|audio_setting"),
    _Row("sound", r"generate_(?:audio|sound)(?:_.*)?|(?:with|enable|include|add|has)_(?:audio|sound)|sound"),
    _Row("sample rate", rf"(?:{_OF}_)?sample_?rate(?:_hz)?"),
    _Row("format", rf"(?:{_OF}_|file_|media_)?(?:format|extension|file_type|mime_type)|output_type"),
    _Row("width", rf"(?:{_OF}_)?width"),
    _Row("height", rf"(?:{_OF}_)?height"),
    _Row(
        "size",
        r"(?:.*_)?(?:size|resolution|ratio|dimensions?)|aspect.*|width_?(?:x|by)?_?height|quality|orientation",
        titles=r"\b(?:size|resolution|ratio|dimensions?)\b|width.?height",
    ),
    _Row("text", r"prompt|text|tags|lyrics"),
)


def meaning_of(name: str, title: str = "") -> Meaning | None:
    """What a property of this name and title means; None if it says nothing about the output."""
    plain = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
    for row in _TABLE:
        if re.fullmatch(row.names, plain) or (row.titles and re.search(row.titles, title, re.IGNORECASE)):
            return row.meaning
    return None


class Values:
    """The values of an input by their meaning, in the order in which the schema declares the properties.

    Args:
        schema: the model's input schema.
        body: the input, with the defaults of what it leaves out.
    """

    def __init__(self, schema: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        properties = schema.get("properties") or {}
        undeclared = [name for name in body if name not in properties]
        self._values: dict[Meaning, list[Any]] = {}
        for name in (*properties, *undeclared):
            meaning = meaning_of(name, _title(properties.get(name)))
            if meaning and name in body:
                self._values.setdefault(meaning, []).append(body[name])

    def all(self, meaning: Meaning) -> list[Any]:
        return self._values.get(meaning, [])

    def number(self, meaning: Meaning) -> float | None:
        """The first value of this meaning that is a number."""
        return next(self.numbers(meaning), None)

    def numbers(self, meaning: Meaning) -> Iterator[float]:
        for value in self.all(meaning):
            number = _number(value)
            if number is not None:
                yield number

    def switch(self, meaning: Meaning) -> bool | None:
        """Is the first switch of this meaning on? None if there is none."""
        for value in self.all(meaning):
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value.lower() in _SWITCH_WORDS:
                return _SWITCH_WORDS[value.lower()]
        return None

    def text(self, meaning: Meaning) -> str:
        """The first text of this meaning that is not blank."""
        return next((value for value in self.all(meaning) if isinstance(value, str) and value.strip()), "")


_SWITCH_WORDS = {
    **dict.fromkeys(("true", "on", "yes", "enabled", "enable", "origin", "auto"), True),
    **dict.fromkeys(("false", "off", "no", "disabled", "disable", "none", "mute"), False),
}


def _title(part: object) -> str:
    """A property's title; a schema may also be `true`."""
    return str(part.get("title", "")) if isinstance(part, dict) else ""


def _number(value: object) -> float | None:
    """A number, or the number that a text such as "5", "5s", "24fps" or "1.5 sec" starts with."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    pattern = r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(?:s|sec|seconds?|fps|hz|ms)?\s*"
    match = re.fullmatch(pattern, value, re.IGNORECASE) if isinstance(value, str) else None
    return float(match[1]) if match else None
