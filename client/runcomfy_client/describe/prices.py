"""What a model costs, as far as the catalog says, and what a job will cost by that: an estimate, never a quote.

RunComfy's catalog lists a base price for one output or one second, which is neither a minimum nor a quote. How many
outputs or seconds a job makes is read off its input, else off the schema's defaults. Amounts that are added up are
whole microdollars, so that sums are exact.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from ..schema.containers import MISSING
from ..schema.nodes import Enum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..schema import ModelSpec, Node

MICRO = 1_000_000
# The names under which models take these, as far as their schemas are known.
_OUTPUTS = ("num_images", "num_outputs", "num_videos", "n", "batch_size", "max_images", "number_of_images", "count")
_SECONDS = ("duration", "duration_seconds", "seconds", "length_seconds", "video_length", "music_length_ms")
# For a model that is paid by the second and does not say how long its videos are.
UNKNOWN_SECONDS = 10.0


class Price(NamedTuple):
    """US dollars for one unit: "second", "job", or anything else for one output.

    In words it is "0.03 USD per output". The unit is the catalog's own text: the caller escapes it before printing.
    """

    usd: float
    unit: str

    def __str__(self) -> str:
        return f"{self.usd:g} USD{f' per {self.unit}' if self.unit else ''}"

    def times(self, *, jobs: float, outputs: float, seconds: float) -> float:
        """US dollars for so much."""
        return self.usd * {"second": seconds, "job": jobs}.get(self.unit, outputs)


def price_of(usd: float | None, unit: str) -> Price | None:
    """The base price of a model, as a catalog entry or a spec names it, if it names one."""
    if usd is None or not math.isfinite(usd):
        return None
    return Price(usd, unit.strip().lower())


def base_price(spec: ModelSpec) -> Price | None:
    """What the catalog said when the package was generated."""
    return price_of(spec.base_price_usd, spec.price_unit)


def outputs_of(spec: ModelSpec | None, payload: Mapping[str, object]) -> float:
    """How many outputs a job makes."""
    return max(_amount(spec, payload, _OUTPUTS) or 1.0, 1.0)


def seconds_of(spec: ModelSpec | None, payload: Mapping[str, object]) -> float:
    """How many seconds of video or sound a job makes; the longest that is possible where the input does not say."""
    seconds = _amount(spec, payload, _SECONDS)
    return UNKNOWN_SECONDS if seconds is None or seconds <= 0 else seconds


def job_estimate(price: Price, spec: ModelSpec | None, payload: Mapping[str, object]) -> float:
    """What one job will cost, in US dollars."""
    return price.times(jobs=1, outputs=outputs_of(spec, payload), seconds=seconds_of(spec, payload))


def micro(usd: float) -> int:
    """Whole microdollars, rounded up: an estimate that is too low spends more than was allowed."""
    return math.ceil(round(usd * MICRO, 3))


def micro_limit(usd: float) -> int:
    """Whole microdollars that may be spent, rounded down."""
    return int(usd * MICRO + 1e-6)


def dollars(amount: int | None) -> float | None:
    return None if amount is None else amount / MICRO


def _amount(spec: ModelSpec | None, payload: Mapping[str, object], names: tuple[str, ...]) -> float | None:
    known = spec.input.properties if spec is not None else {}
    for name in names:
        value = payload.get(name)
        if value is None and name not in known:
            continue
        if value is None:
            value = known[name].default
            if value is MISSING or _number(value) is None:
                value = _largest(known[name].node)
        number = _number(value)
        if number is not None:
            return number / 1000 if name.endswith("_ms") else number
    return None


def _largest(node: Node) -> object:
    if isinstance(node, Enum):
        numbers = [number for value in node.values if (number := _number(value)) is not None]
        return max(numbers, default=None)
    return None


def _number(value: object) -> float | None:
    """A number, also one in a text such as "5" or "5s"."""
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("s"))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None
