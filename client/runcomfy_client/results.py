"""Results, and the rules that both job handles run. Loaded at the first question to a job, for a submit asks none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast

from .api import cancel, outcomes, poll
from .api.arguments import check_callable, check_interval, deadline_of, wrong
from .api.download import download
from .api.values import LARGEST, PollState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike
    from pathlib import Path

    from .api.calls import JobRef, Session
    from .api.values import Cancellation, DownloadProgress, File, JobUpdate
    from .transport.async_driver import AsyncDriver
    from .transport.steps import Operation
    from .transport.sync_driver import SyncDriver

Output = TypeVar("Output", covariant=True)


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
        raise wrong(name, state, "a PollState (PollState.from_dict reads one that was written down), or None")
