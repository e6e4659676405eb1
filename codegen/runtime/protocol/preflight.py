"""What happens before a submit may be sent: Python values become a payload, the schema judges it, the body is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ConfigurationError, InvalidInputError, UnknownModelError
from ..hooks import log
from ..media import encode_body, prepare
from ..registry import spec_for
from ..validation import Problem, Report, check

if TYPE_CHECKING:
    from ..transport.steps import Body
    from .session import Session

_PLAIN = (str, int, float, bool, type(None))
_LONG_TEXT = 100_000


class Prepared(NamedTuple):
    """A submit that may be sent."""

    model_id: str
    payload: dict[str, object]
    body: Body


def check_model_id(model_id: str) -> str:
    """Refuse an id that would lead elsewhere as a path."""
    if not isinstance(model_id, str):
        raise UnknownModelError(f"A model id is a text such as bytedance/dreamina-4-0/edit, and not {model_id!r:.80}.")
    if not all(part.strip(".") and part.isprintable() and " " not in part for part in model_id.split("/")):
        raise UnknownModelError(f"{model_id!r} is no model id; one looks like bytedance/dreamina-4-0/edit.")
    return model_id


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
    return InvalidInputError(Report(model_id, [Problem("json", "is nested too deeply, or holds itself")]))


def prepare_submit(
    session: Session, model_id: str, given: Mapping[str, object], extra: Mapping[str, object] | None
) -> Prepared:
    """Raises InvalidInputError with the whole report. An id without a schema here is sent as it is given."""
    check_model_id(model_id)
    spec = spec_for(model_id)
    payload, unread = prepare(spec, given)
    report = check(spec, payload) if spec is not None and session.validate else Report(model_id)
    if unread:
        report = Report(model_id, [*unread, *report.errors], report.warnings, report.unchecked)
    if not report.ok:
        raise InvalidInputError(report)
    for warning in report.warnings:
        log.warning("%s %s", model_id, warning)
    if extra:
        if doubled := sorted(set(extra) & set(payload)):
            raise ConfigurationError(f"extra_input repeats {doubled[0]!r}, which the input has already.")
        payload = {**payload, **extra}
    try:
        body = encode_body(payload)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(Report(model_id, [Problem("json", str(error))])) from error
    return Prepared(model_id=model_id, payload=payload, body=body)
