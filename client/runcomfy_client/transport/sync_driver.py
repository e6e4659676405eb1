"""Carry out an operation's steps on httpx.Client, in the calling thread.

`SyncDriver` is the loop; `Exchange` is one request and its reply; `Connections` says on which connection it goes.

- At most ``max_connections`` requests are under way; others wait for a slot, which counts against their
  ``queue_timeout`` and not against their ``timeout``.
- A connection is used again only after a reply that was read to its end. One whose use failed, or was broken off, is
  closed with its client: httpx's pools count some broken connections as busy until they are closed.
- The deadline of a request is kept by the watchdog, since a socket's own limit starts anew with every byte.
- Of a client of the user's everything is used but redirects and its own login; see `pools`.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ConfigurationError
from . import pools
from .blocking import WATCHDOG, DeferredSignals, Watched
from .connection_pool import ConnectionRules, IdleConnections, PooledConnection, forget_in_child, pool_key
from .deadline import Deadline
from .decoding import Decoder
from .requests import (
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
    from collections.abc import Iterator
    from typing import TypeAlias, Unpack

    import httpx

    from .config import Config
    from .requests import RequestArguments

    Connection: TypeAlias = "PooledConnection[httpx.Client | _TransportClient]"

T = TypeVar("T")
OnUpdate = Callable[[object], object]


class Exchange:
    """A request under way: it holds its connection until it is closed."""

    def __init__(self, connections: Connections, config: Config, request: Request) -> None:
        self._connections = connections
        self._request = request
        self._body = None if request.body is None else RequestBody(request.body, once=request.once)
        self._complete = False
        queue = Deadline(request.queue_timeout)
        headers = headers_of(request, config)
        self._connection = connections.acquire(request, queue.timeout())
        find = partial(pools.stream_of, self._connection.client, self._trace) if connections.shared else None
        self._watched = Watched(self._connection.stream, find)
        failure: TransportFailure | None = None
        try:
            self._deadline = Deadline(request.timeout, queue.timeout())
            if (left := self._deadline.timeout()) is not None:
                WATCHDOG.watch(self._watched, left)
            self._response = self._send(headers, config)
            try:
                self.reply = reply_of(self._response.status_code, self._response.headers.raw)
                self._chunks = self._pieces(Decoder(self.reply.headers.get("content-encoding", "")))
            except TransportFailure:
                _close(self._response)
                raise
        except Exception as error:  # noqa: BLE001 - a user's hooks and transports may raise anything
            failure = self._failure(error)
            if is_disconnect(error):
                connections.note_closed(request, self._connection)
        except BaseException as error:
            self._release()
            drop_frames(error)
            raise
        if failure is not None:
            self._release()
            raise failure
        connections.note_reply(request, self._connection, self.reply, self._response.extensions)
        self._watched.stream = self._response.extensions.get("network_stream") or self._watched.stream

    def read_all(self) -> bytes:
        content = bytearray()
        try:
            while chunk := self.read():
                content += chunk
                if len(content) > self._request.limit:
                    raise too_large(self._request)
        except TransportFailure as failure:
            failure.partial, failure.status = bytes(content), self.reply.status
            raise
        return bytes(content)

    def read(self) -> bytes:
        failure: TransportFailure
        if self._deadline.over():
            raise timed_out(self._address())
        try:
            return next(self._chunks, b"")
        except Exception as error:  # noqa: BLE001 - see above
            failure = self._failure(error)
        except BaseException as error:
            drop_frames(error)
            raise
        raise failure

    def close(self) -> None:
        # The reply was read, whatever happens to the connection.
        with contextlib.suppress(Exception):
            self._response.close()
        self._release()

    def _send(self, headers: dict[str, str], config: Config) -> httpx.Response:
        client = self._connection.client
        arguments = arguments_of(self._request, headers, config.timeouts, self._deadline)
        prepared = client.build_request(content=self._body, extensions={"trace": self._trace}, **arguments)
        if not self._request.authorised:
            prepared.headers.pop("Authorization", None)
        # The user's own auth would put its header in the token's place, and may send a request twice.
        return client.send(prepared, stream=True, follow_redirects=False, auth=None)

    def _trace(self, event: str, info: dict[str, object]) -> None:
        if self._body is not None:
            self._body.check(event, info)
        self._watched.trace(event, info)

    def _pieces(self, decoder: Decoder) -> Iterator[bytes]:
        if self._response.is_stream_consumed:  # a user's hook has read it
            yield from filter(None, [self._response.content])
        else:
            # Not iter_raw: that closes the response at its end, and a failure of that would cost the reply.
            stream: Any = self._response.stream
            for data in stream:
                yield from decoder.pieces(data)
            decoder.finish()
        self._complete = True

    def _release(self) -> None:
        WATCHDOG.finish(self._watched)
        reusable = self._complete and not ends_connection(self.reply, self._response.extensions)
        self._connections.release(self._request, self._connection, reusable=reusable)

    def _failure(self, error: Exception) -> TransportFailure:
        return timed_out(self._address()) if self._watched.expired else failure_of(error, self._body, self._address())

    def _address(self) -> str:
        return address_of(self._request.url, pools.proxy_of(self._connection.client, self._request.url))


class SyncDriver:
    """One per client; may be used from many threads at once."""

    def __init__(self, config: Config, http_client: httpx.Client | None = None) -> None:
        if http_client is not None and (hasattr(http_client, "aclose") or not hasattr(http_client, "send")):
            raise ConfigurationError("RunComfy takes an httpx.Client; an httpx.AsyncClient goes to AsyncRunComfy.")
        self._config = config
        self._connections = Connections(config, http_client)

    def run(self, operation: Operation[T], on_update: OnUpdate | None = None) -> T:
        """Carry out the operation and return its value; each update goes to `on_update` first."""
        progress = Progress(operation)
        while progress.step is not None:
            self._advance(progress, progress.step, on_update or ignore)
        return progress.value

    def iterate(self, operation: Operation[object]) -> Generator[object]:
        """Carry out the operation and yield its updates."""
        with contextlib.closing(Progress(operation)) as progress:
            while progress.step is not None:
                if isinstance(progress.step, Notify):
                    yield progress.step.update
                    progress.send(None)
                else:
                    self._advance(progress, progress.step, ignore)

    def close(self) -> None:
        """Close the connections this driver opened; a client of the user's stays open."""
        self._connections.close()

    def _advance(self, progress: Progress[T], step: Step, on_update: OnUpdate) -> None:
        try:
            answer = self._perform(step, on_update)
        except Exception as error:  # noqa: BLE001 - the operation decides about every failure of its step
            progress.throw(error)
        except BaseException as error:  # noqa: BLE001 - Ctrl-C
            progress.throw(Interrupted(error))
        else:
            progress.send(answer)

    def _perform(self, step: Step, on_update: OnUpdate) -> object:
        match step:
            case Send(request):
                return self._send(request)
            case Open(request):
                exchange = Exchange(self._connections, self._config, request)
                return Stream(exchange.reply, exchange)
            case Read(stream):
                return _exchange(stream).read()
            case Close(stream):
                _exchange(stream).close()
            case Sleep(seconds):
                time.sleep(max(seconds, 0.0))
            case Notify(update):
                return on_update(update)
            case Run(work):
                return work()
            case Await(future, timeout):
                return future.result(timeout)
            case Shield(operation, grace):
                with DeferredSignals(grace):
                    return self.run(operation)
            case Gather(operations):
                return [self.run(operation, on_update) for operation in operations]
        return None

    def _send(self, request: Request) -> Reply:
        exchange = Exchange(self._connections, self._config, request)
        try:
            return exchange.reply._replace(content=exchange.read_all())
        finally:
            exchange.close()


class _TransportClient:
    """A transport, called as a client is. A client's cookies and second look at the URL cost a fifth of a request."""

    def __init__(self, transport: httpx.HTTPTransport) -> None:
        self._transport = transport
        self.close = transport.close

    def build_request(
        self, *, content: RequestBody | None, extensions: dict[str, object], **arguments: Unpack[RequestArguments]
    ) -> httpx.Request:
        import httpx

        transport = for_a_transport(arguments)
        transport["extensions"].update(extensions)
        return httpx.Request(content=content, **transport)

    def send(self, request: httpx.Request, **of_a_client: object) -> httpx.Response:
        response = self._transport.handle_request(request)
        response.request = request
        return response


class Connections(ConnectionRules["httpx.Client | _TransportClient"]):
    """The connections in use and idle; never more requests under way than the limit."""

    shared: httpx.Client | None

    def __init__(self, config: Config, shared: httpx.Client | None) -> None:
        super().__init__(config.max_connections)
        self.shared = shared
        self._most = config.max_connections
        self._slots = threading.BoundedSemaphore(self._most)
        self._certificates: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        forget_in_child(self)
        # For programs that do not close the client.
        self._finalizer = weakref.finalize(self, _close_all, self._idle)

    def acquire(self, request: Request, seconds: float | None) -> Connection:
        if not self._slots.acquire(timeout=seconds):
            raise no_slot()
        try:
            if self.shared is not None:
                pools.check(self.shared, request.url)
                return PooledConnection(self.shared)
            return self._idle_connection(request) or self._new(request)
        except Exception as error:
            self._slots.release()
            raise no_connection(error) from error
        except BaseException:
            self._slots.release()
            raise

    def release(self, request: Request, connection: Connection, *, reusable: bool) -> None:
        if connection.process != os.getpid():  # taken before a fork: the slot and the connection are the parent's
            return
        to_close = self.put_back(request, connection, reusable=reusable)
        self._slots.release()
        for resource in to_close:
            _close(resource)

    def close(self) -> None:
        _close_all(self._idle)

    def forget(self) -> None:
        """In a forked child, where the parent's requests hold slots and its threads held locks."""
        self._slots = threading.BoundedSemaphore(self._most)
        self._lock = threading.Lock()
        self._idle.forget()

    def _idle_connection(self, request: Request) -> Connection | None:
        limit = self._limits.of(request)
        while (connection := self._idle.pop(pool_key(request))) is not None:
            if connection.wake() <= limit:
                return connection
            _close(connection.client)
        return None

    def _new(self, request: Request) -> Connection:
        import httpx

        with self._lock:
            secure = request.url.startswith("https:")
            if secure and self._certificates is None:
                self._certificates = httpx.create_ssl_context()
        verify = self._certificates if self._certificates is not None and secure else False
        # How long it may be idle is decided here, by IdleLimits.
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)
        if may_use_proxy(request) and has_proxy():
            return PooledConnection(httpx.Client(headers={"User-Agent": user_agent()}, verify=verify, limits=limits))
        return PooledConnection(_TransportClient(httpx.HTTPTransport(verify=verify, limits=limits)))


def _close(resource: object) -> None:
    """Close a client, a connection or a reply that may be broken. That must not hide a failure, nor cost a reply."""
    with contextlib.suppress(Exception):
        resource.close()  # type: ignore[attr-defined]  # all of these have it


def _close_all(idle: IdleConnections[httpx.Client | _TransportClient]) -> None:
    for client in idle.clear():
        client.close()


def _exchange(stream: Stream) -> Exchange:
    assert isinstance(stream.handle, Exchange)
    return stream.handle
