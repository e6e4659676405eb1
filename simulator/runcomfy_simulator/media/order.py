"""What a job is to make, read from its input: kind, number, size, length, format, and the words on it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .quantities import count_of, format_of, sample_rate_of, seconds_of
from .sizes import size_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..catalogue import Model
    from ..kinds import Kind

_TEXT_INPUTS = ("prompt", "text", "tags", "lyrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Enough to make the same files again at any time: sizes in pixels, a seed from model and input alone."""

    kind: Kind
    count: int
    width: int
    height: int
    seconds: float
    suffix: str
    sample_rate: int
    sound: bool
    caption: str
    title: str
    seed: int


def order_for(model: Model, body: Mapping[str, Any]) -> Order:
    """What `model` makes of `body`."""
    full = model.judge.with_defaults(body)
    width, height = size_of(model.kind, model.model_id, model.input_schema, full)
    words = next((full[name] for name in _TEXT_INPUTS if isinstance(full.get(name), str) and full[name].strip()), "")
    return Order(
        kind=model.kind,
        count=count_of(model.input_schema, full),
        width=width,
        height=height,
        seconds=seconds_of(model.kind, full),
        suffix=format_of(model.kind, full),
        sample_rate=sample_rate_of(full),
        sound=any(full.get(name) is True for name in ("generate_audio", "sound", "with_audio", "enable_audio")),
        caption=str(words)[:2_000],
        title=model.model_id,
        seed=_seed(model.model_id, body),
    )


def _seed(model_id: str, body: Mapping[str, Any]) -> int:
    text = json.dumps([model_id, body], sort_keys=True, ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:6], "big")
