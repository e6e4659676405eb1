"""What a benchmark found, as values: sections of rows, each one figure of ours beside a peer's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from .harness import Spread  # noqa: TC001 - read at run time, to load saved sections


@dataclass(frozen=True, slots=True)
class Target:
    """The bound a figure should keep: on the ratio where there is a peer, else on the figure itself."""

    bound: float
    sense: Literal["<=", ">="] = "<="

    def met_by(self, value: float) -> bool:
        """Whether `value` keeps the bound."""
        return value <= self.bound if self.sense == "<=" else value >= self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table; with a peer, `ratio` is ours divided by the peer's, pair by pair."""

    what: str
    ours: Spread
    unit: str
    peer: str | None = None
    theirs: Spread | None = None
    ratio: Spread | None = None
    target: Target | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is kept by the median; None without a target."""
        if self.target is None:
            return None
        return self.target.met_by((self.ratio or self.ours).median)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The findings of one benchmark.

    `method` says in a few sentences what was run; `notes` what a reader must know to judge the figures.
    """

    name: str
    title: str
    method: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


SAVED = TypeAdapter(Section)
