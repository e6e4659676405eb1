"""A submitted job: handles over the rules, sync and async, with nothing in them that could differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast

from .api.calls import now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from .api.calls import JobRef, Session
    from .api.poll import Poll
    from .api.values import Cancellation, JobUpdate, PollState
    from .results import AsyncResult, JobRules, Result
    from .transport.async_driver import AsyncDriver
    from .transport.sync_driver import SyncDriver

Output = TypeVar("Output", covariant=True)


class JobData:
    """The identity of a job."""

    def __init__(self, session: Session, ref: JobRef) -> None:
        self._session = session
        self._ref = ref

    @property
    def request_id(self) -> str:
        """The job's id: all that is needed to pick it up again, also from another process."""
        return self._ref.request_id

    @property
    def model_id(self) -> str | None:
        """The model it runs, or None if it was picked up without saying."""
        return self._ref.model_id

    @property
    def elapsed(self) -> float | None:
        """Seconds since the submit, or None if the job was picked up and no journal knows it."""
        return None if self._ref.submitted_at is None else max(now() - self._ref.submitted_at, 0.0)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.request_id} of {self.model_id or 'an unnamed model'}>"

    @property
    def _rules(self) -> JobRules:
        from .results import JobRules  # a process that only submits does not need them

        return JobRules(self._session, self._ref)


class Job(JobData, Generic[Output]):
    """A job submitted by `RunComfy`. Dropping it changes nothing: it runs on and is paid for."""

    def __init__(self, session: Session, driver: SyncDriver, ref: JobRef) -> None:
        super().__init__(session, ref)
        self._driver = driver

    def status(self) -> JobUpdate:
        """Ask once for the job's state. Raises APIError and TransportError."""
        return self._driver.run(self._rules.status())

    def wait(
        self,
        timeout: float | None = None,
        *,
        on_update: Callable[[JobUpdate], object] | None = None,
        cancel_on_interrupt: bool = False,
        poll_interval: float | None = None,
        poll_state: PollState | None = None,
    ) -> Result[Output]:
        """Wait until the job is over and return its result.

        timeout: seconds over everything, or None to wait as long as it takes.
        on_update: called with a JobUpdate at each new state or queue position.
        cancel_on_interrupt: send one cancel, for at most five seconds, when Ctrl-C or task cancellation ends the wait.
        poll_interval: seconds between two polls; None for pauses that grow with the time the job takes, 10 at most.
        poll_state: go on from what another wait knew, such as a JobTimeoutError's ``poll_state``.

        Raises JobFailedError, JobCancelledError, JobTimeoutError (not over yet), APIError if the API refuses to tell,
        TransportError if it cannot be reached for minutes, ConfigurationError for a wrong argument.
        """
        from .results import Result

        rule = self._rules.wait(
            Result,
            timeout,
            on_update=on_update,
            cancel_on_interrupt=cancel_on_interrupt,
            poll_interval=poll_interval,
            poll_state=poll_state,
        )
        return self._bound(self._driver.run(rule, cast("Callable[[object], object]", on_update)))

    def poll(self, state: PollState | None = None) -> Poll:
        """Poll once, for callers that keep the state and the time themselves: the next state, the update, the pause.

        state: what is known so far, None before the first poll. Raises as ``wait`` does, but never JobTimeoutError.
        """
        return self._driver.run(self._rules.poll(state))

    def updates(self, timeout: float | None = None, *, poll_interval: float | None = None) -> Iterator[JobUpdate]:
        """Iterate over the job's updates until it is over, however it ends; ``result()`` then gives the outcome."""
        return cast("Iterator[JobUpdate]", self._driver.iterate(self._rules.updates(timeout, poll_interval)))

    def result(self) -> Result[Output]:
        """Read the outcome once, without waiting: raises JobNotReadyError before the job is over, else as ``wait``."""
        from .results import Result

        return self._bound(self._driver.run(self._rules.result(Result)))

    def cancel(self) -> Cancellation:
        """Ask RunComfy to cancel the job; it does so only while the job is queued. Returns the outcome."""
        return self._driver.run(self._rules.cancel())

    def _bound(self, result: Result[object]) -> Result[Output]:
        return cast("Result[Output]", result._bind(self._session, self._driver))


class AsyncJob(JobData, Generic[Output]):
    """A job submitted by `AsyncRunComfy`. Dropping it changes nothing: it runs on and is paid for."""

    def __init__(self, session: Session, driver: AsyncDriver, ref: JobRef) -> None:
        super().__init__(session, ref)
        self._driver = driver

    async def status(self) -> JobUpdate:
        """Ask once for the job's state. Raises APIError and TransportError."""
        return await self._driver.run(self._rules.status())

    async def wait(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - asyncio.timeout() would not know the job
        *,
        on_update: Callable[[JobUpdate], object] | None = None,
        cancel_on_interrupt: bool = False,
        poll_interval: float | None = None,
        poll_state: PollState | None = None,
    ) -> AsyncResult[Output]:
        """Wait until the job is over and return its result.

        timeout: seconds over everything, or None to wait as long as it takes.
        on_update: called with a JobUpdate at each new state or queue position.
        cancel_on_interrupt: send one cancel, for at most five seconds, when Ctrl-C or task cancellation ends the wait.
        poll_interval: seconds between two polls; None for pauses that grow with the time the job takes, 10 at most.
        poll_state: go on from what another wait knew, such as a JobTimeoutError's ``poll_state``.

        Raises JobFailedError, JobCancelledError, JobTimeoutError (not over yet), APIError if the API refuses to tell,
        TransportError if it cannot be reached for minutes, ConfigurationError for a wrong argument.
        """
        from .results import AsyncResult

        rule = self._rules.wait(
            AsyncResult,
            timeout,
            on_update=on_update,
            cancel_on_interrupt=cancel_on_interrupt,
            poll_interval=poll_interval,
            poll_state=poll_state,
        )
        return self._bound(await self._driver.run(rule, cast("Callable[[object], object]", on_update)))

    async def poll(self, state: PollState | None = None) -> Poll:
        """Poll once, for callers that keep the state and the time themselves: the next state, the update, the pause.

        state: what is known so far, None before the first poll. Raises as ``wait`` does, but never JobTimeoutError.
        """
        return await self._driver.run(self._rules.poll(state))

    def updates(self, timeout: float | None = None, *, poll_interval: float | None = None) -> AsyncIterator[JobUpdate]:
        """Iterate over the job's updates until it is over, however it ends; ``result()`` then gives the outcome."""
        return cast("AsyncIterator[JobUpdate]", self._driver.iterate(self._rules.updates(timeout, poll_interval)))

    async def result(self) -> AsyncResult[Output]:
        """Read the outcome once, without waiting: raises JobNotReadyError before the job is over, else as ``wait``."""
        from .results import AsyncResult

        return self._bound(await self._driver.run(self._rules.result(AsyncResult)))

    async def cancel(self) -> Cancellation:
        """Ask RunComfy to cancel the job; it does so only while the job is queued. Returns the outcome."""
        return await self._driver.run(self._rules.cancel())

    def _bound(self, result: AsyncResult[object]) -> AsyncResult[Output]:
        return cast("AsyncResult[Output]", result._bind(self._session, self._driver))
