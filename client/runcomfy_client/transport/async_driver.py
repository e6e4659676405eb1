"""Carry out a rule's steps on httpx.AsyncClient, in the running event loop."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ConfigurationError
from .connection_pool import IdleConnections
from .event_loops import PerEventLoop
from .requests import (
    AsyncBody,
    RequestDeadline,
    arguments_of,
    fault_of,
    for_a_transport,
    headers_in,
    headers_of,
    idle_limit,
    must_be_open,
    no_connection,
    no_slot,
    nothing,
    pool_key,
    proxied,
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
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from concurrent.futures import Future
    from typing import TypeAlias, Unpack

    import aiohttp
    import httpx

    from .config import Config
    from .requests import RequestArguments


class Opened:
    """A request under way: it holds its connection until it is closed."""

    reply: Reply

    def __init__(self, connections: Connections, config: Config, request: Request) -> None:
        self._connections = connections
        self._config = config
        self._request = request

    async def open(self) -> None:
        request = self._request
        queue_timeout = RequestDeadline(request.queue_timeout)
        body = None if request.body is None else AsyncBody(request.body)
        headers = headers_of(request, self._config)
        self._client = await self._connections.take(request, queue_timeout.rest())
        try:
            self._deadline = RequestDeadline(request.timeout, queue_timeout.rest())
            left = self._deadline.rest()
            arguments = arguments_of(request, headers, self._config.timeouts, left)
            # The phase limits are as long; let them speak first, for they can tell that nothing was sent.
            async with asyncio.timeout(None if left is None else left + 0.1):
                prepared = self._client.build_request(content=body, **arguments)
                if not request.authorised:
                    prepared.headers.pop("Authorization", None)
                # The user's own auth would put its header in the token's place, and may send a request twice.
                self._response = await self._client.send(prepared, stream=True, follow_redirects=False, auth=None)
        except TimeoutError:
            await self._connections.drop(self._client)
            raise timed_out() from None
        except Exception as error:  # a user's hooks and transports may raise anything
            await self._connections.give_back(request, self._client)
            raise fault_of(error, body) from error
        except BaseException:
            await self._connections.drop(self._client)
            raise
        self._chunks = self._response.aiter_bytes()
        self.reply = Reply(self._response.status_code, headers_in(self._response.headers.raw))

    async def read_all(self) -> bytes:
        content = bytearray()
        try:
            async with asyncio.timeout(self._deadline.left()):
                async for chunk in self._chunks:
                    content += chunk
                    if len(content) > self._request.limit:
                        raise too_large(self._request)
        except TimeoutError:
            raise timed_out() from None
        except Exception as error:
            raise fault_of(error) from error
        return bytes(content)

    async def read(self) -> bytes:
        try:
            async with asyncio.timeout(self._deadline.left()):
                return await anext(self._chunks, b"")
        except TimeoutError:
            raise timed_out() from None
        except Exception as error:
            raise fault_of(error) from error

    async def close(self) -> None:
        try:
            await self._response.aclose()
        finally:
            await self._connections.give_back(self._request, self._client)


if TYPE_CHECKING:

    _Client: TypeAlias = "httpx.AsyncClient | _Direct"

T = TypeVar("T")
OnUpdate = Callable[[object], object]


class AsyncDriver:
    """One per client; may be used from several event loops, also one after the other."""

    def __init__(self, config: Config, http_client: httpx.AsyncClient | None = None) -> None:
        if http_client is not None and not hasattr(http_client, "aclose"):
            raise ConfigurationError("AsyncRunComfy takes an httpx.AsyncClient; an httpx.Client goes to RunComfy.")
        self._config = config
        self._loops = PerEventLoop(partial(Connections, config, http_client), shared=http_client is not None)

    async def run(self, rule: Operation[T], on_update: OnUpdate | None = None) -> T:
        """Carry out the rule and give its value; each update goes to `on_update` first, and is awaited if it can be."""
        progress = Progress(rule)
        while progress.step is not None:
            await self._advance(progress, progress.step, on_update or nothing)
        return progress.value

    async def iterate(self, rule: Operation[object]) -> AsyncGenerator[object]:
        """Carry out the rule and yield its updates."""
        with closing(Progress(rule)) as progress:
            while progress.step is not None:
                if isinstance(progress.step, Notify):
                    yield progress.step.update
                    progress.answer(None)
                else:
                    await self._advance(progress, progress.step, nothing)

    async def close(self) -> None:
        """Close the connections this driver opened in this event loop; a client of the user's stays open."""
        await self._loops.close()

    async def _advance(self, progress: Progress[T], step: Step, on_update: OnUpdate) -> None:
        try:
            answer = await self._perform(step, on_update)
        except Exception as error:  # noqa: BLE001 - the rule decides about every failure of its step
            progress.fail(error)
        except BaseException as error:  # noqa: BLE001 - the task was cancelled
            progress.fail(Interrupted(error))
        else:
            progress.answer(answer)

    async def _perform(self, step: Step, on_update: OnUpdate) -> object:
        match step:
            case Send(request):
                return await self._send(request)
            case Open(request):
                opened = await self._open(request)
                return Stream(opened.reply, opened)
            case Read(stream):
                return await _opened(stream).read()
            case Close(stream):
                await _opened(stream).close()
            case Sleep(seconds):
                await asyncio.sleep(max(seconds, 0.0))
            case Notify(update):
                seen = on_update(update)
                return await seen if inspect.isawaitable(seen) else seen
            case Run(work):
                return await asyncio.to_thread(work)
            case Await(future, timeout):
                return await _result_of(future, timeout)
            case Shield(rule, grace):
                return await self._shielded(rule, grace)
            case Gather(rules):
                return await self._gathered(rules, on_update)
        return None

    async def _shielded(self, rule: Operation[object], grace: float) -> object:
        task = asyncio.ensure_future(self.run(rule))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=grace)
            await _ended([task])
            raise

    async def _gathered(self, rules: tuple[Operation[object], ...], on_update: OnUpdate) -> list[object]:
        tasks = [asyncio.ensure_future(self.run(rule, on_update)) for rule in rules]
        try:
            return await asyncio.gather(*tasks)
        except BaseException:
            await _ended(tasks)
            raise

    async def _open(self, request: Request) -> Opened:
        opened = Opened(await self._loops.here(), self._config, request)
        await opened.open()
        return opened

    async def _send(self, request: Request) -> Reply:
        opened = await self._open(request)
        try:
            return opened.reply._replace(content=await opened.read_all())
        finally:
            await opened.close()


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


async def _ended(tasks: Sequence[asyncio.Future[object]]) -> None:
    """Leave nothing running, and no failure unheard."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Direct:
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

    It is called where httpx-aiohttp would make its session, and gives itself.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.close = session.close

    def __call__(self) -> Any:  # the part of a session that is used
        return self

    def request(self, *, url: str, **arguments: Any) -> object:  # as httpx-aiohttp calls it
        from yarl import URL

        return self._session.request(url=URL(url, encoded=True), **arguments)


class Connections:
    """The httpx clients in use and idle in one event loop; never more requests under way than the limit."""

    def __init__(self, config: Config, shared: httpx.AsyncClient | None) -> None:
        self._shared = shared
        self._slots = asyncio.Semaphore(config.max_connections)
        self._idle: IdleConnections[_Client] = IdleConnections(config.max_connections)
        self._fast: dict[tuple[bool, bool], _Direct] = {}
        self._use_fast = shared is None and _fast_is_there()
        self._certificates: ssl.SSLContext | None = None

    async def take(self, request: Request, left: float | None) -> _Client:
        if self._slots.locked():
            try:
                async with asyncio.timeout(left):
                    await self._slots.acquire()
            except TimeoutError:
                raise no_slot() from None
        else:
            await self._slots.acquire()  # at once
        try:
            if self._use_fast:
                return self._fast_client(request)
            if self._shared is not None:
                must_be_open(self._shared)
                return self._shared
            return self._idle.take(pool_key(request)) or self._connection_client(request)
        except Exception as error:
            self._slots.release()
            raise no_connection(error) from error
        except BaseException:
            self._slots.release()
            raise

    async def give_back(self, request: Request, client: _Client) -> None:
        surplus = self._idle.put(pool_key(request), client) if self._is_lane(client) else None
        self._slots.release()
        if surplus is not None:
            await surplus.aclose()

    async def drop(self, client: _Client) -> None:
        self._slots.release()
        if self._is_lane(client):
            await client.aclose()

    async def close(self) -> None:
        for client in [*self._idle.clear(), *self._fast.values()]:
            await client.aclose()
        self._fast.clear()

    def _is_lane(self, client: _Client) -> bool:
        return client is not self._shared and not self._use_fast

    def _connection_client(self, request: Request) -> _Client:
        import httpx

        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=idle_limit(request))
        verify = self._verify(request)
        if proxied():
            return httpx.AsyncClient(headers={"User-Agent": user_agent()}, verify=verify, limits=limits)
        return _Direct(httpx.AsyncHTTPTransport(verify=verify, limits=limits))

    def _fast_client(self, request: Request) -> _Direct:
        """aiohttp's own pool is quick to search, so there is one client for each way of keeping connections."""
        key = request.url.startswith("https:"), request.once
        if key not in self._fast:
            import aiohttp
            import httpx_aiohttp

            verify = self._verify(request)
            pool = aiohttp.TCPConnector(limit=0, keepalive_timeout=idle_limit(request), ssl=verify)
            session = _Verbatim(aiohttp.ClientSession(connector=pool, cookie_jar=aiohttp.DummyCookieJar()))
            self._fast[key] = direct = _Direct(httpx_aiohttp.AiohttpTransport(verify=verify, client=session))
            direct.aclose = session.close  # the transport closes only what is aiohttp's own class
        return self._fast[key]

    def _verify(self, request: Request) -> ssl.SSLContext | bool:
        import httpx

        if not request.url.startswith("https:"):
            return False  # reading the certificates takes longer than a whole job on this computer
        if self._certificates is None:
            self._certificates = httpx.create_ssl_context()
        return self._certificates


def _fast_is_there() -> bool:
    """Whether the extra `fast` is installed. It knows nothing of the environment's proxies, so then it is not used."""
    return not proxied() and find_spec("httpx_aiohttp") is not None


def _opened(stream: Stream) -> Opened:
    assert isinstance(stream.handle, Opened)
    return stream.handle
