"""How a success is read: nothing that was paid for is rejected, and files are found where RunComfy puts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..results import File
from .replies import text_of
from .session import log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .session import JobRef

_KINDS = {
    "image": "image",
    "images": "image",
    "video": "video",
    "videos": "video",
    "audio": "audio",
    "audios": "audio",
}
# Where a reply may repeat what was sent; seen by third parties.
_ECHOES = frozenset({"input", "inputs", "request", "payload", "parameters", "params"})
_DEEPEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A success, read."""

    output: object
    files: tuple[File, ...]
    cost: float | None
    warnings: tuple[str, ...]


def read_success(job: JobRef, body: dict[str, object]) -> Read:
    """Parse the output as the model's class if there is one here; `body` is the whole /result reply."""
    from ..registry import output_class

    model_id = job.model_id or (body["model_id"] if isinstance(body.get("model_id"), str) else None)
    raw = body.get("output")
    output = output_class(str(model_id) if model_id else "").model_validate(raw if isinstance(raw, dict) else {})
    warnings = []
    if body.get("error"):
        warnings.append(f"The job succeeded, but the reply tells of an error too: {text_of(body['error'])}")
    files = tuple(files_in(raw, job.input_urls))
    if not files:
        warnings.append("The output names no file.")
    for warning in warnings:
        log.warning("Job %s: %s", job.request_id, warning)
    return Read(output=output, files=files, cost=cost_in(body), warnings=tuple(warnings))


def cost_in(body: Mapping[str, object]) -> float | None:
    """The cost in US dollars; it may arrive later than the result."""
    cost = body.get("cost")
    if isinstance(cost, str):
        try:
            return float(cost)
        except ValueError:
            return None
    return float(cost) if isinstance(cost, (int, float)) and not isinstance(cost, bool) else None


def files_in(output: object, own: frozenset[str] = frozenset()) -> Iterator[File]:
    """Each file once, in the reply's order; addresses in `own` are the input's echo."""
    seen = set(own)
    for file in _found(output, "", 0):
        if file.url not in seen:
            seen.add(file.url)
            yield file


def _found(value: object, kind: str, depth: int) -> Iterator[File]:
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        if kind and value.startswith(("https://", "http://")):
            yield File(value, kind)
    elif isinstance(value, list):
        for item in value:
            yield from _found(item, kind, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _ECHOES:
                inner = _KINDS.get(key) or (kind or "file" if key == "url" else "")
                yield from _found(item, inner, depth + 1)
