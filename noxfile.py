"""`nox` tries what is shipped: wheel and sdist are built, installed into empty environments, and used, on every Python.

An interpreter that is not on this machine is skipped, and nox says so. The environments lie in .nox/.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYTHONS = ["3.11", "3.12", "3.13"]
DIST = ROOT / ".nox" / "dist"
CHECKS = ROOT / "tests" / "packaging" / "installed.py"

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["base", "extras", "own_package"]


def _wake_pyenv() -> None:
    """pyenv's `python3.12` answers only if a 3.12 is chosen; choose the newest of each that it has."""
    if "PYENV_VERSION" in os.environ or not shutil.which("pyenv"):
        return
    listed = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False).stdout.split()
    newest = {".".join(version.split(".")[:2]): version for version in listed}
    os.environ["PYENV_VERSION"] = ":".join(newest[each] for each in PYTHONS if each in newest)


_wake_pyenv()


@nox.session
def build(session: nox.Session) -> None:
    """Make wheel and sdist of the tree as it is, in .nox/dist."""
    shutil.rmtree(DIST, ignore_errors=True)
    session.install("hatchling")
    session.run("python", "-m", "hatchling", "build", "-d", str(DIST))
    # pip keeps the wheel that it makes of an sdist by its address, and would install the one of an earlier build.
    session.run("python", "-m", "pip", "cache", "remove", "runcomfy_client", success_codes=[0, 1])


@nox.session(python=PYTHONS, requires=["build"])
def base(session: nox.Session) -> None:
    """The wheel alone: import, validate, and what the commands say whose extra is missing."""
    session.install(str(_built("*.whl")))
    _run_check(session, "base")
    # What a project does that merely has the client among its dependencies: the plugin must be no burden.
    session.install("pytest")
    _run_check(session, "plugin")


@nox.session(python=PYTHONS, requires=["build"])
def extras(session: nox.Session) -> None:
    """The sdist with all extras: generate from an empty folder, serve, run a job, write the reference."""
    session.install(f"runcomfy-client[cli,codegen,simulator,studio] @ {_built('*.tar.gz').as_uri()}")
    _run_check(session, "extras")


@nox.session(python=PYTHONS[0], requires=["build"])
def own_package(session: nox.Session) -> None:
    """docs/own-package.md, step by step, and PyInstaller."""
    session.install(f"runcomfy-client[cli,codegen,simulator] @ {_built('*.whl').as_uri()}", "mypy", "pytest")
    _run_check(session, "own")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests of the repository; not part of plain `nox`."""
    session.install("--editable", ".[dev]")
    session.run(
        "python", "-m", "pytest", "-n", "2", "--dist", "worksteal", "-q", *(session.posargs or ["-m", "not long"])
    )


def _built(pattern: str) -> Path:
    (made,) = DIST.glob(pattern)
    return made.resolve()


def _run_check(session: nox.Session, name: str) -> None:
    """Run a check in an empty folder, outside of the checkout: nothing of it is picked up by accident."""
    with tempfile.TemporaryDirectory(prefix="runcomfy-") as folder, session.chdir(folder):
        session.run("python", "-I", str(CHECKS), name, env={"PYTHONPATH": "", "XDG_STATE_HOME": f"{folder}/state"})
