"""What generated provider and family classes are made of: a client, and the one way an endpoint method submits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .api.submit import RequestOptions
    from .client import AsyncClient, ClientData, SyncClient
    from .jobs import AsyncJob, Job


class ResourceData:
    """What both kinds of resources are made of."""

    _client: ClientData

    if not TYPE_CHECKING:  # type checkers and editors see only the names that exist

        def __getattr__(self, name: str) -> object:
            if name.startswith("_") or hasattr(type(self), name):
                return object.__getattribute__(self, name)  # raises the AttributeError that led here
            # A provider's class lies in <package>.resources.<provider>, a family's in a module below it.
            place = type(self).__module__.partition(".resources.")[2]
            message = self._client._package.missing(place, name, dir(type(self)))
            raise AttributeError(message, obj=self)  # without a name Python adds no suggestion of its own

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"


class Resource(ResourceData):
    """A part of `RunComfy`, named by a provider or a family of models."""

    def __init__(self, client: SyncClient) -> None:
        self._client: SyncClient = client

    # Any: the endpoint method that calls this declares the model's output class.
    def _submit(self, model_id: str, arguments: Mapping[str, object], options: RequestOptions | None) -> Job[Any]:
        return self._client.submit(model_id, _without_none(arguments), options)


class AsyncResource(ResourceData):
    """A part of `AsyncRunComfy`, named by a provider or a family of models."""

    def __init__(self, client: AsyncClient) -> None:
        self._client: AsyncClient = client

    async def _submit(
        self, model_id: str, arguments: Mapping[str, object], options: RequestOptions | None
    ) -> AsyncJob[Any]:
        return await self._client.submit(model_id, _without_none(arguments), options)


def _without_none(arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments that the caller passed: None is what a method's parameters are until they are passed."""
    return {name: value for name, value in arguments.items() if value is not None}
