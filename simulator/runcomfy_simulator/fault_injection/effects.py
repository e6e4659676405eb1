"""What a fault does, and the words for it: `503 retry-after 2`, `reset after 10 bytes`, `fail nsfw`, ..."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A reply that is sent instead of the true one."""

    status: int
    body: Literal["json", "html", "empty"] = "json"
    error_code: int | None = None
    retry_after: float | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What happens to one request, or to one job. Nothing is set in an effect that does nothing.

    `handled` says whether a request that gets no true reply still takes effect, as when only the reply is lost.
    """

    delay: float = 0.0
    hang: bool = False
    reset: bool = False  # the connection is reset without a reply
    replacement: Replacement | None = None
    handled: bool = True
    corruption: tuple[str, ...] = ()  # how the true reply's text is changed, see `corruption`
    reset_after: int | None = None
    drip_bytes: int | None = None
    drip_seconds: float = 0.0
    # For jobs
    error: object = None
    run_seconds: float | None = None
    queue_seconds: float | None = None
    cost_delay: float | None = None
    forget: bool = False


class UnknownFault(ValueError):
    """No fault is called this."""


REASONS = {
    "": "The model failed.",
    "nsfw": "The content was flagged as not safe.",
    "timeout": "The run took too long and was ended.",
    "memory": "The machine ran out of memory.",
    "input": "An input file could not be fetched.",
}

_S = r"(\d{1,9}(?:\.\d{1,9})?)\s*(?:s|seconds?)?"


def _replace(words: re.Match[str]) -> Effect:
    status = int(words[1])
    try:
        HTTPStatus(status)
    except ValueError:
        raise UnknownFault(f"{status} is no HTTP status") from None
    body: Literal["json", "html", "empty"] = (
        "html" if words[2] == "html" else "empty" if words[2] == "empty" else "json"
    )
    code = int(words[3]) if words[3] else None
    wait = float(words[4]) if words[4] else None
    reply = Replacement(status=status, body=body, error_code=code, retry_after=wait)
    return Effect(replacement=reply, handled=bool(words[5]))


def _fixed_reply(*, status: int, location: str | None = None, error_code: int | None = None) -> Effect:
    return Effect(replacement=Replacement(status=status, location=location, error_code=error_code), handled=False)


def _drip(words: re.Match[str]) -> Effect:
    return Effect(drip_bytes=max(1, int(words[1])), drip_seconds=float(words[2]))


def _fail(words: re.Match[str]) -> Effect:
    text = REASONS.get(words[2].strip().lower(), words[2].strip())
    # The API sends an error as a string, an object or a list.
    shapes = {"object": {"code": "failed", "message": text}, "list": [{"message": text}]}
    return Effect(error=shapes.get((words[1] or "").strip(), text))


def _names(words: str) -> tuple[str, ...]:
    return tuple(re.split(r"[,\s]+", words.strip()))


@dataclass(frozen=True, slots=True)
class _Words:
    """One fault of the language: an example for error messages, the pattern, and the effect it makes."""

    example: str
    pattern: str
    make: Callable[[re.Match[str]], Effect]


_REQUEST_WORDS = (
    _Words("latency 0.5", rf"latency {_S}", lambda m: Effect(delay=float(m[1]))),
    _Words("hang", r"hang", lambda _: Effect(hang=True, handled=False)),
    _Words("drop", r"drop", lambda _: Effect(reset=True, handled=False)),
    _Words("lost reply", r"lost(?: reply)?", lambda _: Effect(reset=True)),
    _Words("reset after 10 bytes", r"reset(?: after (\d{1,12}) bytes?)?", lambda m: Effect(reset_after=int(m[1] or 0))),
    _Words("drip 7 bytes every 0.01", rf"drip (\d{{1,12}}) bytes? every {_S}", _drip),
    _Words(
        "503 html retry-after 2 accepted",
        rf"([2-5]\d\d)(?: (html|empty|json))?(?: error (\d{{1,12}}))?(?: retry-after {_S})?( accepted)?",
        _replace,
    ),
    _Words("307 to URL", r"(30[12378]) to (\S+)", lambda m: _fixed_reply(status=int(m[1]), location=m[2])),
    _Words("error body 400002", r"error body (\d{1,12})", lambda m: _fixed_reply(status=200, error_code=int(m[1]))),
    _Words("html", r"html", lambda _: Effect(replacement=Replacement(status=200, body="html"))),
    _Words("empty", r"empty", lambda _: Effect(replacement=Replacement(status=200, body="empty"))),
    _Words("bad json", r"bad json", lambda _: Effect(corruption=("bad",))),
    _Words("cut json", r"cut json", lambda _: Effect(corruption=("cut",))),
    _Words("duplicate keys", r"duplicate keys", lambda _: Effect(corruption=("duplicate",))),
    _Words("state warming_up", r"state (\S+)", lambda m: Effect(corruption=("set", "status", m[1]))),
    _Words(
        "without output.images, status", r"without ([\w., ]+)", lambda m: Effect(corruption=("without", *_names(m[1])))
    ),
    _Words("null status", r"null ([\w., ]+)", lambda m: Effect(corruption=("null", *_names(m[1])))),
    _Words("with error=text or JSON", r"with (\w+)=(.+)", lambda m: Effect(corruption=("set", m[1], m[2]))),
)
_JOB_WORDS = (
    _Words("fail nsfw", r"fail(?: as (object|list))?\b(.*)", _fail),
    _Words("run 5", rf"run {_S}", lambda m: Effect(run_seconds=float(m[1]))),
    _Words("queue 5", rf"queue {_S}", lambda m: Effect(queue_seconds=float(m[1]))),
    _Words("cost after 5", rf"cost after {_S}", lambda m: Effect(cost_delay=float(m[1]))),
    _Words("forget", r"forget", lambda _: Effect(forget=True)),
)


def request_effect(words: str) -> Effect:
    """What a fault of a request does.

    Raises:
        UnknownFault: says which words are known.
    """
    return _read(words, _REQUEST_WORDS)


def job_effect(words: str) -> Effect:
    """How a job differs from others.

    Raises:
        UnknownFault: says which words are known.
    """
    return _read(words, _JOB_WORDS)


def merge(effects: list[Effect]) -> Effect:
    """Several effects at once: `latency 1` and `503` is a late 503. The later one counts where two disagree."""
    combined = Effect()
    for effect in effects:
        changed = {
            name: getattr(effect, name) for name in Effect.__slots__ if getattr(effect, name) != getattr(_NOTHING, name)
        }
        combined = replace(combined, **changed)
    return combined


_NOTHING = Effect()


def _read(words: str, table: tuple[_Words, ...]) -> Effect:
    plain = " ".join(words.split())
    for effect in table:
        match = re.fullmatch(effect.pattern, plain, re.IGNORECASE)
        if match:
            return effect.make(match)
    raise UnknownFault(f"{words!r} is not a fault; there are: {', '.join(effect.example for effect in table)}")
