"""The command line: each command asks the same judge and the same client as Python code does, and tells what it got."""

from __future__ import annotations
