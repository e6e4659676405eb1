"""What all rules of one client share: its settings, its pause after a 429, its journal, its hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..hooks import Hooks
    from ..journal import Journal
    from ..transport.config import Config
    from .timing import CoolDown


class Session(NamedTuple):
    config: Config
    validate: bool
    journal: Journal | None
    hooks: Hooks
    cool_down: CoolDown


class JobRef(NamedTuple):
    """A job as the rules know it. ``since`` is when this process submitted it (monotonic seconds), else None.

    ``input`` is the payload with what is large left out, ``input_urls`` the web addresses in it.
    """

    request_id: str
    model_id: str | None = None
    since: float | None = None
    input: object = None
    input_urls: frozenset[str] = frozenset()
