"""The download rule: RunComfy's hosts only, https only, no token, no redirect elsewhere, whole files or none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from ..errors import DownloadError
from ..transport.config import is_loopback
from ..transport.steps import Close, Exchange, Fault, Rule, open_stream, read
from .names import safe_name, unused

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from ..results import File
    from ..transport.steps import Stream
    from .session import JobRef, Session

# From the official command line, which fetches from these only.
HOSTS = ("runcomfy.net", "runcomfy.com")
LARGEST = 2 * 1024**3
MOST_REDIRECTS = 5


def download(
    session: Session, job: JobRef, files: Sequence[File], folder: str | os.PathLike[str], *, hosts: Sequence[str] = ()
) -> Rule[list[Path]]:
    """Fetch all files into the folder, made if need be; give their paths in order."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    paths = []
    for number, file in enumerate(files, 1):
        fetch = Fetch(session, job, file, hosts)
        paths.append((yield from fetch.into(place, f"{file.kind}_{number}", taken)))
    return paths


class Fetch:
    """One file on its way."""

    def __init__(self, session: Session, job: JobRef, file: File, hosts: Sequence[str]) -> None:
        self._session = session
        self._job = job
        self._file = file
        self._hosts = (*HOSTS, *(host.lower() for host in hosts))

    def into(self, folder: Path, fallback: str, taken: set[str]) -> Rule[Path]:
        try:
            stream = yield from self._opened()
        except Fault as fault:
            raise self._error(fault.reason) from fault
        try:
            kind = stream.reply.headers.get("content-type", "").split(";")[0].strip().lower()
            if stream.reply.status != 200:
                raise self._error(f"HTTP {stream.reply.status}")
            if kind in ("text/html", "application/json", "application/xml", "text/xml"):
                raise self._error(f"what came is {kind}, not {self._file.kind}")
            target = unused(folder, safe_name(self._file.url, kind, fallback=fallback), taken)
            part = target.with_name(target.name + ".part")
            yield from self._write(stream, part)
        finally:
            yield Close(stream)
        part.replace(target)
        return target

    def _opened(self) -> Rule[Stream]:
        url = self._file.url
        for _ in range(MOST_REDIRECTS):
            self._check(url)
            stream = yield from open_stream(
                Exchange(method="GET", url=url, headers=(("Accept", "*/*"), ("Accept-Encoding", "identity")))
            )
            if stream.reply.status not in (301, 302, 303, 307, 308):
                return stream
            yield Close(stream)
            url = urljoin(url, stream.reply.headers.get("location", ""))
        raise self._error(f"more than {MOST_REDIRECTS} redirects")

    def _write(self, stream: Stream, part: Path) -> Rule[None]:
        size = 0
        try:
            with part.open("wb") as sink:
                while chunk := (yield from read(stream)):
                    size += len(chunk)
                    if size > LARGEST:
                        raise self._error(f"larger than {LARGEST:,} bytes")
                    sink.write(chunk)
        except Fault as fault:
            part.unlink()
            raise self._error(f"{fault.reason} after {size:,} bytes") from fault
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if self._session.config.loopback and parts.scheme in ("http", "https") and is_loopback(host):
            return
        if parts.scheme != "https":
            raise self._error("the address is not https")
        if not any(host == known or host.endswith("." + known) for known in self._hosts):
            raise self._error(f"{host} is not a host of RunComfy's; download(hosts=[{host!r}]) allows it")

    def _error(self, reason: str) -> DownloadError:
        return DownloadError(
            f"{self._file.url} was not fetched: {reason}. The result itself is safe.",
            url=self._file.url,
            request_id=self._job.request_id,
            model_id=self._job.model_id,
        )
