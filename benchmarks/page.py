"""Sections to docs/benchmarks.md: numbers become words here, the template only places them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .paths import HOME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .harness import Spread
    from .report import Row, Section, Target

DIGITS = 3


def environment(*, autoescape: bool) -> Environment:
    """The templates of this folder."""
    return Environment(
        loader=FileSystemLoader(HOME / "templates"),
        undefined=StrictUndefined,
        autoescape=autoescape,
        keep_trailing_newline=True,
    )


def render(sections: Sequence[Section], machine: str, versions: Mapping[str, str]) -> str:
    """The page as Markdown."""
    return (
        environment(autoescape=False)
        .get_template("page.md.jinja")
        .render(
            machine=machine,
            versions=", ".join(f"{name} {version}" for name, version in versions.items()),
            sections=[
                {
                    "title": section.title,
                    "method": section.method,
                    "rows": [_words(row) for row in section.rows],
                    "notes": section.notes,
                }
                for section in sections
            ],
        )
    )


def as_text(section: Section) -> str:
    """The section for a terminal, a line per row."""
    lines = [section.title]
    for row in section.rows:
        words = _words(row)
        against = f" vs {words['peer']} {words['theirs']} = {words['ratio']}" if row.peer else ""
        target = f"  (target {words['target']}: {words['verdict']})" if row.target else ""
        lines.append(f"  {words['what']}: {words['ours']}{against}{target}")
    return "\n".join(lines)


def number(value: float) -> str:
    """`value` with three significant digits and no exponent."""
    if value == 0:
        return "0"
    if abs(value) >= 10**DIGITS:
        return f"{round(value):,}"
    return f"{value:.{DIGITS}g}"


def _words(row: Row) -> dict[str, str]:
    met = row.met
    return {
        "what": row.what,
        "ours": _figure(row.ours, row.unit),
        "peer": row.peer or "",
        "theirs": _figure(row.theirs, row.unit) if row.theirs else "",
        "ratio": _figure(row.ratio, "×") if row.ratio else "",
        "target": _bound(row.target, "×" if row.ratio else row.unit) if row.target else "",
        "verdict": "" if met is None else "kept" if met else "**missed**",
    }


def _bound(target: Target, unit: str) -> str:
    return f"{'≤' if target.sense == '<=' else '≥'} {number(target.bound)}{_unit(unit)}"


def _figure(spread: Spread, unit: str) -> str:
    if spread.low == spread.high:
        return f"{number(spread.median)}{_unit(unit)}"
    return f"{number(spread.median)}{_unit(unit)} [{number(spread.low)}–{number(spread.high)}]"


def _unit(unit: str) -> str:
    return unit if unit == "×" else f" {unit}" if unit else ""
