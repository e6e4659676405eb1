"""Tools from npm, installed once below .cache; a test that needs one is skipped aloud where there is no node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

CACHE = Path(__file__).parents[2] / ".cache" / "npm"


def installed(*packages: str) -> Path:
    """The folder with these packages (`name@version`) below its node_modules."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip(f"needs node and npm: {', '.join(packages)}")
    folder = CACHE / "+".join(each.replace("/", "_") for each in packages)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not (folder / ".complete").exists():
            command = ["npm", "install", "--silent", "--no-package-lock", "--no-audit", "--prefix", str(folder)]
            done = subprocess.run([*command, *packages], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                pytest.skip(f"npm cannot install {', '.join(packages)}: {done.stderr[-200:]}")
            (folder / ".complete").touch()
    return folder
