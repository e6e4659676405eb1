"""What a catalog entry would say, guessed from a model's id and schemas where no model.json says it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, get_args

from .dialect import media_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Kind = Literal["image", "video", "audio"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# US dollars. RunComfy's prices differ by model; these only have the right order of size.
GUESSED_PRICES: Mapping[Kind, tuple[float, str]] = {
    "image": (0.04, "output"),
    "video": (0.10, "second"),
    "audio": (0.02, "output"),
}

_X_TO_Y = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*-to-[a-z]+(?:-[a-z]+)*")
_WORDS: tuple[tuple[Kind, str], ...] = (
    ("video", r"video|animate|lip-?sync|avatar|talking"),
    ("audio", r"audio|music|speech|tts|voice|song|sound"),
    ("image", r"image|inpaint|upscale"),
)
# These do not say what is made: an edit of a video is a video.
_VAGUE_WORDS: tuple[tuple[Kind, str], ...] = (("video", r"transition"), ("image", r"edit|kontext"))
_VIDEO_INPUTS = {"duration", "number_of_frames", "num_frames", "fps", "frame_rate", "generate_audio"}
_AUDIO_INPUTS = {"lyrics", "tags", "voice", "music_length_ms", "sample_rate"}
# A model of this name works on its media inputs, even where they may be left out.
_NEEDS_MEDIA = re.compile(r"edit|inpaint|outpaint|upscale|extend|transition|frame|reference|animate|lip-?sync|kontext")
_FIRST_FRAME = re.compile(r"(first|start)_(image|frame)", re.IGNORECASE)
_LAST_FRAME = re.compile(r"(last|end)_(image|frame)", re.IGNORECASE)


def guess_kind(model_id: str, categories: Sequence[str], inputs: Mapping[str, Any], output: Mapping[str, Any]) -> Kind:
    """The kind of media that a model makes; an image where nothing says."""
    in_output = set(output.get("properties") or ())
    possible = [kind for kind in KINDS if {kind, f"{kind}s"} & in_output]
    if len(possible) == 1:
        return possible[0]
    segments = [*reversed(model_id.split("/"))]
    for text in (*categories, *segments):
        if guess := _kind_in_words(text, _WORDS):
            return guess
    # Optional inputs say less than required ones.
    media = {kind for kind, _ in _required_media(inputs) or _media_inputs(inputs)}
    if "video" in media or {"audio", "image"} <= media:
        # A picture and a voice make a talking video.
        return "video"
    for text in segments:
        if guess := _kind_in_words(text, _VAGUE_WORDS):
            return guess
    names = set(inputs.get("properties") or ())
    if names & _AUDIO_INPUTS or media == {"audio"}:
        return "audio"
    return "video" if names & _VIDEO_INPUTS else "image"


def guess_category(model_id: str, kind: Kind, inputs: Mapping[str, Any]) -> str:
    """The category of a model that makes `kind`: `text-to-image`, `image-to-video`, ..."""
    for segment in reversed(model_id.lower().split("/")):
        if _X_TO_Y.fullmatch(segment):
            return segment
    media_inputs = _required_media(inputs)
    if not media_inputs and _NEEDS_MEDIA.search(model_id.lower()):
        media_inputs = _media_inputs(inputs)
    names = [name for _, name in media_inputs]
    if kind == "video" and any(map(_FIRST_FRAME.search, names)) and any(map(_LAST_FRAME.search, names)):
        return "first-last-frame-to-video"
    source = next(
        (kind_ for kind_ in ("video", "image", "audio") if kind_ in {media for media, _ in media_inputs}), "text"
    )
    return f"{source}-to-{kind}"


def _kind_in_words(text: str, words: tuple[tuple[Kind, str], ...]) -> Kind | None:
    # "image-to-video" makes videos: what follows the last "to" counts.
    goal = re.split(r"\bto\b", text.lower())[-1]
    return next((kind for kind, pattern in words if re.search(pattern, goal)), None)


def _media_inputs(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(kind, property name) of each top-level property that takes media."""
    parts = {name: part for name, part in (inputs.get("properties") or {}).items() if isinstance(part, dict)}
    kinds = {name: media_kind(part) or media_kind(part.get("items")) for name, part in parts.items()}
    return [(kind, name) for name, kind in kinds.items() if kind]


def _required_media(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    required = inputs.get("required") or ()
    return [(kind, name) for kind, name in _media_inputs(inputs) if name in required]
