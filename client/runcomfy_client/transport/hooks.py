"""Events about a client's traffic, for hooks of the user's, and the same in the log "runcomfy"."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import iscoroutinefunction
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


Hook: TypeAlias = Callable[[HttpEvent], object]
EventHooks: TypeAlias = Mapping[Kind, Hook | Sequence[Hook]]


class Hooks:
    """Calls the user's hooks. An exception in a hook is logged and not raised: it must not cost a request id.

    What is no function is refused when the client is made: found at a submit, it would leave the submit unsure.
    """

    def __init__(self, hooks: EventHooks | None) -> None:
        if hooks is not None and not isinstance(hooks, Mapping):
            raise ConfigurationError(f"event_hooks is {hooks!r:.80}; it must be a dict with any of {', '.join(KINDS)}.")
        self._hooks = {kind: _functions(kind, value) for kind, value in (hooks or {}).items()}

    def emit(self, event: HttpEvent) -> None:
        try:
            _log(event)
            for hook in self._hooks.get(event.kind, ()):
                try:
                    hook(event)
                except Exception:  # it is the user's code
                    log.exception("The event hook %r failed.", hook)
        except Exception:  # noqa: BLE001, S110 - a log handler of the user's fails, so there is nowhere to say it
            pass


def _functions(kind: object, value: object) -> tuple[Hook, ...]:
    """The functions under one key of event_hooks."""
    if kind not in KINDS:
        raise ConfigurationError(f"There is no event {kind!r:.80}; there are {', '.join(KINDS)}.")
    hooks = (value,) if callable(value) else tuple(value) if isinstance(value, Iterable) else (value,)
    for hook in hooks:
        if not callable(hook) or iscoroutinefunction(hook):
            expected = "a plain function, not an async one" if callable(hook) else "a function, or a list of functions"
            raise ConfigurationError(f"event_hooks[{kind!r}] holds {hook!r:.80}; it must be {expected}.")
    return hooks


def _log(event: HttpEvent) -> None:
    match event.kind:
        case "request":
            log.debug("%s %s", event.method, event.url)
        case "response":
            answer = f"HTTP {event.status}" if event.status is not None else event.reason
            log.debug("%s %s: %s after %.3f s", event.method, event.url, answer, event.seconds or 0.0)
        case "retry":
            log.info("%s %s: %s Again in %.1f s.", event.method, event.url, event.reason, event.pause or 0.0)
