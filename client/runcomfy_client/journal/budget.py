"""A budget of submits: what the jobs of some time may cost, and how many they may be.

    options={"job_key": "scene-12", "budget": Budget(max_cost=5.0, max_jobs=20, estimate=0.08)}

It holds for whatever is written to the journal, by this process or another, and so outlives a restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..describe.prices import MICRO, micro, micro_limit
from ..errors import BudgetExceededError, ConfigurationError
from ..schema.messages import amount

MOST_USD = 1e9


class Spending(NamedTuple):
    """What the entries of some time amount to: how many were not refused, their costs, and the estimates of those whose
    cost is not known. Amounts are whole microdollars.
    """

    jobs: int
    spent: int
    reserved: int


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

    def check(self, model_id: str, spending: Spending) -> None:
        """Raises BudgetExceededError unless a submit of this model fits beside this spending."""
        spent, reserved, span = spending.spent / MICRO, spending.reserved / MICRO, f"{self.hours:g} hours"
        if self.max_jobs is not None and spending.jobs >= self.max_jobs:
            submits = f"{spending.jobs} {'was' if spending.jobs == 1 else 'were'} submitted"
            message = f"The budget of {amount(self.max_jobs, 'job')} in {span} is used up: {submits}."
        elif self.max_cost is None:
            return
        elif self.reserve is None:
            message = f"No price of {model_id} is known, so a budget of {self.max_cost:g} USD cannot hold it."
        elif spending.spent + spending.reserved + self.reserve > micro_limit(self.max_cost):
            message = (
                f"This job, estimated at {self.estimate:g} USD, does not fit into the budget of {self.max_cost:g} USD"
                f" in {span}: {spent:g} USD are spent, {reserved:g} USD reserved for jobs whose cost is not known yet."
            )
        else:
            return
        raise BudgetExceededError(
            f"{message} Nothing was sent.",
            spent=spent,
            reserved=reserved,
            jobs=spending.jobs,
            estimate=self.estimate,
            model_id=model_id,
        )


def _is_number(value: object, most: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= most
