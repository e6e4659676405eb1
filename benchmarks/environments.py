"""The two virtual environments that measured processes run in, made when they are missing or out of date.

`plain` has what a user of the client has; start-up costs are measured there. `peers` has all we are compared with.
Both are below .venv-bench/, apart from the developers' own environment.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

from .paths import HOME, ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / ".venv-bench"
_OURS = {"plain": ".", "peers": ".[codegen,fast,simulator]"}


def prepare() -> None:
    """Make both environments, unless they are there."""
    for name, ours in _OURS.items():
        requirements = HOME / f"requirements-{name}.txt"
        stamp = FOLDER / name / ".ready"
        wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + requirements.read_bytes()).hexdigest()
        if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
            continue
        print(f"installing {requirements.relative_to(ROOT)} into {FOLDER.name}/{name} ...", file=sys.stderr, flush=True)
        venv.create(FOLDER / name, clear=True, with_pip=True)
        install = [str(_python(name)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--requirement", str(requirements), "--editable", ours], cwd=ROOT, check=True)
        stamp.write_text(wanted, encoding="ascii")


def plain() -> str:
    """The interpreter of the environment that a user of the client has."""
    return str(_python("plain"))


def peers() -> str:
    """The interpreter of the environment with everything we are compared with."""
    return str(_python("peers"))


def _python(name: str) -> Path:
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    return FOLDER / name / scripts / "python"
