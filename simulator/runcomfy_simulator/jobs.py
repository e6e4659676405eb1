"""What is known of one job. Only the queue changes a job's state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .catalog import Model
    from .fault_injection.rules import FaultRule, Phase
    from .media.spec import OutputSpec

State = Literal["in_queue", "in_progress", "succeeded", "failed", "cancelled"]
END_STATES: frozenset[State] = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """One accepted submit. Times are seconds of the simulator's clock, None while they lie ahead.

    `input` is the body as it was sent, `used_input` the part of it that has an effect, `size` the body's length in
    bytes. `rules` are the faults that the prompt asks for. `error` is what /result shows if the job is to fail: a
    string, an object or a list, as the API sends all three.
    """

    number: int
    request_id: str
    model: Model
    token: str
    input: Mapping[str, Any]
    used_input: Mapping[str, Any]
    spec: OutputSpec
    created: float
    ready: float
    run_seconds: float
    cost_delay: float
    size: int = 0
    rules: tuple[FaultRule, ...] = ()
    cost: float = 0.0
    error: object = None
    state: State = "in_queue"
    started: float | None = None
    ended: float | None = None

    @property
    def over(self) -> bool:
        return self.state in END_STATES

    @property
    def phase(self) -> Phase:
        if self.state == "in_queue":
            return "queued"
        return "running" if self.state == "in_progress" else "ended"

    @property
    def model_id(self) -> str:
        return self.model.model_id
