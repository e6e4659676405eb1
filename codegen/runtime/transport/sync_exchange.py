"""One request under way on httpx, from the connection it takes to the one it gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .faults import SyncBody, fault_of
from .requests import Deadline, arguments_of, headers_in, headers_of, out_of_time, too_large
from .steps import Exchange, Fault, Reply
from .watchdog import WATCHDOG, Watched

if TYPE_CHECKING:
    from .config import Config
    from .sync_driver import Connections


class Opened:
    """A request under way: it holds its connection until it is closed."""

    def __init__(self, connections: Connections, config: Config, exchange: Exchange) -> None:
        self._connections = connections
        self._exchange = exchange
        patience = Deadline(exchange.patience)
        body = None if exchange.body is None else SyncBody(exchange.body)
        headers = headers_of(exchange, config)
        self._lane = connections.take(exchange, patience.rest())
        self._watched = Watched(self._lane.stream)
        client = self._lane.client
        try:
            self._deadline = Deadline(exchange.timeout, patience.rest())
            left = self._deadline.rest()
            if left is not None:
                WATCHDOG.watch(self._watched, left)
            arguments = arguments_of(exchange, headers, config.timeouts, left)
            request = client.build_request(content=body, extensions={"trace": self._watched.trace}, **arguments)
            if not exchange.authorised:
                request.headers.pop("Authorization", None)
            # The user's own auth would put its header in the token's place, and may send a request twice.
            self._response = client.send(request, stream=True, follow_redirects=False, auth=None)
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
            if len(content) > self._exchange.limit:
                raise too_large(self._exchange)
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
        self._lane.stream = self._watched.stream
        WATCHDOG.finish(self._watched)
        if broken:
            self._connections.drop(self._lane)
        else:
            self._connections.give_back(self._exchange, self._lane)

    def _fault(self, error: Exception, body: SyncBody | None = None) -> Fault:
        return out_of_time() if self._watched.expired else fault_of(error, body)
