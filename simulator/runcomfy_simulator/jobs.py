"""What is known of one job. States change only in the queue; here they are only read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .catalogue import Model
    from .faults.rules import Rule
    from .media.order import Order

State = Literal["in_queue", "in_progress", "succeeded", "failed", "cancelled"]
ENDED: frozenset[State] = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """One accepted submit. Moments are seconds of the simulator's clock, None while they lie ahead.

    `size` is that of the request's body in bytes, `rules` are the faults its prompt asked for,
    `error` is what /result tells if the job is to fail: a string, an object or a list, as the API sends all three.
    """

    number: int
    request_id: str
    model: Model
    token: str
    input: Mapping[str, Any]
    order: Order
    created: float
    ready: float
    run_seconds: float
    cost_delay: float
    size: int = 0
    rules: tuple[Rule, ...] = ()
    cost: float = 0.0
    error: object = None
    state: State = "in_queue"
    started: float | None = None
    ended: float | None = None

    @property
    def over(self) -> bool:
        return self.state in ENDED

    @property
    def model_id(self) -> str:
        return self.model.model_id
