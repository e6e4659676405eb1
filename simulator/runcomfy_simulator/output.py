"""What stands under `output` in a result: the files' URLs, where the model's output schema has places for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .jobs import Job


def output_of(job: Job, urls: Sequence[str], *, lists_of_one: bool) -> dict[str, Any]:
    """The output of a succeeded job.

    Args:
        lists_of_one: one image still comes as a list; videos and sounds come alone in any case.
    """
    kind = job.order.kind
    parts: Mapping[str, Any] = job.model.output_schema.get("properties") or {}
    alone, listed = kind, f"{kind}s"
    wants_list = len(urls) > 1 or (lists_of_one and kind == "image")
    if wants_list and (listed in parts or alone not in parts):
        return {listed: [_placed(url, (parts.get(listed) or {}).get("items"), job) for url in urls]} | _others(
            parts, job, listed
        )
    if alone in parts or listed not in parts:
        return {alone: _placed(urls[0], parts.get(alone), job)} | _others(parts, job, alone)
    return {listed: [_placed(url, parts[listed].get("items"), job) for url in urls]} | _others(parts, job, listed)


def _placed(url: str, part: Any, job: Job) -> Any:
    """A URL as the schema wants it: plain, or in an object with `url`."""
    if not isinstance(part, dict) or "url" not in (part.get("properties") or {}):
        return url
    facts = {"url": url, "width": job.order.width, "height": job.order.height, "duration": job.order.seconds}
    return {name: facts[name] for name in part["properties"] if name in facts}


def _others(parts: Mapping[str, Any], job: Job, used: str) -> dict[str, Any]:
    """What the schema has beside media and the input knows too, such as `seed` or `prompt`."""
    media = {"image", "images", "video", "videos", "audio", "audios", used}
    return {name: job.input[name] for name in parts if name not in media and name in job.input}
