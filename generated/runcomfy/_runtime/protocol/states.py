"""The state rule: what the API's words mean, under every source that documents them."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

QUEUED = "in_queue"
RUNNING = "in_progress"
COMPLETED = "completed"
FAILED = "failed"
CANCELLED = "cancelled"

_WORDS = {
    "in_queue": QUEUED,
    "queued": QUEUED,
    "pending": QUEUED,
    "waiting": QUEUED,
    "in_progress": RUNNING,
    "starting": RUNNING,
    "processing": RUNNING,
    "running": RUNNING,
    "completed": COMPLETED,
    "succeeded": COMPLETED,
    "failed": FAILED,
    "cancelled": CANCELLED,
    "canceled": CANCELLED,
}
OVER = frozenset({COMPLETED, FAILED, CANCELLED})


def state_of(word: object) -> tuple[str, bool]:
    """The state a reply's ``status`` stands for, and whether the word is known. An unknown one means: still running."""
    text = word.strip().lower() if isinstance(word, str) else ""
    return (_WORDS[text], True) if text in _WORDS else (text or RUNNING, False)


class Verdict(Enum):
    """What a reply of /result says about the job."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EMPTY = "over, but without an output"


class Judged(NamedTuple):
    verdict: Verdict
    state: str
    known: bool


def judge(body: dict[str, object]) -> Judged:
    """Read a /result reply: only an output beside `succeeded` or `completed` is a success."""
    state, known = state_of(body.get("status"))
    return Judged(_verdict(state, body), state, known)


def _verdict(state: str, body: dict[str, object]) -> Verdict:
    if state == FAILED:
        return Verdict.FAILED
    if state == CANCELLED:
        return Verdict.CANCELLED
    if state != COMPLETED:
        return Verdict.RUNNING
    if body.get("output"):
        return Verdict.SUCCEEDED
    return Verdict.FAILED if body.get("error") else Verdict.EMPTY
