"""Where things are."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(__file__).resolve().parent
PAGE = ROOT / "docs" / "benchmarks.md"
CHART = ROOT / "docs" / "benchmarks.svg"
# What was measured last, by benchmark.
FINDINGS = ROOT / ".cache" / "benchmarks"
