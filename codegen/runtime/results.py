"""What a job tells and brings: its updates, its result, the files in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike
    from pathlib import Path

    from .protocol.session import JobRef, Session
    from .transport.async_driver import AsyncDriver
    from .transport.sync_driver import SyncDriver

Output = TypeVar("Output", covariant=True)

LARGEST = 2 * 1024**3  # as the official command line allows


@dataclass(frozen=True, slots=True, kw_only=True)
class JobUpdate:
    """Where a job stands.

    ``state`` is in_queue, in_progress, completed, failed or cancelled, or the API's own word if that is a new one.
    ``queue_position`` is there only while queued; RunComfy does not say whether it counts from 0 or 1. ``elapsed`` is
    in seconds, since the submit if this process made it, else since the first look.
    """

    request_id: str
    state: str
    queue_position: int | None = None
    elapsed: float = 0.0
    model_id: str | None = None
    raw: dict[str, object] = field(default_factory=dict, repr=False)

    @property
    def over(self) -> bool:
        return self.state in ("completed", "failed", "cancelled")

    def __str__(self) -> str:
        place = "" if self.queue_position is None else f", position {self.queue_position}"
        return f"{self.state}{place} ({self.elapsed:.1f} s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """What came of a cancel. Only queued jobs can be cancelled; ``outcome`` is the API's word."""

    request_id: str
    cancelled: bool
    outcome: str
    raw: dict[str, object] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return "cancelled" if self.cancelled else f"not cancelled ({self.outcome})"


@dataclass(frozen=True, slots=True)
class File:
    """A file a job brought. ``kind`` is image, video, audio or file; ``url`` expires after a time nobody publishes."""

    url: str
    kind: str = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadProgress:
    """How much of a file has come, in bytes; ``total`` is None if the server does not say."""

    file: File
    received: int
    total: int | None


class ResultData(Generic[Output]):
    """A finished job's output.

    ``output`` is the typed output, ``files`` what can be downloaded, ``cost`` US dollars or None if RunComfy has not
    told it yet (ask ``job.result()`` again later), ``warnings`` what was odd about the reply, ``raw`` the whole of it.
    """

    def __init__(
        self,
        *,
        job: JobRef,
        output: Output,
        files: tuple[File, ...],
        cost: float | None,
        warnings: tuple[str, ...],
        raw: dict[str, object],
    ) -> None:
        self._job = job
        self.output = output
        self.files = files
        self.cost = cost
        self.warnings = warnings
        self.raw = raw

    @property
    def request_id(self) -> str:
        """The id of the job that brought this."""
        return self._job.request_id

    @property
    def model_id(self) -> str | None:
        """The model that made it, or None if the job was picked up without saying."""
        return self._job.model_id

    def __repr__(self) -> str:
        cost = "" if self.cost is None else f" cost={self.cost:g}"
        return f"<{type(self).__name__} {self.request_id} files={len(self.files)}{cost}>"


class Result(ResultData[Output]):
    """A finished job's output, from `RunComfy`."""

    def _bind(self, session: Session, driver: SyncDriver) -> Result[Output]:
        self._session, self._driver = session, driver
        return self

    def download(
        self,
        folder: str | PathLike[str] = ".",
        *,
        overwrite: bool = False,
        sidecar: bool = False,
        on_progress: Callable[[DownloadProgress], object] | None = None,
        hosts: Sequence[str] = (),
        max_bytes: int = LARGEST,
        timeout: float | None = None,
    ) -> list[Path]:
        """Fetch every file into `folder`, which is made if need be, and give the paths.

        overwrite: write over files of the same name; otherwise a taken name is numbered.
        sidecar: also write ``<request id>.json`` with model id, request id, input and cost.
        on_progress: called with DownloadProgress about once a megabyte.
        hosts: more hosts to fetch from, with their subdomains; else only RunComfy's.
        max_bytes: the most for one file; 2 GiB.
        timeout: seconds for all of it, or None.

        A file is written under a name of its own and moved into place when it is whole. The token is not sent. Raises
        DownloadError; the result itself stays good.
        """
        from .protocol.download import download

        rule = download(
            self._session,
            self._job,
            self.files,
            self.cost,
            folder,
            overwrite=overwrite,
            sidecar=sidecar,
            hosts=hosts,
            max_bytes=max_bytes,
            timeout=timeout,
        )
        return self._driver.run(rule, cast("Callable[[object], object] | None", on_progress))


class AsyncResult(ResultData[Output]):
    """A finished job's output, from `AsyncRunComfy`."""

    def _bind(self, session: Session, driver: AsyncDriver) -> AsyncResult[Output]:
        self._session, self._driver = session, driver
        return self

    async def download(
        self,
        folder: str | PathLike[str] = ".",
        *,
        overwrite: bool = False,
        sidecar: bool = False,
        on_progress: Callable[[DownloadProgress], object] | None = None,
        hosts: Sequence[str] = (),
        max_bytes: int = LARGEST,
        timeout: float | None = None,  # noqa: ASYNC109 - it is the rule's
    ) -> list[Path]:
        """Fetch every file into `folder`, which is made if need be, and give the paths.

        overwrite: write over files of the same name; otherwise a taken name is numbered.
        sidecar: also write ``<request id>.json`` with model id, request id, input and cost.
        on_progress: called with DownloadProgress about once a megabyte.
        hosts: more hosts to fetch from, with their subdomains; else only RunComfy's.
        max_bytes: the most for one file; 2 GiB.
        timeout: seconds for all of it, or None.

        A file is written under a name of its own and moved into place when it is whole. The token is not sent. Raises
        DownloadError; the result itself stays good.
        """
        from .protocol.download import download

        rule = download(
            self._session,
            self._job,
            self.files,
            self.cost,
            folder,
            overwrite=overwrite,
            sidecar=sidecar,
            hosts=hosts,
            max_bytes=max_bytes,
            timeout=timeout,
        )
        return await self._driver.run(rule, cast("Callable[[object], object] | None", on_progress))
