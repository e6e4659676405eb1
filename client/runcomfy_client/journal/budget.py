"""A budget of submits: what the jobs of some time may cost, and how many they may be.

    options={"job_key": "scene-12", "budget": Budget(max_cost=5.0, max_jobs=20, estimate=0.08)}

It holds for whatever is written to the journal, by this process or another, and so outlives a restart.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..describe.prices import micro
from ..errors import ConfigurationError

MOST_USD = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What the submits of the last ``hours`` may cost together, this one included. Needs a journal.

    max_cost: US dollars. A job costs what RunComfy has stated, and until then its ``estimate``. Since estimates are no
        quotes, the sum may end above it. None: no bound.
    max_jobs: how many submits there may be; those that were refused do not count. Exact. None: no bound.
    estimate: US dollars this job is estimated at. None: not known, and refused where there is a ``max_cost``.

    Raises ConfigurationError for what is no amount, no count or no time.
    """

    max_cost: float | None = None
    max_jobs: int | None = None
    estimate: float | None = None
    hours: float = 24.0

    def __post_init__(self) -> None:
        for name in ("max_cost", "estimate"):
            value = getattr(self, name)
            if value is not None and not _is_number(value, MOST_USD):
                raise ConfigurationError(f"The budget's {name} is {value!r:.80}; it must be an amount of US dollars.")
        if self.max_jobs is not None and not (type(self.max_jobs) is int and self.max_jobs >= 0):
            raise ConfigurationError(f"The budget's max_jobs is {self.max_jobs!r:.80}; it must be a whole number.")
        if not _is_number(self.hours, 1e6) or not self.hours:
            raise ConfigurationError(f"The budget's hours are {self.hours!r:.80}; they must be a number above 0.")

    @property
    def reserve(self) -> int | None:
        """The estimate in whole microdollars, rounded up."""
        return None if self.estimate is None else micro(self.estimate)


def _is_number(value: object, most: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= most
