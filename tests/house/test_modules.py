"""Every hand-written module has one docstring line that says its rule, and can be read in one sitting."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("benchmarks", "codegen", "docs", "examples", "simulator", "tests")
# Recorded output, which reads as it was generated.
RECORDED = ("tests/cases",)
# 300 is what one aims at; this is where it stops.
MOST_LINES = 400

MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "noxfile.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py")))
    if not any(path.is_relative_to(ROOT / each) for each in RECORDED)
)


def test_all_rooms_are_looked_at() -> None:
    assert {path.partition("/")[0] for path in MODULES} >= {"codegen", "simulator", "tests"}
    assert len(MODULES) > 150


@pytest.mark.parametrize("path", MODULES)
def test_a_module(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = text.count("\n")
    assert lines <= MOST_LINES, f"{lines} lines: two jobs, most likely; split it"
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, 'it needs a first line that says its rule: """..."""'
    # A headline need not be a sentence, but it must be whole.
    assert docstring.split("\n\n")[0].strip()[-1] in ".!?:`)\"'", docstring
