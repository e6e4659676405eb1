"""What all rules of one client share: its settings, its pause after a 429, its journal, its hooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..hooks import Hooks
from .timing import CoolDown

if TYPE_CHECKING:
    from ..journal import Journal
    from ..transport.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    config: Config
    validate: bool = True
    journal: Journal | None = None
    hooks: Hooks = field(default_factory=lambda: Hooks(None))
    cool_down: CoolDown = field(default_factory=CoolDown)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRef:
    """A job as the rules know it. ``since`` is when this process submitted it (monotonic seconds), else None.

    ``input`` is the payload with what is large left out, ``input_urls`` the web addresses in it.
    """

    request_id: str
    model_id: str | None = None
    since: float | None = None
    input: object = None
    input_urls: frozenset[str] = frozenset()
