"""`python -m benchmarks [generation|imports|validation|client ...] [--quick]`: measure, print, write the page."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING

from . import chart, environments, page
from .machine import describe
from .places import CHART, PAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .report import Section

NAMES = ("imports", "generation", "validation", "client")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are named, else all; only a whole, full run rewrites the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="fewer models and rounds: a look, not a measurement")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    environments.prepare()
    line, versions = describe()
    print(line, ", ".join(f"{name} {version}" for name, version in versions.items()), sep="\n", flush=True)
    sections = [_measure(name, quick=options.quick) for name in options.names or NAMES]
    if options.quick or options.names:
        return 0
    PAGE.write_text(page.render(sections, line, versions), encoding="utf-8")
    CHART.write_text(chart.render(sections), encoding="utf-8")
    print(f"wrote {PAGE} and {CHART}")
    return 0


def _measure(name: str, *, quick: bool) -> Section:
    print(f"\nmeasuring {name} ...", file=sys.stderr, flush=True)
    section: Section = importlib.import_module(f".{name}", __package__).measure(quick=quick)
    print(page.as_text(section), flush=True)
    return section


if __name__ == "__main__":
    sys.exit(main())
