"""Does a model make images, videos or sounds? Its own category, id and schemas say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Kind = Literal["image", "video", "audio"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_WORDS: tuple[tuple[Kind, str], ...] = (
    ("video", r"video|animate|lip-?sync|avatar"),
    ("audio", r"audio|music|speech|tts|voice|song|sound"),
    ("image", r"image|edit|inpaint|upscale|kontext"),
)
_VIDEO_INPUTS = {"duration", "number_of_frames", "num_frames", "fps", "generate_audio"}
_AUDIO_INPUTS = {"lyrics", "tags", "voice", "music_length_ms", "sample_rate"}


def guess_kind(model_id: str, categories: Sequence[str], inputs: Mapping[str, Any], output: Mapping[str, Any]) -> Kind:
    """The kind of media a model answers with; an image when nothing tells."""
    told = set(output.get("properties", ()))
    fits = [kind for kind in KINDS if {kind, f"{kind}s"} & told]
    if len(fits) == 1:
        return fits[0]
    for text in (*categories, *reversed(model_id.split("/"))):
        found = _from_words(text)
        if found:
            return found
    names = set(inputs.get("properties", ()))
    if names & _AUDIO_INPUTS:
        return "audio"
    return "video" if names & _VIDEO_INPUTS else "image"


def _from_words(text: str) -> Kind | None:
    # "image-to-video" makes videos: what follows the last "to" counts.
    goal = re.split(r"\bto-|\bto\b", text.lower())[-1]
    for kind, words in _WORDS:
        if re.search(words, goal):
            return kind
    return None
