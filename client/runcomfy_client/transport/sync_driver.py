"""Carry out a rule's steps on httpx.Client, in the calling thread."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from ..errors import ConfigurationError
from .connection_pool import IdleConnections
from .interrupts import DeferredSignals
from .requests import (
    RequestDeadline,
    SyncBody,
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
    TransportFailure,
)
from .watchdog import WATCHDOG, Watched

if TYPE_CHECKING:
    import ssl
    from typing import Unpack

    import httpx

    from .config import Config
    from .requests import RequestArguments
    from .watchdog import NetworkStream


class Opened:
    """A request under way: it holds its connection until it is closed."""

    def __init__(self, connections: Connections, config: Config, request: Request) -> None:
        self._connections = connections
        self._request = request
        queue_timeout = RequestDeadline(request.queue_timeout)
        body = None if request.body is None else SyncBody(request.body)
        headers = headers_of(request, config)
        self._connection_client = connections.take(request, queue_timeout.rest())
        self._watched = Watched(self._connection_client.stream)
        client = self._connection_client.client
        try:
            self._deadline = RequestDeadline(request.timeout, queue_timeout.rest())
            left = self._deadline.rest()
            if left is not None:
                WATCHDOG.watch(self._watched, left)
            arguments = arguments_of(request, headers, config.timeouts, left)
            prepared = client.build_request(content=body, extensions={"trace": self._watched.trace}, **arguments)
            if not request.authorised:
                prepared.headers.pop("Authorization", None)
            # The user's own auth would put its header in the token's place, and may send a request twice.
            self._response = client.send(prepared, stream=True, follow_redirects=False, auth=None)
        except Exception as error:  # a user's hooks and transports may raise anything
            self._leave()
            raise self._fault(error, body) from error
        except BaseException:
            self._leave(broken=True)
            raise
        self._chunks = self._response.iter_bytes()
        self.reply = Reply(self._response.status_code, headers_in(self._response.headers.raw))

    def read_all(self) -> bytes:
        content = bytearray()
        while chunk := self.read():
            content += chunk
            if len(content) > self._request.limit:
                raise too_large(self._request)
        return bytes(content)

    def read(self) -> bytes:
        self._deadline.left()
        try:
            return next(self._chunks, b"")
        except Exception as error:
            raise self._fault(error) from error

    def close(self) -> None:
        try:
            self._response.close()
        finally:
            self._leave()

    def _leave(self, *, broken: bool = False) -> None:
        self._connection_client.stream = self._watched.stream
        WATCHDOG.finish(self._watched)
        if broken:
            self._connections.drop(self._connection_client)
        else:
            self._connections.give_back(self._request, self._connection_client)

    def _fault(self, error: Exception, body: SyncBody | None = None) -> TransportFailure:
        return timed_out() if self._watched.expired else fault_of(error, body)


T = TypeVar("T")
OnUpdate = Callable[[object], object]


class SyncDriver:
    """One per client; may be used from many threads at once."""

    def __init__(self, config: Config, http_client: httpx.Client | None = None) -> None:
        if http_client is not None and hasattr(http_client, "aclose"):
            raise ConfigurationError("RunComfy takes an httpx.Client; an httpx.AsyncClient goes to AsyncRunComfy.")
        self._config = config
        self._connections = Connections(config, http_client)

    def run(self, rule: Operation[T], on_update: OnUpdate | None = None) -> T:
        """Carry out the rule and give its value; each update goes to `on_update` first."""
        progress = Progress(rule)
        while progress.step is not None:
            self._advance(progress, progress.step, on_update or nothing)
        return progress.value

    def iterate(self, rule: Operation[object]) -> Generator[object]:
        """Carry out the rule and yield its updates."""
        with closing(Progress(rule)) as progress:
            while progress.step is not None:
                if isinstance(progress.step, Notify):
                    yield progress.step.update
                    progress.answer(None)
                else:
                    self._advance(progress, progress.step, nothing)

    def close(self) -> None:
        """Close the connections this driver opened; a client of the user's stays open."""
        self._connections.close()

    def _advance(self, progress: Progress[T], step: Step, on_update: OnUpdate) -> None:
        try:
            answer = self._perform(step, on_update)
        except Exception as error:  # noqa: BLE001 - the rule decides about every failure of its step
            progress.fail(error)
        except BaseException as error:  # noqa: BLE001 - Ctrl-C
            progress.fail(Interrupted(error))
        else:
            progress.answer(answer)

    def _perform(self, step: Step, on_update: OnUpdate) -> object:
        match step:
            case Send(request):
                return self._send(request)
            case Open(request):
                opened = Opened(self._connections, self._config, request)
                return Stream(opened.reply, opened)
            case Read(stream):
                return _opened(stream).read()
            case Close(stream):
                _opened(stream).close()
            case Sleep(seconds):
                time.sleep(max(seconds, 0.0))
            case Notify(update):
                return on_update(update)
            case Run(work):
                return work()
            case Await(future, timeout):
                return future.result(timeout)
            case Shield(rule, grace):
                return self._shielded(rule, grace)
            case Gather(rules):
                return [self.run(rule, on_update) for rule in rules]
        return None

    def _shielded(self, rule: Operation[object], grace: float) -> object:
        with DeferredSignals(grace):
            return self.run(rule)

    def _send(self, request: Request) -> Reply:
        opened = Opened(self._connections, self._config, request)
        try:
            return opened.reply._replace(content=opened.read_all())
        finally:
            opened.close()


class _Direct:
    """A transport, called as a client is. A client's cookies and second look at the URL cost a fifth of a request."""

    def __init__(self, transport: httpx.HTTPTransport) -> None:
        self._transport = transport
        self.close = transport.close

    def build_request(
        self, *, content: SyncBody | None, extensions: dict[str, object], **arguments: Unpack[RequestArguments]
    ) -> httpx.Request:
        import httpx

        made = for_a_transport(arguments)
        made["extensions"].update(extensions)
        return httpx.Request(content=content, **made)

    def send(self, request: httpx.Request, **of_a_client: object) -> httpx.Response:
        response = self._transport.handle_request(request)
        response.request = request
        return response


class Lane:
    """A client for one connection at a time, and that connection. A shared client's connection is not known."""

    __slots__ = ("client", "stream")

    def __init__(self, client: httpx.Client | _Direct) -> None:
        self.client = client
        self.stream: NetworkStream | None = None


class Connections:
    """The lanes in use and idle; never more requests under way than the limit."""

    def __init__(self, config: Config, shared: httpx.Client | None) -> None:
        self._shared = shared
        self._slots = threading.BoundedSemaphore(config.max_connections)
        self._idle: IdleConnections[Lane] = IdleConnections(config.max_connections)
        self._certificates: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        # For those who do not close the client.
        self._finalizer = weakref.finalize(self, _close_all, self._idle)

    def take(self, request: Request, left: float | None) -> Lane:
        if not self._slots.acquire(timeout=left):
            raise no_slot()
        try:
            if self._shared is not None:
                must_be_open(self._shared)
                return Lane(self._shared)
            return self._idle.take(pool_key(request)) or self._new(request)
        except Exception as error:
            self._slots.release()
            raise no_connection(error) from error
        except BaseException:
            self._slots.release()
            raise

    def give_back(self, request: Request, lane: Lane) -> None:
        surplus = None if self._shared is not None else self._idle.put(pool_key(request), lane)
        self._slots.release()
        if surplus is not None:
            surplus.client.close()

    def drop(self, lane: Lane) -> None:
        self._slots.release()
        if self._shared is None:
            lane.client.close()

    def close(self) -> None:
        _close_all(self._idle)

    def _new(self, request: Request) -> Lane:
        import httpx

        with self._lock:
            secure = request.url.startswith("https:")
            if secure and self._certificates is None:
                self._certificates = httpx.create_ssl_context()
        verify = self._certificates if self._certificates is not None and secure else False
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=idle_limit(request))
        if proxied():
            return Lane(httpx.Client(headers={"User-Agent": user_agent()}, verify=verify, limits=limits))
        return Lane(_Direct(httpx.HTTPTransport(verify=verify, limits=limits)))


def _close_all(idle: IdleConnections[Lane]) -> None:
    for lane in idle.clear():
        lane.client.close()


def _opened(stream: Stream) -> Opened:
    assert isinstance(stream.handle, Opened)
    return stream.handle
