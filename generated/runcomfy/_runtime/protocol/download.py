"""The download rule: a result's files into a folder, with a record beside them if asked."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DownloadError
from ..results import LARGEST
from ..transport.steps import gather, run
from .fetch import Fetch, Terms
from .names import record_name
from .timing import Until

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from ..results import File
    from ..transport.steps import Rule
    from .session import JobRef, Session


def download(
    session: Session,
    job: JobRef,
    files: Sequence[File],
    cost: float | None,
    folder: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    sidecar: bool = False,
    hosts: Sequence[str] = (),
    max_bytes: int = LARGEST,
    timeout: float | None = None,
) -> Rule[list[Path]]:
    """Fetch all files into the folder, made if need be; give their paths in order.

    One that fails does not keep the others from coming; then its error is raised.
    """
    terms = Terms(
        folder=Path(folder).expanduser(),
        overwrite=overwrite,
        hosts=tuple(host.lower() for host in ([hosts] if isinstance(hosts, str) else hosts)),
        max_bytes=max_bytes,
        until=Until(timeout),
    )
    try:
        yield from run(lambda: terms.folder.mkdir(parents=True, exist_ok=True))
    except OSError as error:
        raise _error(job, f"{terms.folder} cannot be made: {error}.") from error
    outcomes = yield from gather(
        [
            _caught(Fetch(session, job, file, f"{file.kind}_{number}", terms).into_place())
            for number, file in enumerate(files, 1)
        ]
    )
    paths = [outcome for outcome in outcomes if isinstance(outcome, Path)]
    errors = [outcome for outcome in outcomes if isinstance(outcome, DownloadError)]
    if errors:
        for other in errors[1:]:
            errors[0].add_note(str(other))
        if paths:
            errors[0].add_note(_fetched(paths))
        raise errors[0]
    if sidecar:
        record = _record(job, files, paths, cost)
        target = terms.folder / record_name(job.request_id)
        try:
            yield from run(lambda: _write_atomic(target, record))
        except OSError as error:
            failure = _error(job, f"The files were fetched, but {target} beside them cannot be written: {error}.")
            failure.add_note(_fetched(paths))
            raise failure from error
    return paths


def _error(job: JobRef, message: str) -> DownloadError:
    return DownloadError(message, request_id=job.request_id, model_id=job.model_id)


def _fetched(paths: Sequence[Path]) -> str:
    return f"Fetched: {', '.join(str(path) for path in paths)}"


def _caught(rule: Rule[Path]) -> Rule[Path | DownloadError]:
    try:
        return (yield from rule)
    except DownloadError as error:
        return error


def _record(job: JobRef, files: Sequence[File], paths: Sequence[Path], cost: float | None) -> dict[str, object]:
    return {
        "model_id": job.model_id,
        "request_id": job.request_id,
        "input": job.input,
        "cost": cost,
        "files": [
            {"name": path.name, "kind": file.kind, "url": file.url} for file, path in zip(files, paths, strict=True)
        ],
    }


def _write_atomic(path: Path, record: dict[str, object]) -> None:
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        part.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
