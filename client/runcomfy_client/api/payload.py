"""What a submit sends: the input made ready and checked, its body, and what is kept of it for the journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ConfigurationError, InvalidInputError
from ..identifiers import check_model_id
from ..media import LocalMedia, encode_body
from ..prepare import PreparedInput, prepare_input
from ..schema import AnyValue, ErrorFinding, Report
from ..transport.hooks import log

if TYPE_CHECKING:
    from ..transport.steps import Body
    from .calls import Session


_LONGEST_TEXT = 20_000


def summary(value: object) -> object:
    """The payload as JSON values, with what is large replaced by its size and digest."""
    if isinstance(value, Mapping):
        return {key: summary(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [summary(item) for item in value]
    if isinstance(value, LocalMedia):
        return {"name": value.name, "type": value.info.mime, **_size_and_digest(value.data)}
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return _size_and_digest(value.encode("utf-8", "surrogatepass"))
    return value


def input_digest(payload: Mapping[str, object]) -> str:
    """The same for the same input, in whatever order its keys stand."""
    text = json.dumps(payload, sort_keys=True, default=_content)
    return hashlib.sha256(text.encode()).hexdigest()


def _content(value: object) -> object:
    """Of a file only what is sent: the same picture from another folder, or as bytes, is the same input."""
    return [value.info.mime, _size_and_digest(value.data)] if isinstance(value, LocalMedia) else summary(value)


def _size_and_digest(content: bytes) -> dict[str, object]:
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


_PLAIN = (str, int, float, bool, type(None))
_LONG_TEXT = 100_000


class Prepared(NamedTuple):
    """A submit that may be sent.

    summary: the payload with what is large left out. urls: the web addresses in it. digest: the same for the same
    input; empty where no journal compares it.
    """

    model_id: str
    payload: dict[str, object]
    body: Body
    summary: object
    urls: frozenset[str]
    digest: str


def is_heavy(value: object) -> bool:
    """Whether preparing this may read files or look into large data, and so must not hold up an event loop."""
    if isinstance(value, str):
        return len(value) > _LONG_TEXT
    if isinstance(value, Mapping):
        return any(is_heavy(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(is_heavy(item) for item in value)
    return not isinstance(value, _PLAIN)


def too_deep(model_id: str) -> InvalidInputError:
    return InvalidInputError(Report(model_id, [ErrorFinding("json", "is nested too deeply, or holds itself")]))


def prepare_submit(
    session: Session, model_id: str, input: Mapping[str, object], extra: Mapping[str, object] | None
) -> Prepared:
    """Raises InvalidInputError with the whole report. An id without a schema here is sent as it is."""
    check_model_id(model_id)
    spec = session.package.spec(model_id)
    if isinstance(input, PreparedInput) and input.report.model_id == model_id:
        prepared = input
    else:
        prepared = prepare_input(spec, input, name=model_id, check=session.validate)
    if not prepared.report.ok:
        raise InvalidInputError(prepared.report)
    for warning in prepared.report.warnings:
        log.warning("%s %s", model_id, warning)
    payload: dict[str, object] = prepared
    if extra:
        if doubled := sorted(set(extra) & set(payload)):
            raise ConfigurationError(f"extra_input repeats {doubled[0]!r}, which the input has already.")
        payload = {**payload, **extra}
    try:
        body = encode_body(payload)
    except (TypeError, ValueError) as error:
        errors = [finding for finding in AnyValue().check(payload) or () if isinstance(finding, ErrorFinding)]
        raise InvalidInputError(Report(model_id, errors or [ErrorFinding("json", str(error))])) from error
    return Prepared(
        model_id=model_id,
        payload=payload,
        body=body,
        summary=summary(payload),
        urls=urls_in(payload),
        digest=input_digest(payload) if session.journal is not None else "",
    )
