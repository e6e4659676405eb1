"""One script for both clients: the async one is spoken to as if it were the sync one."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from runcomfy import AsyncRunComfy as AsyncClient
from runcomfy import RunComfy as SyncClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = ("sync", "async", "async-plain")


class Blocking:
    """An async client, job or result whose methods block until they are done."""

    def __init__(self, inner: Any, runner: asyncio.Runner) -> None:
        self._inner = inner
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        return self._plain(getattr(self._inner, name))

    def __repr__(self) -> str:
        return repr(self._inner)

    def __eq__(self, other: object) -> bool:
        return bool(self._inner == (other._inner if isinstance(other, Blocking) else other))

    def __hash__(self) -> int:
        return hash(self._inner)

    def _plain(self, value: Any) -> Any:
        if type(value) is tuple:
            return tuple(map(self._plain, value))
        if inspect.isasyncgen(value):
            return self._iterated(value)
        if inspect.isroutine(value):
            return self._called(value)
        return Blocking(value, self._runner) if type(value).__name__.startswith("Async") else value

    def _called(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            plain = [arg._inner if isinstance(arg, Blocking) else arg for arg in args]
            value = method(*plain, **kwargs)
            return self._plain(self._runner.run(value) if inspect.iscoroutine(value) else value)

        return call

    def _iterated(self, values: Any) -> Iterator[Any]:
        try:
            while True:
                try:
                    yield self._runner.run(anext(values))
                except StopAsyncIteration:
                    return
        finally:
            self._runner.run(values.aclose())


class Clients:
    """Makes clients of one kind, and closes them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.runner = asyncio.Runner()
        self._made: list[Any] = []

    @property
    def is_async(self) -> bool:
        return self.kind != "sync"

    def __call__(self, base_url: str, token: str | None = "secret-token-4711", **settings: Any) -> Any:
        settings.setdefault("timeout", 5.0)
        client: Any
        if self.is_async:
            client = Blocking(AsyncClient(token, base_url, **settings), self.runner)
        else:
            client = SyncClient(token, base_url, **settings)
        self._made.append(client)
        return client

    def http_client(self, **settings: Any) -> Any:
        """A user's own httpx client."""
        import httpx

        if not self.is_async:
            made: Any = httpx.Client(**settings)
            self._made.append(made)
            return made
        made = httpx.AsyncClient(**settings)
        self._made.append(Blocking(made, self.runner))
        return made

    def close(self) -> None:
        for client in self._made:
            (client.aclose if hasattr(client, "aclose") else client.close)()
        self.runner.close()
