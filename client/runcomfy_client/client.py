"""The client's hand-written half: what every `RunComfy` and `AsyncRunComfy` can do besides its models' methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, overload

from .api import submit
from .api.calls import Closing, CoolDown, JobRef, Session
from .api.payload import urls_in
from .errors import ConfigurationError, InvalidInputError
from .identifiers import check_model_id, request_id_in
from .jobs import AsyncJob, Job
from .packages import FORMAT, ModelPackage
from .schema import ErrorFinding, Report
from .schema.messages import brief
from .transport.config import Timeouts, resolve
from .transport.hooks import EventHooks, Hooks
from .transport.steps import run

if TYPE_CHECKING:
    from os import PathLike
    from typing import TypeAlias, TypeVar

    import httpx

    from .api.catalog import Balance
    from .api.submit import RequestOptions
    from .batch.batch import AsyncBatch, Batch
    from .batch.rows import Jobs
    from .catalog import AsyncCatalog, Catalog
    from .journal.journal import Journal
    from .journal.writer import JournalWriter
    from .models import InputModel, Output
    from .outputs import MediaOutput
    from .transport.config import Config

if TYPE_CHECKING:

    JournalPath: TypeAlias = str | PathLike[str]

    # Not typing.Self: jedi, which completes names in notebooks and many editors, sees nothing behind that, so it would
    # show no provider, method or argument in a `with` block.
    SyncClientT = TypeVar("SyncClientT", bound="SyncClient")
    AsyncClientT = TypeVar("AsyncClientT", bound="AsyncClient")

MOST_CONNECTIONS = 100


class ClientData:
    """What both clients are made of.

    A generated client sets `_package`; without it every model id is sent unchecked.
    """

    _package: ClassVar[ModelPackage] = ModelPackage("runcomfy_client", format=FORMAT, models={})

    def __init__(
        self,
        token: str | None,
        base_url: str | None,
        timeout: float | Timeouts | None,
        max_retries: int,
        max_connections: int,
        validate: bool,
        journal: JournalPath | Journal | None,
        event_hooks: EventHooks | None,
    ) -> None:
        config = resolve(
            token=token,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            max_connections=max_connections,
        )
        self._owns_journal = False
        writer: JournalWriter | None = None
        if journal is not None:
            writer = self._open_journal(journal, config)
        self._session = Session(self._package, config, validate, writer, Hooks(event_hooks), CoolDown(), Closing())

    @property
    def base_url(self) -> str:
        """The API's address, without /v1."""
        return self._session.config.base_url

    def _open_journal(self, journal: JournalPath | Journal, config: Config) -> JournalWriter:
        from .journal.base import Scope, normal_address  # most clients keep none
        from .journal.journal import Journal
        from .journal.writer import JournalWriter

        if not isinstance(journal, Journal):
            journal, self._owns_journal = Journal(journal), True
        account = config.token.digest() if config.token is not None else ""
        return JournalWriter(journal, Scope(account, normal_address(config.base_url)))

    @property
    def journal(self) -> Journal:
        """The journal as this client's account sees it. Raises ConfigurationError if the client keeps none.

        Its methods block, those of an async client's journal too: call them by ``asyncio.to_thread``.
        """
        if self._session.journal is None:
            raise ConfigurationError("This client keeps no journal.", cure="Make it with journal='jobs.sqlite'.")
        return self._session.journal.view

    def _job_ref(self, request_id: str, model_id: str | None) -> JobRef:
        value: object = request_id  # what a caller without a type checker may pass
        if not isinstance(value, str) or request_id_in({"request_id": value}) is None:
            raise ConfigurationError(
                f"{request_id!r:.80} is not a request id; one is a text, as job.request_id gives it."
            )
        if model_id is not None:
            check_model_id(model_id)
        entry = self._session.journal.view.find(request_id) if self._session.journal is not None else None
        if entry is not None and entry.request_id != request_id:  # another job's job_key is spelt like this id
            entry = None
        return JobRef(
            request_id=request_id,
            model_id=model_id or (entry.model_id if entry else None),
            submitted_at=entry.created_at.timestamp() if entry else None,
            input=entry.input if entry else None,
            input_urls=urls_in(entry.input) if entry else frozenset(),
            job_key=entry.job_key if entry else None,
        )

    def _close_journal(self) -> None:
        if self._session.journal is not None:
            self._session.journal.close(with_file=self._owns_journal)

    if not TYPE_CHECKING:  # type checkers and editors see only the names that exist

        def __getattr__(self, name: str) -> object:
            if name.startswith("_") or hasattr(type(self), name):
                return object.__getattribute__(self, name)  # raises the AttributeError that led here
            message = self._package.missing("", name, dir(type(self)))
            raise AttributeError(message, obj=self)  # without a name Python adds no suggestion of its own

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.base_url}>"


class SyncClient(ClientData):
    """Submits jobs to RunComfy's Model API. Safe to share between threads; close it, or use it in a `with`."""

    def __init__(
        self,
        token: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float | Timeouts | None = None,
        max_retries: int = 3,
        http_client: httpx.Client | None = None,
        journal: JournalPath | Journal | None = None,
        validate: bool = True,
        max_connections: int = MOST_CONNECTIONS,
        event_hooks: EventHooks | None = None,
    ) -> None:
        """Make a client. Nothing is sent yet.

        Args:
            token: the API token; else RUNCOMFY_API_TOKEN, RUNCOMFY_API_KEY or RUNCOMFY_TOKEN from the environment, else
                the token file of RunComfy's own command line.
            base_url: the API's address; else RUNCOMFY_BASE_URL, else the real one. https, or http to this computer.
            timeout: seconds a request may take without progress, or Timeouts to set each phase. Default 60.
            max_retries: how often a request that may be repeated is repeated. A submit is repeated only if nothing was
                sent.
            http_client: your own httpx.Client, for proxies, certificates or HTTP/2; yours to close. Its auth is
                not used.
            journal: keeps what was submitted: a path (SQLite), ``postgresql://...``, or a Journal. Default: none.
            validate: check inputs against the models' schemas before anything is sent.
            max_connections: the most requests under way at once; more wait for a free one.
            event_hooks: functions to call with each HttpEvent, one or a list of them under each of the keys "request",
                "response" and "retry".

        Raises:
            ConfigurationError: the base URL, the token's text, the journal, http_client or event_hooks cannot be used.
        """
        super().__init__(token, base_url, timeout, max_retries, max_connections, validate, journal, event_hooks)
        from .transport.sync_driver import SyncDriver  # each client loads its own

        self._driver = SyncDriver(self._session.config, http_client)
        self._has_own_http = http_client is not None

    @overload
    def submit(self, input: InputModel[Output], /, *, options: RequestOptions | None = None) -> Job[Output]: ...

    @overload
    def submit(
        self, model_id: str, input: InputModel[Output], options: RequestOptions | None = None
    ) -> Job[Output]: ...

    @overload
    def submit(
        self, model_id: str, input: Mapping[str, object], options: RequestOptions | None = None
    ) -> Job[MediaOutput]: ...

    def submit(
        self,
        model_id: str | InputModel[Any],
        input: Mapping[str, object] | InputModel[Any] | None = None,
        options: RequestOptions | None = None,
    ) -> Job[Any]:
        """Send one job and return its handle, for any model id, or for an instance of a model's input class.

        Args:
            model_id: such as "bytedance/dreamina-4-0/edit"; it need not be one of the generated models. Or the instance
                of an input class, which knows its model: then there is no ``input``.
            input: the payload under the API's own (wire) names; None is null. Media fields take URLs, paths, bytes,
                open files and PIL images. Use this for a dict from elsewhere, such as a web request: whatever does not
                fit, misspelt names included, is in the report of the error.
            options: how to send it: timeout (seconds), extra_input, job_key, budget.

        Raises:
            InvalidInputError: the input does not fit, or is no dict; nothing was sent.
            ConfigurationError: the options are wrong, or the client is closed; nothing was sent.
            APIError: the API refuses.
            TransportError: nothing could be sent.
            SubmissionUnknownError: nobody can tell whether the job was started.
        """
        ref = self._driver.run(submit.submit(self._session, *model_and_payload(model_id, input), options))
        return Job(self._session, self._driver, ref)

    def job(self, request_id: str, model_id: str | None = None) -> Job[Any]:
        """Pick up a job again, also from another process. Sends nothing.

        With a journal it reads one row, and blocks while it does. In async code, where the journal is a database or a
        file that other programs hold for long, call it by ``await asyncio.to_thread(client.job, request_id)``.
        """
        return Job(self._session, self._driver, self._job_ref(request_id, model_id))

    @property
    def catalog(self) -> Catalog:
        """RunComfy's list of models."""
        from .catalog import Catalog

        return Catalog(self._session, self._driver)

    def balance(self) -> Balance:
        """The account's balance. Costs nothing, so it is also a check of the token."""
        from .api import catalog

        return self._driver.run(catalog.balance(self._session))

    def batch(
        self,
        jobs: Jobs | None = None,
        output_dir: str | PathLike[str] | None = None,
        *,
        name: str | None = None,
        model: str | None = None,
        concurrency: int = 100,
        submits: int = 4,
        rate: float | None = None,
        budget: float | None = None,
        prices: Mapping[str, float] | None = None,
        max_failures: int | None = None,
        max_unsure: int = 10,
        timeout: float | None = None,
        download: bool = True,
        ordered: bool = False,
        state: str | None = None,
    ) -> Batch:
        """A batch: thousands of jobs, checked before the first is sent, and safe to kill and to start again.

        jobs: the path of a JSONL or CSV file, or an iterable of dicts ``{"model", "input", "key"?, "price"?}``.
        output_dir: the folder that keeps the batch: its journal, results.jsonl, files/ and report.json.
        model: the model of rows that name none. name: what the batch is called; by default as its folder.
        concurrency: the most jobs in flight. submits: the most POSTs on their way at once. rate: submits a second.
        budget: US dollars, by estimate: a job that does not fit is not sent. prices: US dollars for a job, by model
            id, where RunComfy's catalog has none or you know better.
        max_failures: stop after more jobs than this failed or were refused. max_unsure: stop after so many unsure
            submits. timeout: seconds to wait for a job; it stays in flight. download: fetch the files.
        ordered: results.jsonl in the order of the rows.
        state: for a batch over many machines, ``postgresql://...``; the batch is known there by its name, and
            output_dir is for the files that this machine fetches. Without jobs this joins a batch that is there.

        Raises ConfigurationError for a wrong argument. Nothing is read or sent yet.
        """
        from .batch.batch import Batch
        from .batch.limits import Limits

        if self._has_own_http:
            raise ConfigurationError(
                "A batch of RunComfy opens connections of its own, and cannot use your http_client.",
                cure="Use AsyncRunComfy with an httpx.AsyncClient.",
            )
        limits = Limits(
            concurrency=concurrency,
            submits=submits,
            rate=rate,
            budget=budget,
            max_failures=max_failures,
            max_unsure=max_unsure,
            timeout=timeout,
            download=download,
        )
        return Batch(
            self._session,
            self._driver,
            jobs,
            output_dir,
            name=name,
            model=model,
            prices=prices,
            limits=limits,
            ordered=ordered,
            state=state,
        )

    def close(self) -> None:
        """Close the connections. No job is submitted any more; those that were can still be read."""
        self._session.closing.closed = True
        self._driver.close()
        self._close_journal()

    def __enter__(self: SyncClientT) -> SyncClientT:
        self._session.closing.closed = False
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class AsyncClient(ClientData):
    """Submits jobs to RunComfy's Model API, asynchronously. One is enough for many tasks, and for several event loops
    one after the other; close it, or use it in an `async with`.
    """

    def __init__(
        self,
        token: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float | Timeouts | None = None,
        max_retries: int = 3,
        http_client: httpx.AsyncClient | None = None,
        journal: JournalPath | Journal | None = None,
        validate: bool = True,
        max_connections: int = MOST_CONNECTIONS,
        event_hooks: EventHooks | None = None,
    ) -> None:
        """Make a client. Nothing is sent yet.

        Args:
            token: the API token; else RUNCOMFY_API_TOKEN, RUNCOMFY_API_KEY or RUNCOMFY_TOKEN from the environment, else
                the token file of RunComfy's own command line.
            base_url: the API's address; else RUNCOMFY_BASE_URL, else the real one. https, or http to this computer.
            timeout: seconds a request may take without progress, or Timeouts to set each phase. Default 60.
            max_retries: how often a request that may be repeated is repeated. A submit is repeated only if nothing was
                sent.
            http_client: your own httpx.AsyncClient, for proxies, certificates or HTTP/2; yours to close. Its auth is
                not used.
            journal: keeps what was submitted: a path (SQLite), ``postgresql://...``, or a Journal. Default: none.
            validate: check inputs against the models' schemas before anything is sent.
            max_connections: the most requests under way at once; more wait for a free one.
            event_hooks: functions to call with each HttpEvent, one or a list of them under each of the keys "request",
                "response" and "retry".

        Raises:
            ConfigurationError: the base URL, the token's text, the journal, http_client or event_hooks cannot be used.
        """
        super().__init__(token, base_url, timeout, max_retries, max_connections, validate, journal, event_hooks)
        from .transport.async_driver import AsyncDriver  # each client loads its own

        self._driver = AsyncDriver(self._session.config, http_client)

    @overload
    async def submit(
        self, input: InputModel[Output], /, *, options: RequestOptions | None = None
    ) -> AsyncJob[Output]: ...

    @overload
    async def submit(
        self, model_id: str, input: InputModel[Output], options: RequestOptions | None = None
    ) -> AsyncJob[Output]: ...

    @overload
    async def submit(
        self, model_id: str, input: Mapping[str, object], options: RequestOptions | None = None
    ) -> AsyncJob[MediaOutput]: ...

    async def submit(
        self,
        model_id: str | InputModel[Any],
        input: Mapping[str, object] | InputModel[Any] | None = None,
        options: RequestOptions | None = None,
    ) -> AsyncJob[Any]:
        """Send one job and return its handle, for any model id, or for an instance of a model's input class.

        Args:
            model_id: such as "bytedance/dreamina-4-0/edit"; it need not be one of the generated models. Or the instance
                of an input class, which knows its model: then there is no ``input``.
            input: the payload under the API's own (wire) names; None is null. Media fields take URLs, paths, bytes,
                open files and PIL images. Use this for a dict from elsewhere, such as a web request: whatever does not
                fit, misspelt names included, is in the report of the error.
            options: how to send it: timeout (seconds), extra_input, job_key, budget.

        Raises:
            InvalidInputError: the input does not fit, or is no dict; nothing was sent.
            ConfigurationError: the options are wrong, or the client is closed; nothing was sent.
            APIError: the API refuses.
            TransportError: nothing could be sent.
            SubmissionUnknownError: nobody can tell whether the job was started.
        """
        ref = await self._driver.run(submit.submit(self._session, *model_and_payload(model_id, input), options))
        return AsyncJob(self._session, self._driver, ref)

    def job(self, request_id: str, model_id: str | None = None) -> AsyncJob[Any]:
        """Pick up a job again, also from another process. Sends nothing.

        With a journal it reads one row, and blocks while it does. In async code, where the journal is a database or a
        file that other programs hold for long, call it by ``await asyncio.to_thread(client.job, request_id)``.
        """
        return AsyncJob(self._session, self._driver, self._job_ref(request_id, model_id))

    @property
    def catalog(self) -> AsyncCatalog:
        """RunComfy's list of models."""
        from .catalog import AsyncCatalog

        return AsyncCatalog(self._session, self._driver)

    async def balance(self) -> Balance:
        """The account's balance. Costs nothing, so it is also a check of the token."""
        from .api import catalog

        return await self._driver.run(catalog.balance(self._session))

    def batch(
        self,
        jobs: Jobs | None = None,
        output_dir: str | PathLike[str] | None = None,
        *,
        name: str | None = None,
        model: str | None = None,
        concurrency: int = 100,
        submits: int = 4,
        rate: float | None = None,
        budget: float | None = None,
        prices: Mapping[str, float] | None = None,
        max_failures: int | None = None,
        max_unsure: int = 10,
        timeout: float | None = None,
        download: bool = True,
        ordered: bool = False,
        state: str | None = None,
    ) -> AsyncBatch:
        """A batch: thousands of jobs, checked before the first is sent, and safe to kill and to start again.

        jobs: the path of a JSONL or CSV file, or an iterable of dicts ``{"model", "input", "key"?, "price"?}``.
        output_dir: the folder that keeps the batch: its journal, results.jsonl, files/ and report.json.
        model: the model of rows that name none. name: what the batch is called; by default as its folder.
        concurrency: the most jobs in flight. submits: the most POSTs on their way at once. rate: submits a second.
        budget: US dollars, by estimate: a job that does not fit is not sent. prices: US dollars for a job, by model
            id, where RunComfy's catalog has none or you know better.
        max_failures: stop after more jobs than this failed or were refused. max_unsure: stop after so many unsure
            submits. timeout: seconds to wait for a job; it stays in flight. download: fetch the files.
        ordered: results.jsonl in the order of the rows.
        state: for a batch over many machines, ``postgresql://...``; the batch is known there by its name, and
            output_dir is for the files that this machine fetches. Without jobs this joins a batch that is there.

        Raises ConfigurationError for a wrong argument. Nothing is read or sent yet.
        """
        from .batch.batch import AsyncBatch
        from .batch.limits import Limits

        limits = Limits(
            concurrency=concurrency,
            submits=submits,
            rate=rate,
            budget=budget,
            max_failures=max_failures,
            max_unsure=max_unsure,
            timeout=timeout,
            download=download,
        )
        return AsyncBatch(
            self._session,
            self._driver,
            jobs,
            output_dir,
            name=name,
            model=model,
            prices=prices,
            limits=limits,
            ordered=ordered,
            state=state,
        )

    async def close(self) -> None:
        """Close the connections. No job is submitted any more; those that were can still be read."""
        self._session.closing.closed = True
        await self._driver.close()
        await self._driver.run(run(self._close_journal))

    async def __aenter__(self: AsyncClientT) -> AsyncClientT:
        self._session.closing.closed = False  # one client may serve several event loops, each with a block of its own
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()


def model_and_payload(
    model_id: str | InputModel[Any], input: Mapping[str, object] | InputModel[Any] | None
) -> tuple[str, Mapping[str, object]]:
    """What the two first arguments of ``submit`` stand for."""
    payload: object = input
    if not isinstance(model_id, str) and (own := getattr(model_id, "_model_id", "")):
        if input is not None:
            raise ConfigurationError("An instance of an input class is submitted by itself: submit(input).")
        model_id, payload = own, model_id
    model_id = check_model_id(model_id)
    if isinstance(payload, Mapping):
        return model_id, payload
    to_payload = getattr(payload, "to_payload", None)
    if not callable(to_payload) or isinstance(payload, type):
        message = f"expected an object (a dict of wire names, or an input class's instance), got {brief(payload)}"
        raise InvalidInputError(Report(model_id, [ErrorFinding("type", message, brief(payload))]))
    return model_id, to_payload()


# Python's TypeError for a misspelt argument calls the function by this name; users know the generated classes.
SyncClient.__init__.__qualname__ = "RunComfy.__init__"
AsyncClient.__init__.__qualname__ = "AsyncRunComfy.__init__"
