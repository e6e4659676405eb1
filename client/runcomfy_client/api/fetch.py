"""Fetching one result file: from RunComfy's result hosts, without the token, whole or not at all, piece by piece.

`Fetch.next_piece` gives the file's next bytes and where in the file they belong; whoever asks writes them to a file,
keeps them in memory or hands them on. It takes care of everything that can go wrong on the way:

- An address that is not RunComfy's, not https, or leads elsewhere by a redirect: refused, before anything is sent
  there.
- What comes is a page or a text instead of an image, a video or a sound: refused before the first piece is returned.
- More than ``max_bytes``: refused, at once if the server states the length.
- A cut, 408, 429 or 5xx: tried again, `max_retries` times, from where it stopped if the server can do that and the
  file is still the same (Range with If-Range; the ETag of the reply is compared, too). Otherwise from the beginning,
  and then the next piece belongs at 0 again.
- A reply that does not state its length ends where its connection ends, so a cut looks like the end. Then
  `length_known` is False, and the caller looks at the end of the file itself and asks for it `again`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin

from ..errors import DownloadError
from ..media.kinds import HEAD, sniff
from ..transport.config import is_loopback
from ..transport.hooks import HttpEvent, log
from ..transport.steps import Close, Operation, Request, Sleep, TransportFailure, open_stream, read
from .calls import backoff
from .outcomes import host_of, is_result_host
from .replies import retry_after

if TYPE_CHECKING:
    from ..transport.hooks import Kind
    from ..transport.steps import Reply, Stream
    from .arguments import Limits
    from .calls import JobRef, Session
    from .values import FileData

MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
# The size of a piece in bytes: small enough to keep in memory, large enough to be worth a thread.
PIECE = 1024 * 1024
LONGEST_PAUSE = 60.0


class Piece(NamedTuple):
    """Some bytes of a file, and where they belong. Bytes returned before for positions from ``at`` on are void."""

    at: int
    data: bytes


class _Again(Exception):
    """This attempt failed, another may succeed."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


class Fetch:
    """One file on its way. Call `close` at the end, however it ends."""

    def __init__(self, session: Session, job: JobRef, file: FileData, limits: Limits) -> None:
        self.file = file
        self.size = 0
        self.total: int | None = None
        self.mime = ""
        self.headers: dict[str, str] = {}
        self.length_known = True
        self._session = session
        self._job = job
        self._limits = limits
        self._misses = 0
        self._version = ""  # identifies the version of the file: ETag or Last-Modified
        self._stream: Stream | None = None
        self._failure: TransportFailure | None = None  # after the bytes that came before it
        self._done = False

    def next_piece(self) -> Operation[Piece | None]:
        """The next piece, None at the end of the whole file. Raises DownloadError."""
        while not self._done:
            try:
                if self._stream is None:
                    yield from self._begin()
                data = yield from self._read_piece()
                if data:
                    if not self.size:
                        self._check_kind(data[:HEAD])
                    self.size += len(data)
                    return Piece(self.size - len(data), data)
                yield from self.close()
                if self.total is not None and self.size != self.total:
                    raise _Again(f"cut off at {self.size:,} of {self.total:,} bytes")
                if not self.size:
                    raise self.error("it is empty")
                self._done = True
            except (TransportFailure, _Again) as failure:
                yield from self._pause(failure)
        return None

    def again(self, reason: str) -> Operation[None]:
        """The file is incomplete: begin again, if there is an attempt left."""
        self._done, self._version = False, ""
        yield from self._pause(_Again(reason))

    def close(self) -> Operation[None]:
        stream, self._stream = self._stream, None
        if stream is not None:
            yield Close(stream)

    def _pause(self, failure: TransportFailure | _Again) -> Operation[None]:
        yield from self.close()
        reason = failure.reason if isinstance(failure, TransportFailure) else str(failure)
        self._misses += 1
        pause = max(getattr(failure, "pause", None) or 0.0, backoff(self._misses))
        if self._misses > self._session.config.max_retries or pause > LONGEST_PAUSE:
            raise self.error(f"{reason}, after {self.size:,} bytes") from failure
        if pause >= self._limits.deadline.left():
            raise self.error(f"out of time, after {self.size:,} bytes: {reason}") from failure
        self._emit("retry", reason=reason, pause=pause)
        yield Sleep(pause)

    def _read_piece(self) -> Operation[bytes]:
        """About PIECE bytes, fewer before the end or a cut; the first piece is enough to identify the file's kind."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        assert self._stream is not None
        piece = bytearray()
        try:
            while len(piece) < PIECE and (chunk := (yield from read(self._stream))):
                piece += chunk
                if self.size + len(piece) > self._limits.max_bytes:
                    raise self._too_large()
        except TransportFailure as failure:
            if self.size + len(piece) < HEAD:
                raise
            self._failure = failure  # bytes from before a cut are not fetched again
        return bytes(piece)

    def _begin(self) -> Operation[None]:
        self._stream = yield from self._open()
        reply = self._stream.reply
        if self.size and reply.status == 206 and self._continues(reply):
            return
        self.size, self.total, self.length_known = 0, None, True
        if reply.status in (408, 429, 416, 206) or reply.status >= 500:
            raise _Again(f"HTTP {reply.status}", retry_after(reply))
        if reply.status in (401, 403, 404, 410):
            cure = "job.result() may name it again."
            raise self.error(f"HTTP {reply.status}: it may have expired", cure, reply.status)
        if reply.status != 200:
            raise self.error(f"HTTP {reply.status}", status_code=reply.status)
        self.headers = dict(reply.headers)
        self._read_length()
        tag = self.headers.get("etag", "")
        self._version = tag if tag and not tag.startswith("W/") else self.headers.get("last-modified", "")
        if self._encoded():
            self._version = ""  # the bytes that are counted here are not those that a range would count

    def _read_length(self) -> None:
        length = self.headers.get("content-length", "")
        if self._encoded():
            return  # a compressed body has an end of its own
        if length.isascii() and length.isdigit() and len(length) < 20:
            self.total = int(length)
            if self.total > self._limits.max_bytes:
                raise self._too_large()
        else:
            self.length_known = "chunked" in self.headers.get("transfer-encoding", "").lower()

    def _encoded(self) -> bool:
        return self.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")

    def _continues(self, reply: Reply) -> bool:
        """Whether this 206 continues where the bytes so far end, and is of the same file."""
        unit, _, rest = reply.headers.get("content-range", "").partition(" ")
        span, _, total = rest.partition("/")
        if unit != "bytes" or not span.startswith(f"{self.size}-"):
            return False
        if self.total is not None and total.strip() not in ("*", str(self.total)):
            return False
        return self._version in (reply.headers.get("etag"), reply.headers.get("last-modified"))

    def _open(self) -> Operation[Stream]:
        url = self.file.url
        for _ in range(MOST_REDIRECTS):
            self._check_address(url)
            self._emit("request")
            stream = yield from open_stream(
                Request(method="GET", url=url, headers=self._range_headers(), timeout=self._time_limit())
            )
            self._emit("response", status=stream.reply.status)
            if stream.reply.status not in REDIRECTS:
                return stream
            yield Close(stream)
            url = self._next_address(url, stream.reply.headers.get("location", ""))
        raise self.error(f"more than {MOST_REDIRECTS} redirects")

    def _next_address(self, url: str, location: str) -> str:
        try:
            return urljoin(url, location)
        except ValueError:
            raise self.error("it was redirected to something that is not an address") from None

    def _range_headers(self) -> tuple[tuple[str, str], ...]:
        # With compression, the sizes would not say where to continue.
        plain = (("Accept", "*/*"), ("Accept-Encoding", "identity"))
        if self.size and self._version:
            return (*plain, ("Range", f"bytes={self.size}-"), ("If-Range", self._version))
        return plain

    def _time_limit(self) -> float | None:
        left = self._limits.deadline.left()
        if left <= 0:
            raise self.error("out of time")
        return None if left == float("inf") else left

    def _check_address(self, url: str) -> None:
        scheme, host = url.partition(":")[0].lower(), host_of(url)
        if not host:
            raise self.error("its address names no host")
        if self._session.config.loopback and scheme in ("http", "https") and is_loopback(host):
            return
        if scheme != "https":
            raise self.error(f"{scheme}://{host} is not https")
        if not is_result_host(host, self._limits.hosts):
            raise self.error(f"{host} is not a host of RunComfy's", cure=f"hosts=[{host!r}] allows it.")

    def _check_kind(self, head: bytes) -> None:
        kind, self.mime = sniff(head)
        if self.file.kind == "file":
            return
        if kind == "document":
            raise self.error(f"what came is {self.mime}, not {self.file.kind}")
        fits = (None, self.file.kind) if self.file.kind == "image" else (None, self.file.kind, "stream")
        if kind not in fits:
            log.warning("Job %s: the %s %s is %s.", self._job.request_id, self.file.kind, self.file.url, self.mime)

    def _emit(self, kind: Kind, *, status: int | None = None, reason: str = "", pause: float | None = None) -> None:
        event = HttpEvent(
            kind="request",
            method="GET",
            url=self.file.url,
            request_id=self._job.request_id,
            model_id=self._job.model_id,
        )
        self._session.hooks.emit(event._replace(kind=kind, status=status, reason=reason, pause=pause))

    def _too_large(self) -> DownloadError:
        return self.error(f"it is larger than {self._limits.max_bytes:,} bytes", cure="max_bytes=... allows more.")

    def error(self, reason: str, cure: str = "", status_code: int | None = None) -> DownloadError:
        return DownloadError(
            f"{self.file.url} was not fetched: {reason}. The result itself is safe.",
            cure=cure,
            url=self.file.url,
            status_code=status_code,
            request_id=self._job.request_id,
            model_id=self._job.model_id,
        )
