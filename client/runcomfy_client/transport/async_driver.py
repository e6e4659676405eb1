"""Carry out an operation's steps on httpx.AsyncClient, in the running event loop.

The same as `sync_driver`, with what is different in an event loop:

- Each loop has connections of its own (`event_loops`), so one client serves several `asyncio.run` in turn.
- With the extra `fast` requests go over aiohttp, whose own pool is quick; it is not used where the environment names
  proxies, of which it knows nothing.
- Cancellation reaches an operation as `Interrupted`. While a `Shield` runs, further cancellations are held back, too,
  until its time of grace is over: anyio cancels again and again until a task has left its scope. For the same reason
  the steps that an operation takes after an interruption are out of anyio's reach; a second `task.cancel()` ends them.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
import time
from collections.abc import AsyncGenerator, Callable
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ConfigurationError
from . import pools
from .connection_pool import ConnectionRules, PooledConnection, PoolKey, pool_key
from .deadline import Deadline
from .decoding import Decoder
from .event_loops import PerEventLoop
from .requests import (
    AsyncBody,
    RequestBody,
    address_of,
    arguments_of,
    drop_frames,
    ends_connection,
    failure_of,
    for_a_transport,
    has_proxy,
    headers_of,
    ignore,
    is_disconnect,
    may_use_proxy,
    no_connection,
    no_slot,
    reply_of,
    timed_out,
    too_large,
    user_agent,
)
from .steps import (
    Await,
    Close,
    Gather,
    Interrupted,
    Notify,
    Open,
    Operation,
    Progress,
    Read,
    Reply,
    Request,
    Run,
    Send,
    Shield,
    Sleep,
    Step,
    Stream,
    TransportFailure,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from typing import TypeAlias, Unpack

    import aiohttp
    import httpx

    from .config import Config
    from .requests import RequestArguments

    Client: TypeAlias = "httpx.AsyncClient | _TransportClient"
    Connection: TypeAlias = PooledConnection[Client]

T = TypeVar("T")
OnUpdate = Callable[[object], object]


class Exchange:
    """A request under way: it holds its connection until it is closed."""

    reply: Reply

    def __init__(self, connections: Connections, config: Config, request: Request) -> None:
        self._connections = connections
        self._config = config
        self._request = request
        self._body = None if request.body is None else RequestBody(request.body, once=request.once)
        self._complete = False

    async def open(self) -> None:
        request = self._request
        queue = Deadline(request.queue_timeout)
        headers = headers_of(request, self._config)
        self._connection = await self._connections.acquire(request, queue.timeout())
        failure: TransportFailure | None = None
        try:
            self._deadline = Deadline(request.timeout, queue.timeout())
            left = self._deadline.timeout()
            # The phase limits are as long; they apply first, since they can show that nothing was sent.
            async with asyncio.timeout(None if left is None else left + 0.1):
                self._response = await self._send(headers)
            try:
                self.reply = reply_of(self._response.status_code, self._response.headers.raw)
                self._chunks = self._pieces(Decoder(self.reply.headers.get("content-encoding", "")))
            except TransportFailure:
                await _close(self._response)
                raise
        except Exception as error:  # noqa: BLE001 - a user's hooks and transports may raise anything
            failure = self._failure(error)
            if is_disconnect(error):
                self._connections.note_closed(request, self._connection)
        except BaseException as error:
            await self._release()
            drop_frames(error)
            raise
        if failure is not None:
            await self._release()
            raise failure
        self._connections.note_reply(request, self._connection, self.reply, self._response.extensions)

    async def read_all(self) -> bytes:
        content = bytearray()
        try:
            while chunk := await self.read():
                content += chunk
                if len(content) > self._request.limit:
                    raise too_large(self._request)
        except TransportFailure as failure:
            failure.partial, failure.status = bytes(content), self.reply.status
            raise
        return bytes(content)

    async def read(self) -> bytes:
        failure: TransportFailure
        if self._deadline.over():
            raise timed_out(self._address())
        try:
            async with asyncio.timeout(self._deadline.timeout()):
                return await anext(self._chunks, b"")
        except Exception as error:  # noqa: BLE001 - see above
            failure = self._failure(error)
        except BaseException as error:
            drop_frames(error)
            raise
        raise failure

    async def close(self) -> None:
        try:
            # The reply was read, whatever happens to the connection.
            with contextlib.suppress(Exception):
                await self._response.aclose()
        finally:
            await self._release()

    async def _send(self, headers: dict[str, str]) -> httpx.Response:
        client = self._connection.client
        arguments = arguments_of(self._request, headers, self._config.timeouts, self._deadline)
        body = None if self._body is None else AsyncBody(self._body)
        prepared = client.build_request(content=body, **arguments)
        if self._connections.shared is not None and self._request.once:
            prepared.extensions["trace"] = self._trace
        if not self._request.authorised:
            prepared.headers.pop("Authorization", None)
        # The user's own auth would put its header in the token's place, and may send a request twice.
        return await client.send(prepared, stream=True, follow_redirects=False, auth=None)

    async def _trace(self, event: str, info: dict[str, object]) -> None:
        if self._body is not None:
            self._body.check(event, info)

    async def _pieces(self, decoder: Decoder) -> AsyncIterator[bytes]:
        if self._response.is_stream_consumed:  # a user's hook has read it
            if self._response.content:
                yield self._response.content
        else:
            # Not aiter_raw: that closes the response at its end, and a failure of that would cost the reply.
            stream: Any = self._response.stream
            async for data in stream:
                for piece in decoder.pieces(data):
                    yield piece
            decoder.finish()
        self._complete = True

    async def _release(self) -> None:
        reusable = self._complete and not ends_connection(self.reply, self._response.extensions)
        await self._connections.release(self._request, self._connection, reusable=reusable)

    def _failure(self, error: Exception) -> TransportFailure:
        if isinstance(error, TimeoutError):
            return timed_out(self._address())
        return failure_of(error, self._body, self._address())

    def _address(self) -> str:
        return address_of(self._request.url, pools.proxy_of(self._connection.client, self._request.url))


class AsyncDriver:
    """One per client; may be used from several event loops, also one after the other."""

    def __init__(self, config: Config, http_client: httpx.AsyncClient | None = None) -> None:
        if http_client is not None and not hasattr(http_client, "aclose"):
            raise ConfigurationError("AsyncRunComfy takes an httpx.AsyncClient; an httpx.Client goes to RunComfy.")
        self._config = config
        self._loops = PerEventLoop(partial(Connections, config, http_client), shared=http_client is not None)

    async def run(self, operation: Operation[T], on_update: OnUpdate | None = None) -> T:
        """Carry out the operation and return its value; each update goes to `on_update` first, awaited if it can be."""
        progress = Progress(operation)
        while progress.step is not None:
            await self._advance(progress, progress.step, on_update or ignore)
        return progress.value

    async def iterate(self, operation: Operation[object]) -> AsyncGenerator[object]:
        """Carry out the operation and yield its updates."""
        with contextlib.closing(Progress(operation)) as progress:
            while progress.step is not None:
                if isinstance(progress.step, Notify):
                    yield progress.step.update
                    progress.send(None)
                else:
                    await self._advance(progress, progress.step, ignore)

    async def close(self) -> None:
        """Close the connections this driver opened in this event loop; a client of the user's stays open."""
        await self._loops.close()

    async def _advance(self, progress: Progress[T], step: Step, on_update: OnUpdate) -> None:
        try:
            with _shield_from_anyio() if progress.interrupted else contextlib.nullcontext():
                answer = await self._perform(step, on_update)
        except Exception as error:  # noqa: BLE001 - the operation decides about every failure of its step
            progress.throw(error)
        except BaseException as error:  # noqa: BLE001 - the task was cancelled
            progress.throw(Interrupted(error))
        else:
            progress.send(answer)

    async def _perform(self, step: Step, on_update: OnUpdate) -> object:
        match step:
            case Send(request):
                return await self._send(request)
            case Open(request):
                exchange = await self._open(request)
                return Stream(exchange.reply, exchange)
            case Read(stream):
                return await _exchange(stream).read()
            case Close(stream):
                await _exchange(stream).close()
            case Sleep(seconds):
                await asyncio.sleep(max(seconds, 0.0))
            case Notify(update):
                answer = on_update(update)
                return await answer if inspect.isawaitable(answer) else answer
            case Run(work):
                return await asyncio.to_thread(work)
            case Await(future, timeout):
                return await _result_of(future, timeout)
            case Shield(operation, grace):
                return await self._run_shielded(operation, grace)
            case Gather(operations):
                return await self._gather(operations, on_update)
        return None

    async def _run_shielded(self, operation: Operation[object], grace: float) -> object:
        task = asyncio.ensure_future(self.run(operation))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await _finish(task, grace)
            raise

    async def _gather(self, operations: tuple[Operation[object], ...], on_update: OnUpdate) -> list[object]:
        tasks = [asyncio.ensure_future(self.run(operation, on_update)) for operation in operations]
        try:
            return await asyncio.gather(*tasks)
        except BaseException:
            await _cancel_all(tasks)
            raise

    async def _open(self, request: Request) -> Exchange:
        exchange = Exchange(await self._loops.here(), self._config, request)
        await exchange.open()
        return exchange

    async def _send(self, request: Request) -> Reply:
        exchange = await self._open(request)
        try:
            return exchange.reply._replace(content=await exchange.read_all())
        finally:
            await exchange.close()


async def _result_of(future: Future[object], timeout: float | None) -> object:  # noqa: ASYNC109 - the step's
    """Unlike asyncio.wrap_future, this does not pass a cancellation on to the work."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def wake(_: Future[object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(over.set)

    future.add_done_callback(wake)
    async with asyncio.timeout(timeout):
        await over.wait()
    return future.result()


async def _finish(task: asyncio.Future[object], grace: float) -> None:
    """Wait for a task that must not be cut, through further cancellations, and cancel it when the grace is over."""
    deadline = Deadline(grace)
    with _shield_from_anyio():
        while not task.done() and not deadline.over():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task}, timeout=deadline.left())
        await _cancel_all([task])


async def _cancel_all(tasks: Sequence[asyncio.Future[object]]) -> None:
    """Leave no task running, and no exception of one unread."""
    for task in tasks:
        task.cancel()
    ended = asyncio.gather(*tasks, return_exceptions=True)
    while not ended.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(tasks)
    await ended


def _shield_from_anyio() -> AbstractContextManager[object]:
    """Where a cancelled scope of anyio does not cancel again. Programs without anyio do not load it for this."""
    anyio = sys.modules.get("anyio")
    return contextlib.nullcontext() if anyio is None else anyio.CancelScope(shield=True)


class _TransportClient:
    """A transport, called as a client is. A client's cookies and second look at the URL cost a fifth of a request."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport
        self.aclose = transport.aclose

    def build_request(self, *, content: AsyncBody | None, **arguments: Unpack[RequestArguments]) -> httpx.Request:
        import httpx

        return httpx.Request(content=content, **for_a_transport(arguments))

    async def send(self, request: httpx.Request, **of_a_client: object) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response


class _Verbatim:
    """An aiohttp session that sends an address as it is: aiohttp unquotes %2F, and a signed address is void then.

    It is called where httpx-aiohttp would make its session, and returns itself.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.close = session.close

    def __call__(self) -> Any:  # the part of a session that is used
        return self

    def request(self, *, url: str, **arguments: Any) -> object:  # as httpx-aiohttp calls it
        from yarl import URL

        pools.close_spoilt(self._session.connector)
        return self._session.request(url=URL(url, encoded=True), **arguments)


class Connections(ConnectionRules["Client"]):
    """The connections in use and idle in one event loop; never more requests under way than the limit."""

    shared: httpx.AsyncClient | None

    def __init__(self, config: Config, shared: httpx.AsyncClient | None) -> None:
        super().__init__(config.max_connections)
        self.shared = shared
        self._slots = asyncio.Semaphore(config.max_connections)
        self._use_fast = shared is None and fast_is_usable()
        self._fast: dict[tuple[bool, bool, float], _TransportClient] = {}
        self._last_used: dict[PoolKey, float] = {}
        self._certificates: ssl.SSLContext | None = None

    async def acquire(self, request: Request, seconds: float | None) -> Connection:
        if self._slots.locked():
            try:
                async with asyncio.timeout(seconds):
                    await self._slots.acquire()
            except TimeoutError:
                raise no_slot() from None
        else:
            await self._slots.acquire()  # at once
        try:
            if self.shared is not None:
                pools.check(self.shared, request.url)
                return PooledConnection(self.shared)
            if self._use_fast:
                return self._fast_connection(request)
            return await self._idle_connection(request) or self._new(request)
        except Exception as error:
            self._slots.release()
            raise no_connection(error) from error
        except BaseException:
            self._slots.release()
            raise

    async def release(self, request: Request, connection: Connection, *, reusable: bool) -> None:
        to_close: Sequence[object] = ()
        if self._use_fast:  # the connection is one of aiohttp's
            self._last_used[pool_key(request)] = time.monotonic()
        else:
            to_close = self.put_back(request, connection, reusable=reusable)
        self._slots.release()
        for resource in to_close:
            await _close(resource)

    async def close(self) -> None:
        for client in [*self._idle.clear(), *self._fast.values()]:
            await client.aclose()
        self._fast.clear()

    async def _idle_connection(self, request: Request) -> Connection | None:
        limit = self._limits.of(request)
        while (connection := self._idle.pop(pool_key(request))) is not None:
            if connection.wake() <= limit:
                return connection
            await _close(connection.client)
        return None

    def _new(self, request: Request) -> Connection:
        import httpx

        # How long it may be idle is decided here, by IdleLimits.
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)
        verify = self._verify(request)
        if may_use_proxy(request) and has_proxy():
            headers = {"User-Agent": user_agent()}
            return PooledConnection(httpx.AsyncClient(headers=headers, verify=verify, limits=limits))
        return PooledConnection(_TransportClient(httpx.AsyncHTTPTransport(verify=verify, limits=limits)))

    def _fast_connection(self, request: Request) -> Connection:
        """aiohttp's own pool is quick to search, so there is one client for each way of keeping connections."""
        limit = self._limits.of(request)
        key = request.url.startswith("https:"), request.once, limit
        if key not in self._fast:
            import aiohttp
            import httpx_aiohttp

            verify = self._verify(request)
            keep: dict[str, Any] = {"keepalive_timeout": limit} if limit else {"force_close": True}
            connector = aiohttp.TCPConnector(limit=0, ssl=verify, **keep)
            session = _Verbatim(aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()))
            transport = httpx_aiohttp.AiohttpTransport(verify=verify, client=session)
            self._fast[key] = client = _TransportClient(transport)
            client.aclose = session.close  # the transport closes only what is aiohttp's own class
        connection: Connection = PooledConnection(self._fast[key])
        # Which of its connections aiohttp uses is not known; the one used last is the likeliest.
        if (last_used := self._last_used.get(pool_key(request))) is not None:
            connection.idle_for = time.monotonic() - last_used
        return connection

    def _verify(self, request: Request) -> ssl.SSLContext | bool:
        import httpx

        if not request.url.startswith("https:"):
            return False  # reading the certificates takes longer than a whole job on this computer
        if self._certificates is None:
            self._certificates = httpx.create_ssl_context()
        return self._certificates


def fast_is_usable() -> bool:
    """Whether the extra `fast` is installed. It knows nothing of the environment's proxies, so then it is not used."""
    return not has_proxy() and find_spec("httpx_aiohttp") is not None


async def _close(resource: object) -> None:
    """Close a client, a connection or a reply that may be broken. That must not hide a failure, nor cost a reply."""
    with contextlib.suppress(Exception):
        await resource.aclose()  # type: ignore[attr-defined]  # all of these have it


def _exchange(stream: Stream) -> Exchange:
    assert isinstance(stream.handle, Exchange)
    return stream.handle
