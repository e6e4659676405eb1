"""`python -m benchmarks [generation|imports|validation|client|batch ...] [--quick]`: measure, print, write the page."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING

from . import chart, environments, page
from .machine import describe
from .paths import CHART, FINDINGS, PAGE
from .report import SAVED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .report import Section

NAMES = ("imports", "generation", "validation", "client", "batch")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are named, else all; the page is rewritten with what was measured last of the others."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="fewer models and rounds: a look, not a measurement")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    environments.prepare()
    line, versions = describe()
    print(line, ", ".join(f"{name} {version}" for name, version in versions.items()), sep="\n", flush=True)
    for name in options.names or NAMES:
        section = _measure(name, quick=options.quick)
        if not options.quick:
            FINDINGS.mkdir(parents=True, exist_ok=True)
            (FINDINGS / f"{name}.json").write_bytes(SAVED.dump_json(section))
    if options.quick:
        return 0
    saved = [FINDINGS / f"{name}.json" for name in NAMES]
    if missing := [path.stem for path in saved if not path.exists()]:
        print(f"the page waits for: {', '.join(missing)}")
        return 0
    sections = [SAVED.validate_json(path.read_bytes()) for path in saved]
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
