"""The values that the rules return: where a job stands, the answer to a cancel, a file, the progress of a download."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Self

LARGEST = 2 * 1024**3  # as the official command line allows


@dataclass(frozen=True, slots=True, kw_only=True)
class JobUpdate:
    """Where a job stands.

    ``state`` is in_queue, in_progress, completed, failed or cancelled, or the API's own word if that is a new one.
    ``queue_position`` is there only while queued; RunComfy does not say whether it counts from 0 or 1. ``elapsed`` is
    in seconds, since the submit if this process made it or the journal has it, else since the first poll.
    """

    request_id: str
    state: str
    queue_position: int | None = None
    elapsed: float = 0.0
    model_id: str | None = None
    raw: dict[str, object] = field(default_factory=dict, repr=False)

    @property
    def over(self) -> bool:
        return self.state in ("completed", "failed", "cancelled")

    def __str__(self) -> str:
        place = "" if self.queue_position is None else f", position {self.queue_position}"
        return f"{self.state}{place} ({self.elapsed:.1f} s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PollState:
    """What is known of a job between two polls. `to_dict` makes JSON of it, from which another process can continue.

    Times are in seconds since 1970. ``state`` and ``queue_position`` are those last seen, None before; ``over`` is
    True when the job has ended. The other fields belong to the polling; `runcomfy_client.api.poll` explains them.
    """

    begun_at: float
    state_since: float
    state: str | None = None
    queue_position: int | None = None
    over: bool = False
    queue_start: tuple[int, float] | None = None  # where in the queue it was first seen, and when
    misses: int = 0  # in a row
    last_miss: str | None = None
    not_found: bool = False  # the last miss was a 404
    contradictions: int = 0
    unknown_states: tuple[str, ...] = ()
    ended: dict[str, object] | None = None  # the reply of /status that says the job is over

    def to_dict(self) -> dict[str, object]:
        """A dict that JSON can hold."""
        values = {option.name: getattr(self, option.name) for option in fields(self)}
        start = None if self.queue_start is None else list(self.queue_start)
        return {**values, "queue_start": start, "unknown_states": list(self.unknown_states)}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """The state that `to_dict` wrote down; keys of a later version are left out. Raises ConfigurationError."""
        arguments: dict[str, object] = {}
        for name, fits in _POLL_STATE.items():
            if name in values or name in ("begun_at", "state_since"):
                value = values.get(name)
                if not fits(value):
                    raise ConfigurationError(f"This is no PollState: its {name} is {value!r:.80}.")
                arguments[name] = tuple(value) if isinstance(value, list) else value
        return cls(**arguments)  # type: ignore[arg-type]  # each was just checked


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_start(value: object) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2 and _is_count(value[0]) and _is_time(value[1])


_POLL_STATE: dict[str, Callable[[Any], bool]] = {
    "begun_at": _is_time,
    "state_since": _is_time,
    "state": lambda value: value is None or isinstance(value, str),
    "queue_position": lambda value: value is None or _is_count(value),
    "over": lambda value: isinstance(value, bool),
    "queue_start": lambda value: value is None or _is_start(value),
    "misses": _is_count,
    "last_miss": lambda value: value is None or isinstance(value, str),
    "not_found": lambda value: isinstance(value, bool),
    "contradictions": _is_count,
    "unknown_states": lambda value: isinstance(value, (list, tuple)) and all(isinstance(state, str) for state in value),
    "ended": lambda value: value is None or isinstance(value, dict),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """The answer to a cancel. Only queued jobs can be cancelled; ``outcome`` is the API's word."""

    request_id: str
    cancelled: bool
    outcome: str
    raw: dict[str, object] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return "cancelled" if self.cancelled else f"not cancelled ({self.outcome})"


@dataclass(frozen=True, slots=True)
class FileData:
    """A file of a result. ``kind`` is image, video, audio or file; ``url`` expires after an unpublished time."""

    url: str
    kind: str = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadProgress:
    """How much of a file has been received, in bytes; ``total`` is None if the server does not say."""

    file: FileData
    received: int
    total: int | None
