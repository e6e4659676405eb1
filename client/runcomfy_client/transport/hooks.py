"""Events about a client's traffic, for hooks of the user's, and the same in the log "runcomfy"."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from ..errors import ConfigurationError

Kind: TypeAlias = Literal["request", "response", "retry"]
KINDS = ("request", "response", "retry")

log = logging.getLogger("runcomfy")


class HttpEvent(NamedTuple):
    """One thing that happened on the wire.

    ``kind`` request: about to be sent; response: a reply came (``status``) or did not (``reason``) after ``seconds``;
    retry: it will be sent again in ``pause`` seconds, because of ``reason``. Nothing in an event holds the token.
    """

    kind: Kind
    method: str
    url: str
    model_id: str | None = None
    request_id: str | None = None
    status: int | None = None
    seconds: float | None = None
    pause: float | None = None
    reason: str = ""


EventHooks: TypeAlias = Mapping[Kind, Sequence[Callable[[HttpEvent], object]]]


class Hooks:
    """Calls the user's hooks. One that fails is logged and goes no further: it must not cost a request id."""

    def __init__(self, hooks: EventHooks | None) -> None:
        self._hooks: EventHooks = hooks or {}
        if unknown := [name for name in self._hooks if name not in KINDS]:
            raise ConfigurationError(f"There is no event {unknown[0]!r}; there are {', '.join(KINDS)}.")

    def emit(self, event: HttpEvent) -> None:
        _log(event)
        for hook in self._hooks.get(event.kind, ()):
            try:
                hook(event)
            except Exception:  # it is the user's code
                log.exception("The event hook %r failed.", hook)


def _log(event: HttpEvent) -> None:
    match event.kind:
        case "request":
            log.debug("%s %s", event.method, event.url)
        case "response":
            answer = f"HTTP {event.status}" if event.status is not None else event.reason
            log.debug("%s %s: %s after %.3f s", event.method, event.url, answer, event.seconds or 0.0)
        case "retry":
            log.info("%s %s: %s Again in %.1f s.", event.method, event.url, event.reason, event.pause or 0.0)
