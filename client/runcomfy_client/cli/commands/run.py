"""`run` and `submit`: inputs are judged, the request id is told at once, the wait is shown, the files are fetched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ConfigurationError, InvalidInputError, JournalError
from ...prepare import PreparedInput, prepare_input
from ..exit_codes import OK, CommandError, JobKeyTakenError, NotWrittenError
from ..inputs import read_inputs
from ..open_client import open_client
from ..output import emit_json, note
from ..package import package
from ..progress import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...client import SyncClient
    from ...jobs import Job
    from ...results import Result
    from ..options import Common, Downloading, Recording, Sending


def run_job(
    model_id: str,
    words: Sequence[str],
    base: str | None,
    timeout: float | None,
    downloading: Downloading,
    sending: Sending,
    recording: Recording,
    common: Common,
) -> int:
    _prove_keyed(sending, recording)
    prepared = _prepared(model_id, words, base, sending)
    if sending.dry_run:
        return _dry_run(prepared, common)
    if not downloading.no_download:
        check_name(downloading.name)
        _prove_writable(downloading.output_dir)
    with open_client(
        common.base_url, journal=recording.journal, record=not recording.no_journal, validate=not sending.no_validate
    ) as client:
        job = _submitted(client, model_id, prepared, sending)
        note(f"request {job.request_id}")
        return finish(wait_for(job, timeout, cancel_on_interrupt=True), downloading, common)


def submit_job(
    model_id: str, words: Sequence[str], base: str | None, sending: Sending, recording: Recording, common: Common
) -> int:
    _prove_keyed(sending, recording)
    prepared = _prepared(model_id, words, base, sending)
    if sending.dry_run:
        return _dry_run(prepared, common)
    with open_client(
        common.base_url, journal=recording.journal, record=not recording.no_journal, validate=not sending.no_validate
    ) as client:
        job = _submitted(client, model_id, prepared, sending)
    if common.json:
        emit_json({"request_id": job.request_id, "model_id": model_id})
    else:
        print(job.request_id)
    return OK


def wait_for(job: Job[object], timeout: float | None, *, cancel_on_interrupt: bool) -> Result[object]:
    """The job's result, with the wait shown on stderr."""
    with progress() as shown:
        return job.wait(timeout, on_update=shown.update, cancel_on_interrupt=cancel_on_interrupt)


def finish(result: Result[object], downloading: Downloading, common: Common) -> int:
    """Fetch the files and tell what the job brought."""
    for warning in result.warnings:
        note(f"warning: {warning}")
    if result.cost is not None:
        note(f"cost {result.cost:g} USD")
    paths: list[Path] = []
    if result.files and not downloading.no_download:
        with progress() as shown:
            shown.busy(f"fetching {len(result.files)} file{'s' if len(result.files) > 1 else ''}")
            paths = result.download(downloading.output_dir, name=downloading.name, on_progress=shown.fetched)
    if common.json:
        emit_json(_facts(result, paths))
    elif result.files:
        print("\n".join([str(path) for path in paths] or [file.url for file in result.files]))
    else:
        import json

        print(json.dumps(result.raw.get("output"), indent=2, ensure_ascii=False))
    return OK


def _prepared(model_id: str, words: Sequence[str], base: str | None, sending: Sending) -> PreparedInput:
    """The input, checked as a file would be: here null is a fault, not "not given" as in Python."""
    spec = package().spec(model_id) if sending.no_validate else package().known_spec(model_id)
    values, findings = read_inputs(model_id, spec, words, base)
    prepared = prepare_input(spec, values, name=model_id, findings=findings, check=not sending.no_validate)
    if not prepared.report.ok:
        raise InvalidInputError(prepared.report)
    return prepared


def _submitted(client: SyncClient, model_id: str, prepared: PreparedInput, sending: Sending) -> Job[object]:
    if sending.job_key is None:
        return client.submit(model_id, prepared)
    try:
        return client.submit(model_id, prepared, {"job_key": sending.job_key})
    except JournalError as error:
        if error.job_key is None:  # the journal itself is at fault, and the job may have been started
            raise
        raise JobKeyTakenError(error.job_key, error.request_id) from error


def _dry_run(prepared: PreparedInput, common: Common) -> int:
    from .dry_run import request_facts, request_text

    warnings = [str(warning) for warning in prepared.report.warnings]
    for warning in warnings:
        note(f"warning: {warning}")
    if common.json:
        emit_json({"request": request_facts(prepared.report.model_id, prepared, common), "warnings": warnings})
    else:
        print(request_text(prepared.report.model_id, prepared, common))
    return OK


def _prove_keyed(sending: Sending, recording: Recording) -> None:
    """A key that would not keep a second run from being paid is worse than none."""
    if sending.job_key is not None and not sending.job_key.strip():
        raise CommandError("--job-key is empty; give the job a name, or leave the option out")
    if sending.job_key is not None and recording.no_journal:
        raise CommandError("--job-key is kept in the journal; leave --no-journal out")


def _prove_writable(folder: str) -> None:
    """A result that cannot be saved is best known before it is paid for."""
    import tempfile

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
    """A template that makes no name is a usage error, and best known before anything is paid for."""
    from ...api.file_names import NameTemplate

    try:
        NameTemplate(template)
    except ConfigurationError as error:
        raise CommandError(f"--name: {error}") from None


def _facts(result: Result[object], paths: list[Path]) -> dict[str, object]:
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
