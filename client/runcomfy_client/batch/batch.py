"""`Batch` and `AsyncBatch`: thousands of jobs, checked before the first cent, and safe to kill and to start again."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ..api import catalog, poll
from ..api.arguments import path_of
from ..api.calls import JobRef
from ..describe.prices import Price, price_of
from ..errors import APIError, ConfigurationError, InvalidBatchError, NotFoundError, RunComfyError, TransportError
from ..journal.base import Scope, normal_address
from ..journal.journal import is_database
from ..journal.writer import JournalWriter
from ..transport.hooks import log
from ..transport.steps import run
from .folder import BatchFolder, check_settlement, item_of
from .limits import Limits, checked_limits
from .place import FolderPlace
from .plan import Plan, checked_amount
from .rows import is_one_shot
from .store import BatchJournal

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping

    from ..api.calls import Session
    from ..journal.sql import Row
    from ..transport.async_driver import AsyncDriver
    from ..transport.steps import Operation
    from ..transport.sync_driver import SyncDriver
    from .engine import Engine
    from .folder import BatchFailure, BatchItem, BatchReport, BatchView
    from .items import BatchStatus
    from .place import Place
    from .plan import BatchCheck
    from .rows import Jobs
    from .store import BatchStore


class Started:
    """A run that holds the batch."""

    def __init__(self, place: Place, session: Session, *, ordered: bool) -> None:
        self.store = place.open_store()
        self.writer = JournalWriter(BatchJournal(self.store), scope_of(session))
        self.results = place.results(self.store, ordered=ordered)
        self.lock = place.lock()

    def close(self) -> None:
        self.writer.close(with_file=True)
        self.results.close()
        self.lock.release()


class BatchData:
    """What both kinds of batches are made of. ``client.batch`` makes one.

    stopped: after a run why it ended before all was done: interrupted, budget, paused, failures (more than
    max_failures), unsure (max_unsure), busy (the API took no job for ten minutes), disk (files cannot be written),
    access, unreachable, journal; None if it did not.
    """

    def __init__(
        self,
        session: Session,
        jobs: Jobs | None,
        output_dir: str | os.PathLike[str] | None,
        *,
        name: str | None,
        model: str | None,
        prices: Mapping[str, float] | None,
        limits: Limits,
        ordered: bool,
        state: str | None = None,
    ) -> None:
        self._session = session
        self._jobs = jobs
        self._path = None if output_dir is None else path_of("output_dir", output_dir).absolute()
        self._name = name or (self._path.name if self._path else "batch")
        self._opened: BatchView | None = None
        self._found_place: Place | None = None
        self._state = state
        if state is not None:
            check_state(state)
        self._model = model
        self._prices = {key: Price(checked_amount("prices", usd) or 0.0, "job") for key, usd in (prices or {}).items()}
        self._limits = checked_limits(limits)
        self._ordered = ordered
        self._plan: Plan | None = None
        self._engine: Engine | None = None
        self._stops = 0
        self._was_read = False
        self.stopped: str | None = None

    def status(self) -> BatchStatus:
        """Where the batch stands: jobs by state, money, speed."""
        return self._view().status()

    def failures(self) -> list[BatchFailure]:
        """What did not end well, grouped by cause, the most frequent first."""
        return self._view().failures()

    def report(self) -> BatchReport:
        """What the batch did and cost; the same is in ``report.json`` after each run."""
        return self._view().report()

    def items(self) -> Iterator[BatchItem]:
        """Every job that has ended, those of earlier runs too."""
        return self._view().items()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}>"

    def _view(self) -> BatchView:
        if self._opened is None:
            self._opened = self._place().view()
        return self._opened

    def _place(self) -> Place:
        if self._path is None:
            raise ConfigurationError("This batch has no output_dir; it keeps its journal or its files there.")
        if self._found_place is None:
            self._found_place = place_of(self._state, self._name, self._path)
        return self._found_place

    # Operations, which both kinds carry out.

    def _checked(self, *, probe: bool = False) -> Operation[BatchCheck]:
        plan = yield from self._planned(probe=probe)
        return plan.check

    def _planned(self, *, probe: bool = False) -> Operation[Plan]:
        """Read and check the rows, once, and estimate what they cost."""
        if self._plan is not None:
            return self._plan
        if self._jobs is None:
            raise ConfigurationError("This batch has no rows.")
        jobs = self._jobs
        if is_one_shot(jobs):
            self._jobs = ()
            self._was_read = True
        elif self._was_read:
            raise ConfigurationError(
                "The rows of this batch came from an iterator, which can be read only once.",
                cure="Give a list or a file, or make the batch anew.",
            )
        reader = None
        if probe:
            from ..media.probe import Probe

            reader = Probe()
        plan = Plan(self._session.package, validate=self._session.validate, probe=reader)
        yield from run(lambda: plan.read(jobs, self._model))
        prices = dict(self._prices)
        if plan.check.ok:
            prices |= yield from self._catalog_prices(
                [model_id for model_id in plan.model_ids() if model_id not in prices]
            )
        yield from run(lambda: plan.estimate(prices))
        self._plan = plan
        return plan

    def _catalog_prices(self, model_ids: list[str]) -> Operation[dict[str, Price]]:
        """Base prices, as far as the catalog can be asked and knows them."""
        config = self._session.config._replace(max_retries=min(self._session.config.max_retries, 1))
        session = self._session._replace(config=config)
        prices: dict[str, Price] = {}
        for model_id in model_ids:
            try:
                entry = yield from catalog.get_model(session, model_id)
            except TransportError as error:
                log.warning("The catalog cannot be asked for prices: %s", error.message)
                break
            except APIError as error:
                log.info("No price of %s: %s", model_id, error.message)
                continue
            if (price := price_of(entry.base_price_usd, entry.price_unit)) is not None:
                prices[model_id] = price
        return prices

    def _open(self) -> Operation[Started]:
        """Everything that comes before the first submit. Raises InvalidBatchError, ConfigurationError."""
        self._place()  # raises where there is none
        self._session.config.authorization()
        if self._jobs is None and self._plan is None and self._state is not None:
            return (yield from run(self._join))
        plan = yield from self._planned()
        if not plan.check.ok:
            raise InvalidBatchError(plan.check)
        if self._limits.budget is not None and plan.check.unpriced:
            names = ", ".join(plan.check.unpriced[:5])
            raise ConfigurationError(
                f"With a budget every model needs a price, and none is known of {names}.",
                cure=f"Give it: prices={{{plan.check.unpriced[0]!r}: 0.05}}, in US dollars for a job.",
            )
        started = yield from run(lambda: self._load(plan))
        self._plan = None
        plan.close()
        yield from self._note_balance(started.store, after=False)
        return started

    def _settled(self, key: str, request_id: str | None, started: bool | None) -> Operation[None]:
        check_settlement(request_id, started)
        if request_id is not None:
            try:
                yield from poll.status(self._session, JobRef(request_id))
            except NotFoundError as error:  # settled so, the item would lose its own job, and be paid again
                raise ConfigurationError(
                    f"RunComfy knows no job {request_id}. Nothing was changed: {key!r} is still to be settled.",
                    cure="Compare the id with RunComfy's pages; the token has to be the one that it was sent with.",
                ) from error
        yield from run(lambda: self._view().settle(key, request_id=request_id, started=started))

    @contextlib.contextmanager
    def _starting(self) -> Iterator[Started]:
        """A run; closed again if it cannot begin."""
        started = Started(self._place(), self._session, ordered=self._ordered)
        try:
            yield started
        except BaseException:
            started.close()
            raise

    def _load(self, plan: Plan) -> Started:
        _make_folder(self._place().folder)
        with self._starting() as started:
            store = started.store
            store.create(self._name, scope_of(self._session))
            store.recover()
            store.load(plan)
            store.begin(self._limits)
            started.results.repair()
        return started

    def _join(self) -> Started:
        """Work on a batch that another machine has begun, within its limits."""
        _make_folder(self._place().folder)
        with self._starting() as started:
            self._limits = started.store.join(scope_of(self._session))
        return started

    def _reopen(
        self, *, failed: bool, refused: bool, keys: Collection[str]
    ) -> Operation[tuple[Started, frozenset[str]]]:
        """For a retry: the batch as it is, and the keys that wait again."""
        self._session.config.authorization()
        chosen = self._view().choose_retries(failed=failed, refused=refused, keys=keys)
        started = yield from run(lambda: self._mark(chosen))
        return started, chosen

    def _mark(self, chosen: frozenset[str]) -> Started:
        with self._starting() as started:
            store = started.store
            before = store.join(scope_of(self._session))
            store.recover()
            store.retry(chosen)
            budget = before.budget if self._limits.budget is None else self._limits.budget
            # What many machines share stays as it is.
            limits = self._limits if self._state is None else before
            self._limits = dataclasses.replace(limits, budget=budget)
            store.begin(self._limits)
            started.results.repair()
        return started

    def _note_balance(self, store: BatchStore, *, after: bool) -> Operation[None]:
        """For the report; a batch does not fail for it."""
        config = self._session.config._replace(max_retries=0)
        try:
            balance = yield from catalog.balance(self._session._replace(config=config))
        except RunComfyError as error:
            log.info("The balance is not known: %s", error.message)
            return
        usd = balance.usd if balance.usd is not None else (balance.microdollars or 0) / 1_000_000
        yield from run(lambda: store.note_balance(**{"after" if after else "before": usd}))

    async def _work(
        self, driver: AsyncDriver, started: Started, ended: Callable[[Row], None], only: frozenset[str] | None
    ) -> None:
        """Run the engine, and write the report."""
        place = self._place()
        self._engine = engine = place.engine(
            self._session, driver, started.store, started.writer, started.results, self._limits, ended, only
        )
        if self._stops:  # it was asked to before it began
            engine.drain()
        try:
            await engine.run()
        finally:
            self.stopped = engine.stopped
            self._engine, self._stops = None, 0
        if engine.stopped != "interrupted":
            await driver.run(self._note_balance(started.store, after=True))
        try:
            await asyncio.to_thread(lambda: self._view().write_report())
        except OSError:  # as on a full disk; what stopped the run comes first
            if engine.error is None:
                raise
        if engine.error is not None:
            raise engine.error

    def stop(self) -> None:
        """End the run: nothing more is sent, POSTs on their way are seen to their end, jobs in flight run on at
        RunComfy and are taken up by the next run. Called again, it does not wait for POSTs for more than seconds.
        """
        self._stops += 1
        engine = self._engine
        if engine is not None:
            engine.drain() if self._stops == 1 else engine.stop()


class Batch(BatchData):
    """A batch of `RunComfy`. It works in a thread of its own, which ends with the run."""

    def __init__(self, session: Session, driver: SyncDriver, *arguments: object, **options: object) -> None:
        super().__init__(session, *arguments, **options)  # type: ignore[arg-type]  # checked where they are declared
        self._driver = driver
        self._loop: asyncio.AbstractEventLoop | None = None

    def check(self, *, probe: bool = False) -> BatchCheck:
        """Read and check every row, and estimate what all of it costs. Spends nothing.

        probe: also look at media behind URLs. An iterator is read once, and its rows are kept for `run`.
        """
        return self._driver.run(self._checked(probe=probe))

    def run(self) -> Iterator[BatchItem]:
        """Do the batch, and yield each job as it ends. Nothing is sent before the first ``next``.

        Leaving the loop, by break or Ctrl-C, ends the run as `stop` does; the same call again goes on with it.

        Raises InvalidBatchError if a row is wrong (nothing was sent), ConfigurationError for a folder of another batch
        or with another process at work on it; at the end, after all that could be done, what stopped the run: an
        AuthenticationError, TransportError, JournalError, ...
        """
        yield from self._iterate(self._driver.run(self._open()), None)

    def retry(self, *, failed: bool = False, refused: bool = False, keys: Collection[str] = ()) -> Iterator[BatchItem]:
        """Do again the jobs that failed or expired, were refused, or have these keys, and no others; each is paid anew.

        Yields and raises as `run`.
        """
        started, chosen = self._driver.run(self._reopen(failed=failed, refused=refused, keys=keys))
        yield from self._iterate(started, chosen)

    def settle(self, key: str, *, request_id: str | None = None, started: bool | None = None) -> None:
        """Say what became of an unsure job, once you have looked on RunComfy's pages.

        request_id: it was started, and this is its job; the next run brings its result. RunComfy is asked whether it
        knows the id. started=False: it was not, so the next run sends it. Raises ConfigurationError if it is not
        unsure, for an id that RunComfy does not know, and while a run goes on; JournalError for an id that is the job
        of another item.
        """
        self._driver.run(self._settled(key, request_id, started))

    def stop(self) -> None:
        if self._loop is None:
            self._stops += 1
            return
        with contextlib.suppress(RuntimeError):  # the run has just ended
            self._loop.call_soon_threadsafe(super().stop)

    def _iterate(self, started: Started, only: frozenset[str] | None) -> Iterator[BatchItem]:
        ended: queue.SimpleQueue[Row | BaseException | None] = queue.SimpleQueue()
        thread = threading.Thread(target=self._in_thread, args=(started, ended, only), name="runcomfy-batch")
        thread.start()
        try:
            while (row := ended.get()) is not None:
                if isinstance(row, BaseException):
                    raise row
                yield item_of(row, started.store.folder)
        finally:
            while thread.is_alive():
                self.stop()
                try:
                    thread.join()
                except KeyboardInterrupt:
                    continue
            self._stops = 0
            started.close()

    def _in_thread(
        self,
        started: Started,
        ended: queue.SimpleQueue[Row | BaseException | None],
        only: frozenset[str] | None,
    ) -> None:
        async def work() -> None:
            from ..transport.async_driver import AsyncDriver

            self._loop = asyncio.get_running_loop()
            driver = AsyncDriver(self._session.config)
            try:
                await self._work(driver, started, ended.put, only)
            finally:
                await driver.close()

        try:
            asyncio.run(work())
        except BaseException as error:  # noqa: BLE001 - it goes to the thread that waits
            ended.put(error)
        finally:
            self._loop = None
            ended.put(None)


class AsyncBatch(BatchData):
    """A batch of `AsyncRunComfy`."""

    def __init__(self, session: Session, driver: AsyncDriver, *arguments: object, **options: object) -> None:
        super().__init__(session, *arguments, **options)  # type: ignore[arg-type]  # checked where they are declared
        self._driver = driver

    async def check(self, *, probe: bool = False) -> BatchCheck:
        """Read and check every row, and estimate what all of it costs. Spends nothing.

        probe: also look at media behind URLs. An iterator is read once, and its rows are kept for `run`.
        """
        return await self._driver.run(self._checked(probe=probe))

    async def run(self) -> AsyncIterator[BatchItem]:
        """Do the batch, and yield each job as it ends; see `Batch.run`."""
        async for item in self._iterate(await self._driver.run(self._open()), None):
            yield item

    async def retry(
        self, *, failed: bool = False, refused: bool = False, keys: Collection[str] = ()
    ) -> AsyncIterator[BatchItem]:
        """Do again the jobs that failed or expired, were refused, or have these keys, and no others."""
        started, chosen = await self._driver.run(self._reopen(failed=failed, refused=refused, keys=keys))
        async for item in self._iterate(started, chosen):
            yield item

    async def settle(self, key: str, *, request_id: str | None = None, started: bool | None = None) -> None:
        """Say what became of an unsure job; see `Batch.settle`."""
        await self._driver.run(self._settled(key, request_id, started))

    async def _iterate(self, started: Started, only: frozenset[str] | None) -> AsyncIterator[BatchItem]:
        ended: asyncio.Queue[Row | None] = asyncio.Queue()
        work = asyncio.ensure_future(self._work(self._driver, started, ended.put_nowait, only))
        work.add_done_callback(lambda _: ended.put_nowait(None))
        try:
            while (row := await ended.get()) is not None:
                yield item_of(row, started.store.folder)
            await work
        finally:
            if not work.done():
                self.stop()
                await asyncio.wait({work})
            self._stops = 0
            await asyncio.to_thread(started.close)


def check_state(state: object) -> None:
    """Raises ConfigurationError if this is no address of a database."""
    if not is_database(state):
        raise ConfigurationError(
            "The state of a batch is the address of a PostgreSQL database, postgresql://user:password@host/database."
        )


def view_of(name: str, state: str | None) -> BatchView:
    """The batch in a folder, or under its name in a database. Raises ConfigurationError if there is none."""
    if state is not None:
        check_state(state)
        return place_of(state, name, Path(name).absolute()).view()
    return BatchFolder(name)


def place_of(state: str | None, name: str, folder: Path) -> Place:
    """Where the batch is kept: in its folder, or under its name in a database."""
    if state is None:
        return FolderPlace(folder)
    try:
        from .cluster.view import ClusterPlace  # needs the extra `cluster`
    except ImportError as error:
        raise ConfigurationError(
            "A batch on many machines needs psycopg and procrastinate.", cure='pip install "runcomfy-client[cluster]"'
        ) from error
    return ClusterPlace(state, name, folder)


def _make_folder(folder: Path) -> None:
    """Raises ConfigurationError if a file is in the way, OSError if it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ConfigurationError(
            f"{folder} cannot be a batch's folder, for a file is there. Nothing was sent."
        ) from error


def scope_of(session: Session) -> Scope:
    config = session.config
    return Scope(config.token.digest() if config.token is not None else "", normal_address(config.base_url))
