"""How the end of a job is read and recorded: output, files and cost. A paid result is never rejected."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import JournalError
from ..transport.hooks import log
from .replies import CANCELLED, COMPLETED, FAILED, Outcome, error_code, failure_in, read_result, text_of
from .values import FileData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..outputs import OutputModel
    from ..transport.steps import Operation
    from .calls import JobRef, Session

# The hosts of results; the official command line fetches from no others (from its released source).
HOSTS = ("runcomfy.net", "runcomfy.com")
_KINDS = {
    "image": "image",
    "images": "image",
    "video": "video",
    "videos": "video",
    "audio": "audio",
    "audios": "audio",
}
_NAMES = ("image", "video", "audio")
# Where a reply may repeat the input, as third parties report.
_ECHOES = frozenset({"input", "inputs", "request", "payload", "parameters", "params"})
_DEEPEST = 20
_LONGEST_MODEL_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A successful reply, parsed."""

    output: object
    files: tuple[FileData, ...]
    cost: float | None
    warnings: tuple[str, ...]


def read_success(session: Session, job: JobRef, body: dict[str, object]) -> Read:
    """Parse the output as the model's class if there is one here; `body` is the whole /result reply."""
    output = _output_class(session, job, body).model_validate(body.get("output"))
    files = tuple(result_files(session, job, body))
    warnings = list(output.warnings)
    if body.get("error"):
        warnings.append(f"the job succeeded, but the reply names an error too: {text_of(body['error'])}")
    if code := error_code(body):
        warnings.append(f"the job succeeded, but the reply has the error code {code}")
    if job.model_id is not None and (model_id := model_in(body)) not in (None, job.model_id):
        warnings.append(f"the job was submitted to {job.model_id}, but the reply names the model {model_id}")
    if not files:
        warnings.append("the output names no file; result.raw holds what came")
    for warning in warnings:
        log.warning("Job %s: %s", job.request_id, warning)
    return Read(output=output, files=files, cost=cost_in(body), warnings=tuple(warnings))


def _output_class(session: Session, job: JobRef, body: Mapping[str, object]) -> type[OutputModel]:
    from ..outputs import MediaOutput  # loads pydantic

    return session.package.output_class(model_of(job, body)) or MediaOutput


def model_of(job: JobRef, body: Mapping[str, object]) -> str:
    """The id of the model that was asked for, else what the reply names, else an empty text."""
    return job.model_id or model_in(body) or ""


def model_in(body: Mapping[str, object]) -> str | None:
    """The model that a reply names. Seen in the official nodes: a reply may name another than was asked for."""
    model_id = body.get("model_id")
    if not isinstance(model_id, str) or not model_id.strip():
        return None
    return text_of(model_id)[:_LONGEST_MODEL_ID]


def result_files(session: Session, job: JobRef, body: Mapping[str, object]) -> Iterator[FileData]:
    """The files of a /result reply, without echoes of the input."""
    output = body.get("output")
    own_host = host_of(session.config.base_url)
    spec = session.package.spec(model_of(job, body)) if job.input is None else None
    inputs = spec.input.properties if spec is not None else {}
    if inputs and isinstance(output, dict):
        # The input is not known here, so under an input's own name only a file on a result host counts.
        output = {key: value for key, value in output.items() if key not in inputs or _is_result(value, own_host)}
    files = list(files_in(output, job.input_urls))
    if not files:
        # An undocumented place: a file on a result host counts, if it is neither the input's nor the API's own.
        if isinstance(output, dict):
            output = {key: value for key, value in output.items() if key not in inputs}
        api = f"{session.config.base_url}/v1/"
        seen = _once(_files_in_value(output, "file", _under_any_key), job.input_urls)
        files = [
            file for file in seen if is_result_host(host_of(file.url), (own_host,)) and not file.url.startswith(api)
        ]
    yield from files


def _is_result(value: object, own_host: str) -> bool:
    return any(is_result_host(host_of(file.url), (own_host,)) for file in _files_in_value(value, "file", _documented))


def host_of(url: str) -> str:
    """The host of an address in lower case; empty if it has none that can be read."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_result_host(host: str, more: tuple[str, ...] = ()) -> bool:
    return any(host == result_host or host.endswith("." + result_host) for result_host in (*HOSTS, *more))


def cost_in(body: Mapping[str, object]) -> float | None:
    """The cost in US dollars; it may arrive later than the result. A negative amount is ignored."""
    cost = amount_of(body.get("cost"))
    return cost if cost is None or cost >= 0 else None


def amount_of(value: object) -> float | None:
    """An amount of money, which may come as a number or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        amount = float(value)
    except (ValueError, OverflowError):
        return None
    return amount if math.isfinite(amount) else None


def files_in(output: object, own: frozenset[str] = frozenset()) -> Iterator[FileData]:
    """Each file once, in the reply's order; addresses in `own` are the input's echo."""
    # Where the output is the address itself, or a list of addresses, no key says what it is.
    return _once(_files_in_value(output, "file" if isinstance(output, (str, list)) else "", _documented), own)


def _once(files: Iterator[FileData], own: frozenset[str]) -> Iterator[FileData]:
    seen = set(own)
    for file in files:
        if file.url not in seen:
            seen.add(file.url)
            yield file


def _files_in_value(value: object, kind: str, inner: Callable[[str, str], str], depth: int = 0) -> Iterator[FileData]:
    """The web addresses of which a kind is known; `inner` tells it for a key, after the kind of what the key is in."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        if kind and value.startswith(("https://", "http://")):
            yield FileData(value, kind)
    elif isinstance(value, list):
        for item in value:
            yield from _files_in_value(item, kind, inner, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _ECHOES:
                yield from _files_in_value(item, inner(key, kind), inner, depth + 1)


def _documented(key: str, kind: str) -> str:
    """Files stand under the keys of the documentation, or below them as `url`."""
    return _KINDS.get(key) or (kind or "file" if key == "url" else "")


def _under_any_key(key: str, kind: str) -> str:
    """A key that names a kind, such as video_url, is trusted."""
    return next((name for name in _NAMES if name in key), kind)


_ENDS = {
    Outcome.SUCCEEDED: COMPLETED,
    Outcome.FAILED: FAILED,
    Outcome.EMPTY: FAILED,
    Outcome.CANCELLED: CANCELLED,
}


def record(session: Session, job: JobRef, body: dict[str, object]) -> Operation[None]:
    """Record the outcome in a /result reply, if it says that the job is over."""
    state = _ENDS.get(read_result(body).outcome)
    if session.journal is not None and state is not None:
        files = [file.url for file in result_files(session, job, body)]
        note = failure_in(body) if state == FAILED else text_of(body.get("error"))
        yield from record_end(session, job, state, cost_in(body), files, note or None)


def record_end(
    session: Session,
    job: JobRef,
    state: str,
    cost: float | None = None,
    files: Sequence[str] = (),
    note: str | None = None,
) -> Operation[None]:
    journal = session.journal
    if journal is None:
        return
    redact = session.config.redact  # the server may repeat what it was sent
    try:
        yield from journal.ended(
            job.request_id,
            state,
            cost=cost,
            files=[redact(file) for file in files],
            note=None if note is None else redact(note),
        )
    except JournalError as error:
        log.error("%s", error)
