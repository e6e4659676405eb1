"""The download rule: fetch a result's files into a folder, each whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urljoin

from ..errors import DownloadError
from ..media.kinds import HEAD, sniff
from ..transport.config import is_loopback
from ..transport.deadline import Deadline
from ..transport.hooks import HttpEvent, log
from ..transport.steps import Close, Notify, Operation, Request, Sleep, TransportFailure, gather, open_stream, read, run
from .calls import backoff
from .file_names import numbered, record_name, safe_name
from .outcomes import host_of, is_result_host
from .replies import retry_after
from .values import LARGEST, DownloadProgress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..transport.hooks import Kind
    from ..transport.steps import Reply, Stream
    from .calls import JobRef, Session
    from .values import File

MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
# Bytes that are collected before they are written: small enough to be no burden, large enough to be worth a thread.
PIECE = 1024 * 1024
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the user allows."""

    folder: Path
    overwrite: bool
    hosts: tuple[str, ...]
    max_bytes: int
    deadline: Deadline
    # Names that files of this download have: `overwrite` is about what was there before.
    taken: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Again(Exception):
    """This attempt failed, another may go well."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


class Fetch:
    """Fetches one file; `into_place` is the whole of it."""

    def __init__(self, session: Session, job: JobRef, file: File, fallback: str, terms: Terms) -> None:
        self._session = session
        self._job = job
        self._file = file
        self._fallback = fallback
        self._terms = terms
        self._part = terms.folder / f".{secrets.token_hex(8)}.part"
        self._size = 0
        self._total: int | None = None
        self._head = b""
        self._mark = ""  # what tells one version of the file from another: ETag or Last-Modified
        self._reply: Reply | None = None

    def into_place(self) -> Operation[Path]:
        """Give the path of the whole file. Raises DownloadError; then nothing is left behind."""
        try:
            yield from self._fetched()
            kind, mime = sniff(self._head)
            self._check_kind(kind, mime)
            assert self._reply is not None
            name = safe_name(
                self._file.url, self._reply.headers.get("content-disposition", ""), mime, fallback=self._fallback
            )
            return (yield from run(lambda: self._placed(name)))
        except OSError as error:
            raise self._error(f"it cannot be written: {error}") from error
        finally:
            with contextlib.suppress(OSError):
                self._part.unlink(missing_ok=True)

    def _fetched(self) -> Operation[None]:
        misses = 0
        while True:
            try:
                return (yield from self._attempt())
            except (TransportFailure, _Again) as failure:
                reason = failure.reason if isinstance(failure, TransportFailure) else str(failure)
                misses += 1
                pause = max(getattr(failure, "pause", None) or 0.0, backoff(misses))
                if misses > self._session.config.max_retries or pause > LONGEST_PAUSE:
                    raise self._error(f"{reason}, after {self._size:,} bytes") from failure
                if pause >= self._terms.deadline.left():
                    raise self._error(f"out of time, after {self._size:,} bytes: {reason}") from failure
                self._tell("retry", reason=reason, pause=pause)
            yield Sleep(pause)

    def _attempt(self) -> Operation[None]:
        stream = yield from self._opened()
        try:
            reply = stream.reply
            resumed = self._size > 0 and reply.status == 206 and self._continues(reply)
            if not resumed:
                self._begin(reply)
            self._reply = reply
            with (yield from run(lambda: self._part.open("ab" if resumed else "wb"))) as sink:
                yield from self._drain(stream, sink)
        finally:
            yield Close(stream)
        if self._total is not None and self._size != self._total:
            raise _Again(f"cut off at {self._size:,} of {self._total:,} bytes")

    def _drain(self, stream: Stream, sink: BinaryIO) -> Operation[None]:
        piece = bytearray()
        try:
            while chunk := (yield from read(stream)):
                piece += chunk
                if self._size + len(piece) > self._terms.max_bytes:
                    raise self._too_large()
                if len(piece) >= PIECE:
                    yield from self._keep(piece, sink)
        finally:
            # What came before a cut need not come again.
            self._size += sink.write(piece)
            self._head = (self._head + piece)[:HEAD] if len(self._head) < HEAD else self._head
        yield Notify(self._progress())

    def _keep(self, piece: bytearray, sink: BinaryIO) -> Operation[None]:
        data = bytes(piece)
        piece.clear()
        yield from run(lambda: sink.write(data))
        self._size += len(data)
        self._head = (self._head + data)[:HEAD] if len(self._head) < HEAD else self._head
        yield Notify(self._progress())

    def _begin(self, reply: Reply) -> None:
        """Start from nothing, if this reply is the file."""
        self._size, self._head, self._total = 0, b"", None
        if reply.status in (408, 429, 416, 206) or reply.status >= 500:
            raise _Again(f"HTTP {reply.status}", retry_after(reply))
        if reply.status in (401, 403, 404, 410):
            raise self._error(f"HTTP {reply.status}: it may have expired; job.result() may name it anew")
        if reply.status != 200:
            raise self._error(f"HTTP {reply.status}")
        length = reply.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and len(length) < 20 and "content-encoding" not in reply.headers:
            self._total = int(length)
            if self._total > self._terms.max_bytes:
                raise self._too_large()
        tag = reply.headers.get("etag", "")
        self._mark = tag if tag and not tag.startswith("W/") else reply.headers.get("last-modified", "")

    def _continues(self, reply: Reply) -> bool:
        return reply.headers.get("content-range", "").startswith(f"bytes {self._size}-")

    def _opened(self) -> Operation[Stream]:
        url = self._file.url
        for _ in range(MOST_REDIRECTS):
            self._check_address(url)
            self._tell("request")
            stream = yield from open_stream(
                Request(method="GET", url=url, headers=self._headers(), timeout=self._time_limit())
            )
            self._tell("response", status=stream.reply.status)
            if stream.reply.status not in REDIRECTS:
                return stream
            yield Close(stream)
            url = self._next_address(url, stream.reply.headers.get("location", ""))
        raise self._error(f"more than {MOST_REDIRECTS} redirects")

    def _next_address(self, url: str, location: str) -> str:
        try:
            return urljoin(url, location)
        except ValueError:
            raise self._error("it was redirected to something that is no address") from None

    def _headers(self) -> tuple[tuple[str, str], ...]:
        # Compressed, the sizes would not tell where to go on.
        plain = (("Accept", "*/*"), ("Accept-Encoding", "identity"))
        if self._size and self._mark:
            return (*plain, ("Range", f"bytes={self._size}-"), ("If-Range", self._mark))
        return plain

    def _time_limit(self) -> float | None:
        left = self._terms.deadline.left()
        if left <= 0:
            raise self._error("out of time")
        return None if left == float("inf") else left

    def _check_address(self, url: str) -> None:
        scheme, host = url.partition(":")[0].lower(), host_of(url)
        if not host:
            raise self._error("its address names no host")
        if self._session.config.loopback and scheme in ("http", "https") and is_loopback(host):
            return
        if scheme != "https":
            raise self._error(f"{scheme}://{host} is not https")
        if not is_result_host(host, self._terms.hosts):
            raise self._error(f"{host} is not a host of RunComfy's; download(..., hosts=[{host!r}]) allows it")

    def _check_kind(self, kind: str | None, mime: str) -> None:
        if not self._size:
            raise self._error("it is empty")
        if self._file.kind != "file" and kind == "document":
            raise self._error(f"what came is {mime}, not {self._file.kind}")
        if kind not in (None, "document", self._file.kind) and self._file.kind != "file":
            log.warning("Job %s: the %s %s is %s.", self._job.request_id, self._file.kind, self._file.url, mime)

    def _placed(self, name: str) -> Path:
        """Move the whole file to its name in one step; without `overwrite` never over another one."""
        if self._terms.overwrite:
            target = self._terms.folder / self._own_name(name)
            self._part.replace(target)
            return target
        for candidate in numbered(name):
            target = self._terms.folder / candidate
            try:
                # Unlike a rename a link fails if the name is taken, also by another process a moment ago.
                os.link(self._part, target)
            except FileExistsError:
                continue
            except OSError:  # a file system without hard links
                if target.exists():
                    continue
                self._part.replace(target)
            return target
        raise AssertionError("there is always another number")

    def _own_name(self, name: str) -> str:
        with self._terms.lock:
            # Some file systems take A.png and a.png for one.
            free = next(each for each in numbered(name) if each.casefold() not in self._terms.taken)
            self._terms.taken.add(free.casefold())
        return free

    def _progress(self) -> DownloadProgress:
        return DownloadProgress(file=self._file, received=self._size, total=self._total)

    def _tell(self, kind: Kind, *, status: int | None = None, reason: str = "", pause: float | None = None) -> None:
        event = HttpEvent(
            kind="request",
            method="GET",
            url=self._file.url,
            request_id=self._job.request_id,
            model_id=self._job.model_id,
        )
        self._session.hooks.emit(event._replace(kind=kind, status=status, reason=reason, pause=pause))

    def _too_large(self) -> DownloadError:
        return self._error(
            f"it is larger than {self._terms.max_bytes:,} bytes; download(..., max_bytes=...) allows more"
        )

    def _error(self, reason: str) -> DownloadError:
        return DownloadError(
            f"{self._file.url} was not fetched: {reason}. The result itself is safe.",
            url=self._file.url,
            request_id=self._job.request_id,
            model_id=self._job.model_id,
        )


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
) -> Operation[list[Path]]:
    """Fetch all files into the folder, made if need be; give their paths in order.

    One that fails does not keep the others from coming; then its error is raised.
    """
    terms = Terms(
        folder=Path(folder).expanduser(),
        overwrite=overwrite,
        hosts=tuple(host.lower() for host in ([hosts] if isinstance(hosts, str) else hosts)),
        max_bytes=max_bytes,
        deadline=Deadline(timeout),
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


def _caught(rule: Operation[Path]) -> Operation[Path | DownloadError]:
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
