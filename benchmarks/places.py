"""Where things are: the peers' interpreter, our sources, the room for generated files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(__file__).resolve().parent
PAGE = ROOT / "docs" / "benchmarks.md"
CHART = ROOT / "docs" / "benchmarks.svg"


def python() -> str:
    """The interpreter that all measured processes share, ours and the peers': `$BENCH_PYTHON`, else .venv-bench."""
    chosen = os.environ.get("BENCH_PYTHON")
    if chosen:
        return chosen
    peers = ROOT / ".venv-bench" / "bin" / "python"
    if not peers.exists():
        sys.exit("The peers are not installed; `make bench` installs them into .venv-bench (or set BENCH_PYTHON).")
    return str(peers)
