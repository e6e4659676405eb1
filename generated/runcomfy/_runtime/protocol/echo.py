"""One's own input, small enough to keep: for the record beside a file, and to know its echo from a result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from ..media import LocalMedia

_LONGEST_TEXT = 20_000


def summary(value: object) -> object:
    """The payload as JSON values, with what is large replaced by its size and digest."""
    if isinstance(value, Mapping):
        return {key: summary(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [summary(item) for item in value]
    if isinstance(value, LocalMedia):
        return {"name": value.name, "type": value.facts.mime, **_mark(value.data)}
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return _mark(value.encode("utf-8", "surrogatepass"))
    return value


def input_digest(payload: Mapping[str, object]) -> str:
    """The same for the same input, in whatever order its keys stand."""
    text = json.dumps(payload, sort_keys=True, default=_content)
    return hashlib.sha256(text.encode()).hexdigest()


def _content(value: object) -> object:
    """Of a file only what is sent: the same picture from another folder, or as bytes, is the same input."""
    return [value.facts.mime, _mark(value.data)] if isinstance(value, LocalMedia) else summary(value)


def _mark(content: bytes) -> dict[str, object]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def urls_in(value: object) -> frozenset[str]:
    """Every web address in the payload."""
    return frozenset(_urls(value))


def _urls(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith(("https://", "http://")):
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _urls(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _urls(item)
