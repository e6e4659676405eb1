"""Carry out a rule's steps on httpx.Client, one after the other, in the caller's thread."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from ..errors import ConfigurationError
from .interrupts import HeldInterrupts
from .lanes import IdleLanes
from .requests import (
    for_a_transport,
    idle_limit,
    lane_of,
    must_be_open,
    no_connection,
    no_slot,
    nothing,
    proxied,
    user_agent,
)
from .steps import (
    Close,
    Exchange,
    Gather,
    Interrupted,
    Notify,
    Open,
    Progress,
    Read,
    Reply,
    Rule,
    Run,
    Send,
    Shield,
    Sleep,
    Step,
    Stream,
)
from .sync_exchange import Opened

if TYPE_CHECKING:
    import ssl
    from typing import Unpack

    import httpx

    from .config import Config
    from .faults import SyncBody
    from .requests import RequestArguments
    from .watchdog import NetworkStream

T = TypeVar("T")
OnUpdate = Callable[[object], object]


class SyncDriver:
    """One per client; may be used from many threads at once."""

    def __init__(self, config: Config, http_client: httpx.Client | None = None) -> None:
        if http_client is not None and hasattr(http_client, "aclose"):
            raise ConfigurationError("RunComfy takes an httpx.Client; an httpx.AsyncClient goes to AsyncRunComfy.")
        self._config = config
        self._connections = Connections(config, http_client)

    def run(self, rule: Rule[T], on_update: OnUpdate | None = None) -> T:
        """Carry out the rule and give its value; each update goes to `on_update` first."""
        progress = Progress(rule)
        while progress.step is not None:
            self._advance(progress, progress.step, on_update or nothing)
        return progress.value

    def iterate(self, rule: Rule[object]) -> Generator[object]:
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
        except BaseException as error:  # noqa: BLE001 - Ctrl-C, or what a signal handler raises
            progress.fail(Interrupted(error))
        else:
            progress.answer(answer)

    def _perform(self, step: Step, on_update: OnUpdate) -> object:
        match step:
            case Send(exchange):
                return self._send(exchange)
            case Open(exchange):
                opened = Opened(self._connections, self._config, exchange)
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
            case Shield(rule, linger):
                return self._shielded(rule, linger)
            case Gather(rules):
                return [self.run(rule, on_update) for rule in rules]
        return None

    def _shielded(self, rule: Rule[object], linger: float) -> object:
        with HeldInterrupts(linger):
            return self.run(rule)

    def _send(self, exchange: Exchange) -> Reply:
        opened = Opened(self._connections, self._config, exchange)
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
        self._idle: IdleLanes[Lane] = IdleLanes(config.max_connections)
        self._certificates: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        # For those who do not close the client.
        self._finalizer = weakref.finalize(self, _close_all, self._idle)

    def take(self, exchange: Exchange, left: float | None) -> Lane:
        if not self._slots.acquire(timeout=left):
            raise no_slot()
        try:
            if self._shared is not None:
                must_be_open(self._shared)
                return Lane(self._shared)
            return self._idle.take(lane_of(exchange)) or self._new(exchange)
        except Exception as error:
            self._slots.release()
            raise no_connection(error) from error
        except BaseException:
            self._slots.release()
            raise

    def give_back(self, exchange: Exchange, lane: Lane) -> None:
        surplus = None if self._shared is not None else self._idle.put(lane_of(exchange), lane)
        self._slots.release()
        if surplus is not None:
            surplus.client.close()

    def drop(self, lane: Lane) -> None:
        self._slots.release()
        if self._shared is None:
            lane.client.close()

    def close(self) -> None:
        _close_all(self._idle)

    def _new(self, exchange: Exchange) -> Lane:
        import httpx

        with self._lock:
            secure = exchange.url.startswith("https:")
            if secure and self._certificates is None:
                self._certificates = httpx.create_ssl_context()
        verify = self._certificates if self._certificates is not None and secure else False
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=idle_limit(exchange))
        if proxied():
            return Lane(httpx.Client(headers={"User-Agent": user_agent()}, verify=verify, limits=limits))
        return Lane(_Direct(httpx.HTTPTransport(verify=verify, limits=limits)))


def _close_all(idle: IdleLanes[Lane]) -> None:
    for lane in idle.clear():
        lane.client.close()


def _opened(stream: Stream) -> Opened:
    assert isinstance(stream.handle, Opened)
    return stream.handle
