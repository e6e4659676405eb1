"""What the figures were measured on: the machine, the interpreter, the versions of everything compared."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

from .environments import peers
from .harness import run

COMPARED = (
    "pydantic",
    "httpx",
    "aiohttp",
    "httpx-aiohttp",
    "datamodel-code-generator",
    "black",
    "openapi-python-client",
    "ruff",
    "jsonschema",
    "fastjsonschema",
    "jsonschema-rs",
    "fal-client",
)
_ASK = """
import importlib.metadata, json, platform, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps({"python": platform.python_version(), "versions": found}))
"""


def describe() -> tuple[str, dict[str, str]]:
    """One line about the machine and interpreter, and the versions of what is compared."""
    answer = json.loads(run([peers(), "-c", _ASK, *COMPARED]).stdout)
    line = (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]},"
        f" CPython {answer['python']}"
    )
    return line, answer["versions"]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
