"""Carry out a rule's steps on httpx.Client, one after the other, in the caller's thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from ..errors import ConfigurationError
from .faults import SyncBody, fault_of
from .lanes import IdleLanes
from .requests import Deadline, arguments_of, idle_limit, lane_of, no_slot, too_large, user_agent
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

if TYPE_CHECKING:
    import ssl

    import httpx

    from .config import Config

T = TypeVar("T")
OnUpdate = Callable[[object], object]


class SyncDriver:
    """One per client; may be used from many threads at once."""

    def __init__(self, config: Config, http_client: httpx.Client | None = None) -> None:
        if http_client is not None and hasattr(http_client, "aclose"):
            raise ConfigurationError("RunComfy takes an httpx.Client; an httpx.AsyncClient goes to AsyncRunComfy.")
        self._config = config
        self._connections = _Connections(config, http_client)

    def run(self, rule: Rule[T], on_update: OnUpdate | None = None) -> T:
        """Carry out the rule and give its value; each update goes to `on_update` first."""
        progress = Progress(rule)
        while progress.step is not None:
            self._advance(progress, progress.step, on_update or _ignore)
        return progress.value

    def iterate(self, rule: Rule[object]) -> Generator[object]:
        """Carry out the rule and yield its updates."""
        with closing(Progress(rule)) as progress:
            while progress.step is not None:
                if isinstance(progress.step, Notify):
                    yield progress.step.update
                    progress.answer(None)
                else:
                    self._advance(progress, progress.step, _ignore)

    def close(self) -> None:
        """Close the connections this driver opened; a client of the user's stays open."""
        self._connections.close()

    def _advance(self, progress: Progress[T], step: Step, on_update: OnUpdate) -> None:
        try:
            answer = self._perform(step, on_update)
        except KeyboardInterrupt as error:
            progress.fail(Interrupted(error))
        except BaseException as error:  # noqa: BLE001 - the rule decides about every failure of its step
            progress.fail(error)
        else:
            progress.answer(answer)

    def _perform(self, step: Step, on_update: OnUpdate) -> object:
        match step:
            case Send(exchange):
                return self._send(exchange)
            case Open(exchange):
                opened = _Opened(self._connections, self._config, exchange)
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
            case Shield(rule, _):
                return self.run(rule)
            case Gather(rules):
                return [self.run(rule) for rule in rules]
        return None

    def _send(self, exchange: Exchange) -> Reply:
        opened = _Opened(self._connections, self._config, exchange)
        try:
            content = bytearray()
            while chunk := opened.read():
                content += chunk
                if len(content) > exchange.limit:
                    raise too_large(exchange)
            return Reply(opened.reply.status, opened.reply.headers, bytes(content))
        finally:
            opened.close()


class _Opened:
    """A request under way: it holds its connection until it is closed."""

    def __init__(self, connections: _Connections, config: Config, exchange: Exchange) -> None:
        self._connections = connections
        self._exchange = exchange
        self._deadline = Deadline(exchange.timeout)
        arguments = arguments_of(exchange, config, self._deadline.left())
        body = None if exchange.body is None else SyncBody(exchange.body)
        self._client = connections.take(exchange, self._deadline.left())
        try:
            request = self._client.build_request(content=body, **arguments)
            if exchange.authorised:
                self._response = self._client.send(request, stream=True, follow_redirects=False)
            else:
                request.headers.pop("Authorization", None)
                self._response = self._client.send(request, stream=True, follow_redirects=False, auth=None)
        except Exception as error:  # a user's hooks and transports may raise anything
            connections.give_back(exchange, self._client)
            raise fault_of(error, body) from error
        except BaseException:
            connections.drop(self._client)
            raise
        self._chunks = self._response.iter_bytes()
        self.reply = Reply(self._response.status_code, dict(self._response.headers))

    def read(self) -> bytes:
        self._deadline.left()
        try:
            return next(self._chunks, b"")
        except Exception as error:
            raise fault_of(error) from error

    def close(self) -> None:
        try:
            self._response.close()
        finally:
            self._connections.give_back(self._exchange, self._client)


class _Connections:
    """The httpx clients in use and idle; never more requests under way than the limit."""

    def __init__(self, config: Config, shared: httpx.Client | None) -> None:
        self._config = config
        self._shared = shared
        self._slots = threading.BoundedSemaphore(config.max_connections)
        self._idle: IdleLanes[httpx.Client] = IdleLanes(config.max_connections)
        self._certificates: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def take(self, exchange: Exchange, left: float | None) -> httpx.Client:
        if not self._slots.acquire(timeout=left):
            raise no_slot()
        try:
            return self._shared or self._idle.take(lane_of(exchange)) or self._new(exchange)
        except BaseException:
            self._slots.release()
            raise

    def give_back(self, exchange: Exchange, client: httpx.Client) -> None:
        surplus = None if client is self._shared else self._idle.put(lane_of(exchange), client)
        self._slots.release()
        if surplus is not None:
            surplus.close()

    def drop(self, client: httpx.Client) -> None:
        self._slots.release()
        if client is not self._shared:
            client.close()

    def close(self) -> None:
        for client in self._idle.clear():
            client.close()

    def _new(self, exchange: Exchange) -> httpx.Client:
        import httpx

        with self._lock:
            secure = exchange.url.startswith("https:")
            if secure and self._certificates is None:
                self._certificates = httpx.create_ssl_context()
        return httpx.Client(
            headers={"User-Agent": user_agent()},
            verify=self._certificates if self._certificates is not None and secure else False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=idle_limit(exchange)),
        )


def _opened(stream: Stream) -> _Opened:
    assert isinstance(stream.handle, _Opened)
    return stream.handle


def _ignore(update: object) -> None:
    pass
