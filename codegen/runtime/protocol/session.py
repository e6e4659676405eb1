"""What all rules of one client share: its settings, its pause after a 429, its journal."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .timing import CoolDown

if TYPE_CHECKING:
    from ..transport.config import Config

log = logging.getLogger("runcomfy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    config: Config
    validate: bool = True
    cool_down: CoolDown = field(default_factory=CoolDown)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRef:
    """A job as the rules know it. ``since`` is when this process submitted it (monotonic seconds), else None."""

    request_id: str
    model_id: str | None = None
    since: float | None = None
    input: object = None
    input_urls: frozenset[str] = frozenset()
