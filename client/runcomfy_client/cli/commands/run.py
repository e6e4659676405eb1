"""`run` and `submit`: the input is checked, the request id is shown at once, then the wait, then the files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ...api.file_names import NameTemplate
from ...api.submit import LONGEST_KEY, validate_options
from ...errors import ConfigurationError, InvalidInputError, JournalError
from ...media import encode_body
from ...media.sources import LocalMedia
from ...prepare import PreparedInput, prepare_input
from ...schema.messages import amount
from ..errors import OK, CommandError, JobKeyTakenError, NotWrittenError
from ..inputs import read_extra, read_inputs
from ..options import (
    COMMON,
    DOWNLOADING,
    JOBS,
    RECORDING,
    SENDING,
    Common,
    Downloading,
    Input,
    Inputs,
    ModelId,
    Recording,
    Sending,
    Timeout,
    check_recording,
    check_seconds,
    command,
)
from ..output import emit_json, note, print_marked, write
from ..package import api_url, open_client, package, program
from ..progress import progress
from ..text import json_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...api.submit import RequestOptions
    from ...client import SyncClient
    from ...jobs import Job
    from ...results import Result

# Characters of a data: URI that a dry run shows.
_URI_SHOWN = 48


@command(
    group=JOBS,
    order=5,
    usage="run [OPTIONS] MODEL [KEY=VALUE...]",
    example=(
        "{program} run bytedance/dreamina-4-0/text-to-image \\",
        "  prompt='a red fox' scale=0.4 --output-dir out",
    ),
)
def run(
    model: ModelId,
    /,
    *inputs: Inputs,
    input: Input = None,
    timeout: Timeout = None,
    downloading: Downloading = DOWNLOADING,
    sending: Sending = SENDING,
    recording: Recording = RECORDING,
    common: Common = COMMON,
) -> int:
    """Submit a job, wait for it, fetch its files. Ctrl-C cancels it while it is queued."""
    check_seconds(timeout)
    prepared, extra = _prepare(model, inputs, input, sending, recording)
    if sending.dry_run:
        return _dry_run(prepared, extra, common)
    if not downloading.no_download:
        check_name(downloading.name)
        _check_writable(downloading.output_dir)
    with _client(sending, recording, common) as client:
        job = _submit(client, model, prepared, extra, sending)
        note(f"request {job.request_id}")
        return finish(wait_for(job, timeout, cancel_on_interrupt=True), downloading, common)


@command(
    group=JOBS,
    order=6,
    usage="submit [OPTIONS] MODEL [KEY=VALUE...]",
    example=("{program} submit bytedance/dreamina-4-0/text-to-image \\", "  prompt='a red fox'"),
)
def submit(
    model: ModelId,
    /,
    *inputs: Inputs,
    input: Input = None,
    sending: Sending = SENDING,
    recording: Recording = RECORDING,
    common: Common = COMMON,
) -> int:
    """Submit a job and print its request id, without waiting."""
    prepared, extra = _prepare(model, inputs, input, sending, recording)
    if sending.dry_run:
        return _dry_run(prepared, extra, common)
    with _client(sending, recording, common) as client:
        job = _submit(client, model, prepared, extra, sending)
    if common.json:
        emit_json({"request_id": job.request_id, "model_id": model})
    else:
        write(job.request_id)
    return OK


def wait_for(job: Job[object], timeout: float | None, *, cancel_on_interrupt: bool) -> Result[object]:
    """The job's result, with the wait shown on stderr."""
    with progress() as display:
        return job.wait(timeout, on_update=display.update, cancel_on_interrupt=cancel_on_interrupt)


def fetch(result: Result[object], downloading: Downloading) -> list[Path]:
    """Show what is known of the result besides its files, and fetch the files unless the options say not to."""
    for warning in result.warnings:
        print_marked("warning", "yellow", warning)
    if result.cost is not None:
        note(f"cost {result.cost:g} USD")
    if not result.files or downloading.no_download:
        return []
    with progress() as display:
        display.busy(f"fetching {amount(len(result.files), 'file')}")
        return result.download(downloading.output_dir, name=downloading.name, on_progress=display.fetched)


def finish(result: Result[object], downloading: Downloading, common: Common) -> int:
    """Fetch the files and print the result."""
    paths = fetch(result, downloading)
    if common.json:
        emit_json(result_facts(result, paths))
    elif result.files:
        write("\n".join([str(path) for path in paths] or [file.url for file in result.files]))
    else:
        write(json_text(result.raw.get("output")))
    return OK


def result_facts(result: Result[object], paths: Sequence[Path]) -> dict[str, object]:
    """A result for scripts; ``paths`` are its files in order, none if they were not fetched."""
    saved: list[str | None] = [*map(str, paths)] or [None] * len(result.files)
    return {
        "request_id": result.request_id,
        "model_id": result.model_id,
        "state": "completed",
        "output": result.raw.get("output"),
        "files": [
            {"url": file.url, "kind": file.kind, "path": path} for file, path in zip(result.files, saved, strict=True)
        ],
        "cost": result.cost,
        "warnings": list(result.warnings),
    }


def _prepare(
    model_id: str, words: Sequence[str], base: str | None, sending: Sending, recording: Recording
) -> tuple[PreparedInput, dict[str, object]]:
    """The input, checked as a file would be, and what goes unchecked beside it.

    Here null is an error, not "leave it out" as in Python.
    """
    check_recording(recording)
    if sending.job_key is not None:
        _check_job_key(sending.job_key)
    if sending.job_key is not None and recording.no_journal:
        # A key that does not prevent paying for a second run is worse than none.
        raise CommandError("--job-key is kept in the journal; leave --no-journal out")
    if "=" in model_id:
        raise CommandError(f"MODEL is missing before {model_id!r}; `{program()} models` lists the models")
    spec = package().spec(model_id) if sending.no_validate else package().known_spec(model_id)
    values, findings = read_inputs(model_id, spec, words, base)
    prepared = prepare_input(spec, values, name=model_id, findings=findings, check=not sending.no_validate)
    if not prepared.report.ok:
        raise InvalidInputError(prepared.report)
    extra = read_extra(sending.extra_input)
    if doubled := sorted(set(extra) & set(prepared)):
        raise CommandError(f"--extra-input repeats {doubled[0]!r}, which the input has already")
    return prepared, extra


def _check_job_key(key: str) -> None:
    if not key.strip():
        raise CommandError("--job-key is empty; give the job a name, or leave the option out")
    try:
        validate_options({"job_key": key})
    except ConfigurationError:  # which names the argument of Python
        raise CommandError(f"--job-key takes a text of at most {LONGEST_KEY:,} characters, in UTF-8") from None


def _client(sending: Sending, recording: Recording, common: Common) -> SyncClient:
    return open_client(
        common.base_url, journal=recording.journal, record=not recording.no_journal, validate=not sending.no_validate
    )


def _submit(
    client: SyncClient, model_id: str, prepared: PreparedInput, extra: dict[str, object], sending: Sending
) -> Job[object]:
    options: RequestOptions = {"extra_input": extra}
    if sending.job_key is not None:
        options["job_key"] = sending.job_key
    try:
        return client.submit(model_id, prepared, options)
    except JournalError as error:
        # Without a key the journal itself has failed, and the job may have been started.
        if sending.job_key is None or error.job_key is None:
            raise
        message = error.message.replace("job_key", "--job-key", 1)  # the option's name, not the argument's
        other_token = error.account is not None
        raise JobKeyTakenError(message, error.job_key, error.request_id, other_token=other_token) from error


def _check_writable(folder: str) -> None:
    """Report that a result cannot be saved before it is paid for."""
    path = Path(folder).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise NotWrittenError(
            f"cannot write to {folder}: {error.strerror or error}; choose another --output-dir"
        ) from None


def check_name(template: str) -> None:
    """A template that makes no file name is a usage error, reported before anything is paid for."""
    try:
        NameTemplate(template)
    except ConfigurationError as error:
        # The option's name, not the argument's.
        raise CommandError(error.message.replace("The argument name", "--name", 1)) from None


def _dry_run(prepared: PreparedInput, extra: dict[str, object], common: Common) -> int:
    """Print the request as it would leave, with the token hidden and media shown by kind and size."""
    warnings = [str(warning) for warning in prepared.report.warnings]
    for warning in warnings:
        print_marked("warning", "yellow", warning)
    headers = {"Authorization": "Bearer [hidden]", "Content-Type": "application/json"}
    url = api_url(common.base_url, prepared.report.model_id)
    payload = {**prepared, **extra}
    length = encode_body(payload).length
    body = _shortened(payload)
    if common.json:
        facts = {"method": "POST", "url": url, "headers": headers, "content_length": length, "body": body}
        emit_json({"request": facts, "warnings": warnings})
    else:
        lines = [f"POST {url}", *[f"{name}: {value}" for name, value in headers.items()]]
        lines += [f"Content-Length: {length}", "", json_text(body)]
        write("\n".join(lines))
    return OK


def _shortened(value: object) -> object:
    if isinstance(value, LocalMedia):
        return f"data:{value.info.mime};base64,[{value.info.summary}]"
    if isinstance(value, str) and value[:5].lower() == "data:" and len(value) > _URI_SHOWN:
        return f"{value[:_URI_SHOWN]}...[{len(value)} characters]"
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    return value
