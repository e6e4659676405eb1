"""Results, and the rules that both job handles run. Loaded by the first call on a job, since a submit makes none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast

from .api import cancel, outcomes, poll
from .api.arguments import argument_error, check_callable, check_interval, deadline_of, limits_of, path_of
from .api.download import Folder, Reading, download, read_all, save
from .api.file_names import DEFAULT_NAME, NameTemplate, facts_of
from .api.outcomes import model_in
from .api.values import LARGEST, FileData, PollState
from .errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Sequence
    from os import PathLike
    from pathlib import Path
    from typing import Self

    from .api.calls import JobRef, Session
    from .api.values import Cancellation, DownloadProgress, JobUpdate
    from .transport.async_driver import AsyncDriver
    from .transport.steps import Operation
    from .transport.sync_driver import SyncDriver

Output = TypeVar("Output", covariant=True)


class ResultData(Generic[Output]):
    """A finished job's output.

    ``output`` is the typed output, ``files`` what can be downloaded or read, ``cost`` US dollars or None if RunComfy
    has not stated it yet (ask ``job.result()`` again later), ``warnings`` what was odd about the reply, ``raw`` the
    whole of it.
    """

    def __init__(
        self,
        *,
        job: JobRef,
        output: Output,
        files: tuple[FileData, ...],
        cost: float | None,
        warnings: tuple[str, ...],
        raw: dict[str, object],
    ) -> None:
        self._job = job._replace(model_id=model_in(raw) or job.model_id)
        self.output = output
        self.files: tuple[FileData, ...] = files
        self.cost = cost
        self.warnings = warnings
        self.raw = raw

    @property
    def request_id(self) -> str:
        """The id of the job that made this."""
        return self._job.request_id

    @property
    def model_id(self) -> str | None:
        """The model that made it, as the reply names it; else the one it was submitted to, if that is known."""
        return self._job.model_id

    def _folder(self, folder: object, name: object, overwrite: bool, sidecar: bool) -> Folder:
        return Folder(
            path=path_of("folder", folder),
            template=NameTemplate(name),
            facts=facts_of(self._job, self.model_id, self.raw),
            overwrite=overwrite,
            sidecar=sidecar,
        )

    def __repr__(self) -> str:
        cost = "" if self.cost is None else f" cost={self.cost:g}"
        return f"<{type(self).__name__} {self.request_id} files={len(self.files)}{cost}>"


class _BoundFile(FileData):
    """A file that knows what to fetch itself with."""

    __slots__ = ("_driver", "_job", "_session")

    _job: JobRef
    _session: Session

    def _bind(self, session: Session, driver: object, job: JobRef) -> Self:
        for name, value in (("_session", session), ("_driver", driver), ("_job", job)):
            object.__setattr__(self, name, value)
        return self

    def _source(self) -> tuple[Session, JobRef, FileData]:
        """What a file is fetched with; one that was made by hand or unpickled has nothing."""
        if not hasattr(self, "_driver"):
            raise ConfigurationError("This file has no client to fetch it; take it from a result's files.")
        return self._session, self._job, self


class File(_BoundFile):
    """A file of a result, from `RunComfy`. ``kind`` is image, video, audio or file; ``url`` expires."""

    __slots__ = ()

    _driver: SyncDriver

    def read(
        self,
        *,
        hosts: Sequence[str] = (),
        max_bytes: int = LARGEST,
        timeout: float | None = None,
    ) -> bytes:
        """Fetch the whole file into memory, with the care of a download: host, size and kind are checked.

        Arguments and errors are those of ``result.download``.
        """
        operation = read_all(*self._source(), limits_of(hosts, max_bytes, timeout))
        return self._driver.run(operation)

    def save(
        self,
        path: str | PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: Callable[[DownloadProgress], object] | None = None,
        hosts: Sequence[str] = (),
        max_bytes: int = LARGEST,
        timeout: float | None = None,
    ) -> Path:
        """Fetch the file to this very path; its folder is created if needed. An existing file is an error.

        overwrite: write over it when the new file is whole. Arguments and errors are otherwise those of
        ``result.download``.
        """
        check_callable("on_progress", on_progress)
        limits = limits_of(hosts, max_bytes, timeout)
        operation = save(*self._source(), path_of("path", path), overwrite, limits)
        return self._driver.run(operation, cast("Callable[[object], object] | None", on_progress))

    def stream(
        self,
        *,
        hosts: Sequence[str] = (),
        max_bytes: int = LARGEST,
        timeout: float | None = None,
    ) -> Generator[bytes]:
        """Fetch the file in pieces of about a megabyte, for a web handler or a pipe, with the care of a download.

        A broken download is resumed if the server supports that; else DownloadError is raised after some pieces were
        returned. If the server does not state the length, a cut cannot be told from the end. Arguments are those of
        ``result.download``.
        """
        return self._pieces(Reading(*self._source(), limits_of(hosts, max_bytes, timeout)))

    def _pieces(self, reading: Reading) -> Generator[bytes]:
        try:
            while piece := self._driver.run(reading.next_piece()):
                yield piece
        finally:
            self._driver.run(reading.close())


class Result(ResultData[Output]):
    """A finished job's output, from `RunComfy`."""

    files: tuple[File, ...]

    def _bind(self, session: Session, driver: SyncDriver) -> Result[Output]:
        self._session, self._driver = session, driver
        self.files = tuple(File(file.url, file.kind)._bind(session, driver, self._job) for file in self.files)
        return self

    def download(
        self,
        folder: str | PathLike[str] = ".",
        *,
        name: str = DEFAULT_NAME,
        overwrite: bool = False,
        sidecar: bool = False,
        on_progress: Callable[[DownloadProgress], object] | None = None,
        hosts: Sequence[str] = (),
        max_bytes: int = LARGEST,
        timeout: float | None = None,
    ) -> list[Path]:
        """Fetch every file into `folder`, which is created if needed, and return the paths.

        name: how files are called, of {request_id}, {index}, {suffix} (".png", by content), {model}, {job_key} (the
            request id if the job has none) and {date} (of the job, UTC). With {request_id} a file that is there already
            is this result's, whole, and not fetched again; another file of the same name is never written over.
        overwrite: fetch every file again, and write over what has its name.
        sidecar: also write ``<request id>.json`` with model id, request id, input and cost.
        on_progress: called with DownloadProgress about once a megabyte.
        hosts: more hosts to fetch from, with their subdomains; else only RunComfy's.
        max_bytes: the most for one file; 2 GiB.
        timeout: seconds for all of it, or None.

        A file is written under a temporary name and moved into place when it is complete. The token is not sent. Raises
        DownloadError, whose ``saved`` and ``not_saved`` list the files; the result itself stays good, and the same call
        again fetches the rest. Raises ConfigurationError for a wrong argument.
        """
        check_callable("on_progress", on_progress)
        place = self._folder(folder, name, overwrite, sidecar)
        limits = limits_of(hosts, max_bytes, timeout)
        operation = download(self._session, self._job, self.files, self.cost, place, limits)
        return self._driver.run(operation, cast("Callable[[object], object] | None", on_progress))


class AsyncFile(_BoundFile):
    """A file of a result, from `AsyncRunComfy`. ``kind`` is image, video, audio or file; ``url`` expires."""

    __slots__ = ()

    _driver: AsyncDriver

    async def read(
        self,
        *,
        hosts: Sequence[str] = (),
        max_bytes: int = LARGEST,
        timeout: float | None = None,  # noqa: ASYNC109 - it is the operation's
    ) -> bytes:
        """Fetch the whole file into memory, with the care of a download: host, size and kind are checked.

        Arguments and errors are those of ``result.download``.
        """
        operation = read_all(*self._source(), limits_of(hosts, max_bytes, timeout))
        return await self._driver.run(operation)

    async def save(
        self,
        path: str | PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: Callable[[DownloadProgress], object] | None = None,
        hosts: Sequence[str] = (),
        max_bytes: int = LARGEST,
        timeout: float | None = None,  # noqa: ASYNC109 - it is the operation's
    ) -> Path:
        """Fetch the file to this very path; its folder is created if needed. An existing file is an error.

        overwrite: write over it when the new file is whole. Arguments and errors are otherwise those of
        ``result.download``.
        """
        check_callable("on_progress", on_progress)
        limits = limits_of(hosts, max_bytes, timeout)
        operation = save(*self._source(), path_of("path", path), overwrite, limits)
        return await self._driver.run(operation, cast("Callable[[object], object] | None", on_progress))

    def stream(
        self,
        *,
        hosts: Sequence[str] = (),
        max_bytes: int = LARGEST,
        timeout: float | None = None,
    ) -> AsyncGenerator[bytes]:
        """Fetch the file in pieces of about a megabyte, for a web handler or a pipe, with the care of a download.

        A broken download is resumed if the server supports that; else DownloadError is raised after some pieces were
        returned. If the server does not state the length, a cut cannot be told from the end. Arguments are those of
        ``result.download``.
        """
        return self._pieces(Reading(*self._source(), limits_of(hosts, max_bytes, timeout)))

    async def _pieces(self, reading: Reading) -> AsyncGenerator[bytes]:
        try:
            while piece := await self._driver.run(reading.next_piece()):
                yield piece
        finally:
            await self._driver.run(reading.close())


class AsyncResult(ResultData[Output]):
    """A finished job's output, from `AsyncRunComfy`."""

    files: tuple[AsyncFile, ...]

    def _bind(self, session: Session, driver: AsyncDriver) -> AsyncResult[Output]:
        self._session, self._driver = session, driver
        self.files = tuple(AsyncFile(file.url, file.kind)._bind(session, driver, self._job) for file in self.files)
        return self

    async def download(
        self,
        folder: str | PathLike[str] = ".",
        *,
        name: str = DEFAULT_NAME,
        overwrite: bool = False,
        sidecar: bool = False,
        on_progress: Callable[[DownloadProgress], object] | None = None,
        hosts: Sequence[str] = (),
        max_bytes: int = LARGEST,
        timeout: float | None = None,  # noqa: ASYNC109 - it is the operation's
    ) -> list[Path]:
        """Fetch every file into `folder`, which is created if needed, and return the paths.

        name: how files are called, of {request_id}, {index}, {suffix} (".png", by content), {model}, {job_key} (the
            request id if the job has none) and {date} (of the job, UTC). With {request_id} a file that is there already
            is this result's, whole, and not fetched again; another file of the same name is never written over.
        overwrite: fetch every file again, and write over what has its name.
        sidecar: also write ``<request id>.json`` with model id, request id, input and cost.
        on_progress: called with DownloadProgress about once a megabyte.
        hosts: more hosts to fetch from, with their subdomains; else only RunComfy's.
        max_bytes: the most for one file; 2 GiB.
        timeout: seconds for all of it, or None.

        A file is written under a temporary name and moved into place when it is complete. The token is not sent. Raises
        DownloadError, whose ``saved`` and ``not_saved`` list the files; the result itself stays good, and the same call
        again fetches the rest. Raises ConfigurationError for a wrong argument.
        """
        check_callable("on_progress", on_progress)
        place = self._folder(folder, name, overwrite, sidecar)
        limits = limits_of(hosts, max_bytes, timeout)
        operation = download(self._session, self._job, self.files, self.cost, place, limits)
        return await self._driver.run(operation, cast("Callable[[object], object] | None", on_progress))


Shape = TypeVar("Shape", bound=ResultData[object])


class JobRules:
    """The rules of one job."""

    def __init__(self, session: Session, ref: JobRef) -> None:
        self._session = session
        self._ref = ref

    def status(self) -> Operation[JobUpdate]:
        return poll.status(self._session, self._ref)

    def updates(self, timeout: float | None, poll_interval: float | None) -> Operation[None]:
        check_interval(poll_interval)
        return poll.updates(self._session, self._ref, deadline_of(timeout), poll_interval)

    def poll(self, state: PollState | None) -> Operation[poll.Poll]:
        check_state("state", state)
        return poll.poll(self._session, self._ref, state)

    def cancel(self) -> Operation[Cancellation]:
        return cancel.cancel(self._session, self._ref)

    def wait(
        self,
        shape: type[Shape],
        timeout: float | None,
        *,
        on_update: object,
        cancel_on_interrupt: bool,
        poll_interval: float | None,
        poll_state: PollState | None,
    ) -> Operation[Shape]:
        check_callable("on_update", on_update)
        check_interval(poll_interval)
        check_state("poll_state", poll_state)
        rule = poll.wait(
            self._session,
            self._ref,
            deadline_of(timeout),
            cancel_on_interrupt=cancel_on_interrupt,
            poll_interval=poll_interval,
            state=poll_state,
        )
        return self._read_when_over(shape, rule)

    def _read_when_over(self, shape: type[Shape], rule: Operation[dict[str, object]]) -> Operation[Shape]:
        return self._read(shape, (yield from rule))

    def result(self, shape: type[Shape]) -> Operation[Shape]:
        body = yield from poll.result(self._session, self._ref)
        return self._read(shape, body)

    def _read(self, shape: type[Shape], body: dict[str, object]) -> Shape:
        """A success as the result class of the handle that asked."""
        read = outcomes.read_success(self._session, self._ref, body)
        return shape(
            job=self._ref, output=read.output, files=read.files, cost=read.cost, warnings=read.warnings, raw=body
        )


def check_state(name: str, state: object) -> None:
    if state is not None and not isinstance(state, PollState):
        raise argument_error(name, state, "a PollState (PollState.from_dict reads one that was written down), or None")
