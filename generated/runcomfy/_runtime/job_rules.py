"""What a job can be asked, as the rules that both handles run; loaded at the first question, for a submit asks none."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .protocol import cancel, outputs, wait
from .results import ResultData

if TYPE_CHECKING:
    from .protocol.session import JobRef, Session
    from .results import Cancellation, JobUpdate
    from .transport.steps import Rule

Shape = TypeVar("Shape", bound=ResultData[object])


class JobRules:
    """The rules of one job."""

    def __init__(self, session: Session, ref: JobRef) -> None:
        self._session = session
        self._ref = ref

    def status(self) -> Rule[JobUpdate]:
        return wait.status(self._session, self._ref)

    def updates(self, timeout: float | None) -> Rule[None]:
        return wait.updates(self._session, self._ref, timeout)

    def cancel(self) -> Rule[Cancellation]:
        return cancel.cancel(self._session, self._ref)

    def wait(self, shape: type[Shape], timeout: float | None, *, cancel_on_interrupt: bool) -> Rule[Shape]:
        body = yield from wait.wait(self._session, self._ref, timeout, cancel_on_interrupt=cancel_on_interrupt)
        return self._read(shape, body)

    def result(self, shape: type[Shape]) -> Rule[Shape]:
        body = yield from wait.result(self._session, self._ref)
        return self._read(shape, body)

    def _read(self, shape: type[Shape], body: dict[str, object]) -> Shape:
        """A success as the result class of the handle that asked."""
        read = outputs.read_success(self._session, self._ref, body)
        return shape(
            job=self._ref, output=read.output, files=read.files, cost=read.cost, warnings=read.warnings, raw=body
        )
