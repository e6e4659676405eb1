"""The limits of a batch."""

from __future__ import annotations

import dataclasses

from ..api.arguments import argument_error
from .plan import checked_amount

MOST = 1_000_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a run, as `client.batch` takes them."""

    concurrency: int = 100
    submits: int = 4
    rate: float | None = None
    budget: float | None = None
    max_failures: int | None = None
    max_unsure: int = 10
    timeout: float | None = None
    download: bool = True


def checked_limits(limits: Limits) -> Limits:
    """Raises ConfigurationError for a limit that makes no sense."""
    for name, least in (("concurrency", 1), ("submits", 1), ("max_unsure", 1), ("max_failures", 0)):
        value = getattr(limits, name)
        if value is None and name == "max_failures":
            continue
        if type(value) is not int or not least <= value <= MOST:
            raise argument_error(name, value, f"a whole number from {least} to {MOST:,}")
    for name in ("rate", "timeout"):
        value = getattr(limits, name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0):
            raise argument_error(name, value, "a number above 0, or None")
    checked_amount("budget", limits.budget)
    return limits
