"""What a result has under `output`: the files' URLs, at the keys that the model's output schema has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .jobs import Job

_MEDIA_KEYS = {"image", "images", "video", "videos", "audio", "audios"}


def make_output(job: Job, urls: Sequence[str], *, lists_of_one: bool) -> dict[str, Any]:
    """The output of a succeeded job.

    Args:
        lists_of_one: one image still comes as a list; one video or sound never does.
    """
    kind = job.spec.kind
    parts: Mapping[str, Any] = job.model.output_schema.get("properties") or {}
    single, plural = kind, f"{kind}s"
    wants_list = len(urls) > 1 or (lists_of_one and kind == "image")
    as_list = (plural in parts or single not in parts) if wants_list else (single not in parts and plural in parts)
    if as_list:
        items = (parts.get(plural) or {}).get("items")
        output: dict[str, Any] = {plural: [_file_value(url, items, job) for url in urls]}
    else:
        output = {single: _file_value(urls[0], parts.get(single), job)}
    # What the schema has besides media and the input has too, such as `seed` or `prompt`.
    inputs = job.used_input
    return output | {name: inputs[name] for name in parts if name not in _MEDIA_KEYS and name in inputs}


def _file_value(url: str, part: Any, job: Job) -> Any:
    """A URL as the schema has it: plain, or in an object with `url`."""
    if not isinstance(part, dict) or "url" not in (part.get("properties") or {}):
        return url
    facts = {"url": url, "width": job.spec.width, "height": job.spec.height, "duration": job.spec.seconds}
    return {name: facts[name] for name in part["properties"] if name in facts}
