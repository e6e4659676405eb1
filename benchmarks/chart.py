"""Sections to docs/benchmarks.svg: one bar per row that has a peer, on a logarithmic axis around 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from .page import environment, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .report import Row, Section

WIDTH, LABEL_END, LEFT, RIGHT = 900, 430, 440, 830
TOP, LINE, HEADING = 60, 20, 26
LOWEST, HIGHEST = 0.005, 5.0
TICKS = (0.01, 0.05, 0.2, 1.0, 2.0, 5.0)
CHEAPER, DEARER, MISSED = "#2f9e6e", "#5b8bd0", "#d9822b"


class _Bar(NamedTuple):
    y: int
    label: str
    x: float
    width: float
    colour: str
    target: float | None
    value: str


def render(sections: Sequence[Section]) -> str:
    """The chart as SVG text."""
    y = TOP
    headings: list[dict[str, object]] = []
    bars: list[_Bar] = []
    for section in sections:
        rows = [row for row in section.rows if row.ratio is not None]
        if not rows:
            continue
        headings.append({"y": y + 16, "text": section.title})
        y += HEADING
        for row in rows:
            bars.append(_bar(row, y))
            y += LINE
        y += LINE // 2
    return (
        environment(autoescape=True)
        .get_template("chart.svg.jinja")
        .render(
            width=WIDTH,
            height=y + 30,
            label_end=LABEL_END,
            ticks=[{"x": _x(tick), "label": f"{number(tick)}×", "unity": tick == 1} for tick in TICKS],
            headings=headings,
            bars=bars,
        )
    )


def _bar(row: Row, y: int) -> _Bar:
    assert row.ratio is not None
    value = row.ratio.median
    ends = sorted((_x(1.0), _x(value)))
    colour = MISSED if row.met is False else CHEAPER if value <= 1 else DEARER
    return _Bar(
        y=y,
        label=f"{row.what} / {row.peer}".replace("`", ""),
        x=ends[0],
        width=max(1.0, round(ends[1] - ends[0], 1)),
        colour=colour,
        target=_x(row.target.bound) if row.target else None,
        value=f"{number(value)}×",
    )


def _x(ratio: float) -> float:
    kept = min(HIGHEST, max(LOWEST, ratio))
    share = math.log(kept / LOWEST) / math.log(HIGHEST / LOWEST)
    return round(LEFT + share * (RIGHT - LEFT), 1)
