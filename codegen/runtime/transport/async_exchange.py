"""One request under way on httpx, awaited, from the connection it takes to the one it gives back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .faults import AsyncBody, fault_of
from .requests import Deadline, arguments_of, headers_in, headers_of, out_of_time, too_large
from .steps import Exchange, Reply

if TYPE_CHECKING:
    from .async_driver import Connections
    from .config import Config


class Opened:
    """A request under way: it holds its connection until it is closed."""

    reply: Reply

    def __init__(self, connections: Connections, config: Config, exchange: Exchange) -> None:
        self._connections = connections
        self._config = config
        self._exchange = exchange

    async def open(self) -> None:
        exchange = self._exchange
        patience = Deadline(exchange.patience)
        body = None if exchange.body is None else AsyncBody(exchange.body)
        headers = headers_of(exchange, self._config)
        self._client = await self._connections.take(exchange, patience.rest())
        try:
            self._deadline = Deadline(exchange.timeout, patience.rest())
            left = self._deadline.rest()
            arguments = arguments_of(exchange, headers, self._config.timeouts, left)
            # The phase limits are as long; let them speak first, for they can tell that nothing was sent.
            async with asyncio.timeout(None if left is None else left + 0.1):
                request = self._client.build_request(content=body, **arguments)
                if not exchange.authorised:
                    request.headers.pop("Authorization", None)
                # The user's own auth would put its header in the token's place, and may send a request twice.
                self._response = await self._client.send(request, stream=True, follow_redirects=False, auth=None)
        except TimeoutError:
            await self._connections.drop(self._client)
            raise out_of_time() from None
        except Exception as error:  # a user's hooks and transports may raise anything
            await self._connections.give_back(exchange, self._client)
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
                    if len(content) > self._exchange.limit:
                        raise too_large(self._exchange)
        except TimeoutError:
            raise out_of_time() from None
        except Exception as error:
            raise fault_of(error) from error
        return bytes(content)

    async def read(self) -> bytes:
        try:
            async with asyncio.timeout(self._deadline.left()):
                return await anext(self._chunks, b"")
        except TimeoutError:
            raise out_of_time() from None
        except Exception as error:
            raise fault_of(error) from error

    async def close(self) -> None:
        try:
            await self._response.aclose()
        finally:
            await self._connections.give_back(self._exchange, self._client)
