"""`pytest tests/codegen --update` records what the cases of tests/cases/ give now; look at the difference before you commit it."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="record the outcome of tests/cases/ anew")
