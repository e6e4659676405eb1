"""Where fetched files go: into a folder under names that tie them to their job, to one path, or into memory.

`download` fetches all files of a result into a folder. A file is written under a name of its own (a part) and moved
to its name in one step when it is whole, so a name in the folder always stands for a whole file. That makes a second
download cheap: under a name with {request_id} whatever is there is this file, and is not fetched again.

What can go wrong, and what is done:

- Some files fail: the others are still fetched, and the error lists what was saved and what was not.
- The name is taken by another file: it is never written over; the new file is numbered. Taken by the same content:
  that is the file. Two processes that save at the same moment cannot get the same name: a hard link fails if the name
  is taken, and where there are no hard links the name is reserved by creating it exclusively.
- The process is killed: its part stays behind. A part is locked while it is written, so the next download into the
  folder finds abandoned parts and removes them.
"""

from __future__ import annotations

import contextlib
import filecmp
import io
import json
import os
import re
import secrets
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..errors import DownloadError
from ..media.inspect import inspect
from ..transport.steps import Notify, Operation, gather, run
from .fetch import Fetch
from .file_names import clean_id, numbered_names, suffix_of
from .values import DownloadProgress

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .arguments import Limits
    from .calls import JobRef, Session
    from .fetch import Piece
    from .file_names import JobFacts, NameTemplate
    from .values import FileData

if sys.platform != "win32":
    import fcntl

# There a file that is open cannot be removed, which is lock enough, and must be closed before it is renamed.
_WINDOWS = os.name == "nt"
_LARGEST_RECORD = 64 * 1024 * 1024
_PART = re.compile(r"\.runcomfy-[0-9a-f]{16}\.part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Where a download goes, and how its files are called.

    names: the content of the folder, from a caller that has called ``prepare``; None to list it at each download.
    """

    path: Path
    template: NameTemplate
    facts: JobFacts
    overwrite: bool
    sidecar: bool
    names: frozenset[str] | None = None


def download(
    session: Session, job: JobRef, files: Sequence[FileData], cost: float | None, folder: Folder, limits: Limits
) -> Operation[list[Path]]:
    """Fetch the files that the folder, created if needed, does not have yet; return the paths of all, in order.

    If one fails, the others are still fetched; then DownloadError is raised.
    """
    try:
        names = folder.names
        if names is None:
            names = yield from run(lambda: prepare(folder.path))
    except OSError as error:
        reason = f"{folder.path} cannot be made: {error}."
        raise _error(job, reason, not_saved=[file.url for file in files]) from error
    outcomes = yield from gather(
        [
            _catch_download_error(_fetch_into_folder(session, job, file, index, folder, names, limits))
            for index, file in enumerate(files, 1)
        ]
    )
    paths = [outcome for outcome in outcomes if isinstance(outcome, Path)]
    errors = [outcome for outcome in outcomes if isinstance(outcome, DownloadError)]
    if errors:
        raise _combine(files, outcomes, paths, errors)
    if folder.sidecar:
        record = _record(job, files, paths, cost)
        try:
            yield from run(lambda: _write_record(folder.path, job, record))
        except OSError as error:
            reason = f"The files were fetched, but the record beside them cannot be written: {error}."
            raise _error(job, reason, saved=paths) from error
    return paths


def save(session: Session, job: JobRef, file: FileData, path: Path, overwrite: bool, limits: Limits) -> Operation[Path]:
    """Fetch one file to this very path."""
    fetch = Fetch(session, job, file, limits)
    try:
        yield from run(lambda: path.parent.mkdir(parents=True, exist_ok=True))
        if path.is_dir():
            raise fetch.error(f"{path} is a folder", cure="download(folder) names the files in it.")
        if path.exists() and not overwrite:
            raise fetch.error(f"{path} is there already", cure="overwrite=True writes over it.")
        part = yield from run(lambda: Part(path.parent))
    except OSError as error:
        raise fetch.error(f"it cannot be written: {error}") from error
    try:
        yield from _fetch_into_part(fetch, part)
        if not (yield from run(lambda: part.move_to(path, overwrite=overwrite))):
            raise fetch.error(f"{path} is there by now", cure="overwrite=True writes over it.")
    except OSError as error:
        raise fetch.error(f"it cannot be written: {error}") from error
    finally:
        part.discard()
        yield from fetch.close()
    return path


def read_all(session: Session, job: JobRef, file: FileData, limits: Limits) -> Operation[bytes]:
    """The whole file, in memory."""
    fetch = Fetch(session, job, file, limits)
    content = io.BytesIO()
    try:
        yield from _fetch_whole(fetch, content, progress=False)
    finally:
        yield from fetch.close()
    return content.getvalue()


class Reading:
    """One file for a consumer that takes it piece by piece and cannot return a piece."""

    def __init__(self, session: Session, job: JobRef, file: FileData, limits: Limits) -> None:
        self._fetch = Fetch(session, job, file, limits)
        self._given = 0

    def next_piece(self) -> Operation[bytes]:
        """The next bytes, empty at the end."""
        piece = yield from self._fetch.next_piece()
        if piece is None:
            return b""
        if piece.at != self._given:
            raise self._fetch.error(f"cut off after {self._given:,} bytes, and the server does not go on from there")
        self._given += len(piece.data)
        return piece.data

    def close(self) -> Operation[None]:
        return self._fetch.close()


def _fetch_whole(fetch: Fetch, target: BinaryIO, *, progress: bool = True) -> Operation[None]:
    """Write the file to ``target``; begin again where a reply that did not state its length turns out to be cut."""
    while True:
        while (piece := (yield from fetch.next_piece())) is not None:
            yield from run(partial(_write_at, target, piece))
            if progress:
                yield Notify(DownloadProgress(file=fetch.file, received=fetch.size, total=fetch.total))
        if fetch.length_known:
            return
        info = yield from run(lambda: inspect(target, fetch.size))
        if info.broken is None:
            return
        yield from fetch.again(f"the file {info.broken}")


def _write_at(target: BinaryIO, piece: Piece) -> None:
    target.seek(piece.at)
    target.write(piece.data)
    target.truncate()


def _fetch_into_part(fetch: Fetch, part: Part) -> Operation[None]:
    yield from _fetch_whole(fetch, part.handle)
    yield from run(part.handle.flush)


def _fetch_into_folder(
    session: Session, job: JobRef, file: FileData, index: int, folder: Folder, names: Collection[str], limits: Limits
) -> Operation[Path]:
    """Return the path of the whole file. Raises DownloadError, and then leaves nothing behind."""
    if folder.template.names_job and not folder.overwrite:
        existing = folder.template.find(folder.facts, index, file.kind, names)
        if existing is not None and (yield from run(lambda: _has_content(folder.path / existing))):
            return folder.path / existing
    fetch = Fetch(session, job, file, limits)
    try:
        part = yield from run(lambda: Part(folder.path))
        try:
            yield from _fetch_into_part(fetch, part)
            suffix = suffix_of(fetch.mime, file.url, fetch.headers.get("content-disposition", ""))
            name = folder.template.name(folder.facts, index, suffix)
            return (yield from run(lambda: place(part, name, folder)))
        finally:
            part.discard()
            yield from fetch.close()
    except OSError as error:
        raise fetch.error(f"it cannot be written: {error}") from error


def place(part: Part, name: str, folder: Folder) -> Path:
    """Move the part to its name, or to a numbered one where another file has that; the same file is left as it is."""
    if folder.overwrite:
        part.move_to(folder.path / name, overwrite=True)
        return folder.path / name
    for candidate in numbered_names(name):
        target = folder.path / candidate
        if part.move_to(target, overwrite=False):
            return target
        if target.is_file() and filecmp.cmp(part.path, target, shallow=False):
            return target
        if candidate == name and folder.template.names_job and target.is_file() and not target.stat().st_size:
            part.move_to(target, overwrite=True)  # a name reserved by a process that was killed
            return target
    raise AssertionError("there is always another number")


class Part:
    """The unfinished file, locked so that other processes see that it is in use."""

    def __init__(self, folder: Path) -> None:
        while True:
            self.path = folder / f".runcomfy-{secrets.token_hex(8)}.part"
            self.handle: BinaryIO = self.path.open("x+b")
            if _lock(self.handle) is not False and self.path.exists():
                return
            self.handle.close()  # another process removed it as abandoned just before it was locked

    def move_to(self, target: Path, *, overwrite: bool, durable: bool = True) -> bool:
        """Whether it has that name now; False if the name is taken.

        The content is on disk before the name is, and the name before this returns, so that a power cut leaves no empty
        file under a name that stands for a whole one. ``durable=False`` leaves both to the system.
        """
        if not self.handle.closed:  # on Windows it is, if another name was taken
            self.handle.flush()
            if durable:
                os.fsync(self.handle.fileno())
            if _WINDOWS:
                self.handle.close()
        moved = self._move_to(target, overwrite)
        if moved and durable:
            _sync_folder(target.parent)
        return moved

    def _move_to(self, target: Path, overwrite: bool) -> bool:
        if overwrite:
            self.path.replace(target)
            return True
        try:
            # Unlike a rename a link fails if the name is taken, also by another process a moment ago.
            os.link(self.path, target)
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            try:
                os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            except FileExistsError:
                return False
            self.path.replace(target)
        return True

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            if _WINDOWS:
                self.handle.close()
            self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.handle.close()


def _sync_folder(folder: Path) -> None:
    """Where the system can do it: not on Windows, and not on every file system."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _lock(handle: BinaryIO) -> bool | None:
    """True if it is locked now, False if another has it, None if there are no locks here."""
    try:
        if sys.platform != "win32":
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks
    return None


def prepare(folder: Path) -> frozenset[str]:
    """Make the folder, remove the parts of killed downloads, and list its content."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [path.name for path in folder.iterdir()]
    for name in names:
        if _PART.fullmatch(name):
            with contextlib.suppress(OSError):
                _remove_forgotten(folder / name)
    return frozenset(names)


def _remove_forgotten(part: Path) -> None:
    if _WINDOWS:
        part.unlink()
        return
    with part.open("r+b") as handle:
        if _lock(handle):
            part.unlink()


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _combine(
    files: Sequence[FileData], outcomes: Sequence[Path | DownloadError], paths: list[Path], errors: list[DownloadError]
) -> DownloadError:
    """One error, with what was saved and what was not. A file that may still come is named before one that is gone."""
    first = min(errors, key=lambda error: error.status_code is not None)
    first.saved = tuple(paths)
    first.not_saved = tuple(
        file.url for file, outcome in zip(files, outcomes, strict=True) if isinstance(outcome, DownloadError)
    )
    for other in errors:
        if other is not first:
            first.add_note(str(other))
    if paths:
        first.add_note(f"Saved: {', '.join(str(path) for path in paths)}.")
    if len(files) > 1:
        first.add_note(f"Not saved: {', '.join(first.not_saved)}. The same download again fetches only these.")
    return first


def _error(job: JobRef, message: str, *, saved: Sequence[Path] = (), not_saved: Sequence[str] = ()) -> DownloadError:
    error = DownloadError(message, request_id=job.request_id, model_id=job.model_id)
    error.saved, error.not_saved = tuple(saved), tuple(not_saved)
    if saved:
        error.add_note(f"Saved: {', '.join(str(path) for path in saved)}.")
    return error


def _catch_download_error(operation: Operation[Path]) -> Operation[Path | DownloadError]:
    try:
        return (yield from operation)
    except DownloadError as error:
        return error


def record_name(request_id: str) -> str:
    """The name of the record beside a job's files."""
    return f"{clean_id(request_id)}.json"


def _record(job: JobRef, files: Sequence[FileData], paths: Sequence[Path], cost: float | None) -> dict[str, object]:
    return {
        "model_id": job.model_id,
        "request_id": job.request_id,
        "input": job.input,
        "cost": cost,
        "files": [
            {"name": path.name, "kind": file.kind, "url": file.url} for file, path in zip(files, paths, strict=True)
        ],
    }


def _write_record(folder: Path, job: JobRef, record: dict[str, object]) -> None:
    """Write it beside the files: over this job's own record, and never over another file."""
    part = Part(folder)
    try:
        part.handle.write((json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace"))
        for name in numbered_names(record_name(job.request_id)):
            target = folder / name
            if part.move_to(target, overwrite=_is_record(target, job)):
                return
    finally:
        part.discard()


def _is_record(path: Path, job: JobRef) -> bool:
    """Whether this is a record that was written here for this job."""
    try:
        if path.stat().st_size > _LARGEST_RECORD:
            return False
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(record, dict) and record.get("request_id") == job.request_id and "files" in record
