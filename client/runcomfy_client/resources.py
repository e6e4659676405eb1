"""What generated provider and family classes are made of: a client, and the one way an endpoint method submits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .api.submit import RequestOptions
    from .client import AsyncClient, SyncClient
    from .jobs import AsyncJob, Job


class Resource:
    """A part of `RunComfy`, named by a provider or a family of models."""

    def __init__(self, client: SyncClient) -> None:
        self._client = client

    # Any: the endpoint method that calls this declares the model's output class.
    def _submit(self, model_id: str, given: Mapping[str, object], options: RequestOptions | None) -> Job[Any]:
        return self._client.submit(model_id, _told(given), options)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"


class AsyncResource:
    """A part of `AsyncRunComfy`, named by a provider or a family of models."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def _submit(
        self, model_id: str, given: Mapping[str, object], options: RequestOptions | None
    ) -> AsyncJob[Any]:
        return await self._client.submit(model_id, _told(given), options)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"


def _told(given: Mapping[str, object]) -> dict[str, object]:
    """The arguments that the caller gave: None is what a method's parameters are until they are given."""
    return {name: value for name, value in given.items() if value is not None}
