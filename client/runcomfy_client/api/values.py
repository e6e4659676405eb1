"""The values that the rules return: where a job stands, the answer to a cancel, a file, the progress of a download."""

from __future__ import annotations

from dataclasses import dataclass, field

LARGEST = 2 * 1024**3  # as the official command line allows


@dataclass(frozen=True, slots=True, kw_only=True)
class JobUpdate:
    """Where a job stands.

    ``state`` is in_queue, in_progress, completed, failed or cancelled, or the API's own word if that is a new one.
    ``queue_position`` is there only while queued; RunComfy does not say whether it counts from 0 or 1. ``elapsed`` is
    in seconds, since the submit if this process made it, else since the first look.
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
class Cancellation:
    """What came of a cancel. Only queued jobs can be cancelled; ``outcome`` is the API's word."""

    request_id: str
    cancelled: bool
    outcome: str
    raw: dict[str, object] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return "cancelled" if self.cancelled else f"not cancelled ({self.outcome})"


@dataclass(frozen=True, slots=True)
class File:
    """A file a job brought. ``kind`` is image, video, audio or file; ``url`` expires after a time nobody publishes."""

    url: str
    kind: str = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadProgress:
    """How much of a file has come, in bytes; ``total`` is None if the server does not say."""

    file: File
    received: int
    total: int | None
