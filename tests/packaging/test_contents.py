"""Wheel and sdist hold what they need and nothing else, and the sdist builds the same wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INFO = f"runcomfy_client-{PROJECT['version']}.dist-info"
# Where each folder of the wheel comes from.
SOURCES = {
    "runcomfy": "generated/runcomfy",
    "runcomfy_codegen": "codegen/runcomfy_codegen",
    "runcomfy_client": "client/runcomfy_client",
    "runcomfy_codegen/_data/templates": "templates",
    "runcomfy_codegen/_data/schemas": "schemas",
    "runcomfy_mcp": "agents/runcomfy_mcp",
    "runcomfy_simulator": "simulator/runcomfy_simulator",
    "runcomfy_studio": "studio/runcomfy_studio",
}
# What a client costs its user; each of these was weighed.
BASE = {"httpx", "pillow", "pydantic", "regex", "sniffio", "tinytag"}


def build(target: str, source: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (made,) = folder.iterdir()
    return made


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return contents(build("wheel", ROOT, tmp_path_factory.mktemp("wheel")))


def test_the_wheel_is_the_tree(wheel: dict[str, bytes]) -> None:
    expected = {
        f"{target}/{path.relative_to(ROOT / source).as_posix()}": path.read_bytes()
        for target, source in SOURCES.items()
        for path in (ROOT / source).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = {name: data for name, data in wheel.items() if not name.startswith(INFO)}
    assert found.keys() == expected.keys()
    assert not [name for name, data in found.items() if data != expected[name]]


def test_nothing_of_the_workshop_is_shipped(wheel: dict[str, bytes], sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        shipped = [name.partition("/")[2] for name in archive.getnames()]
    for name in (*wheel, *shipped):
        parts = name.split("/")
        assert not {"tests", "benchmarks", "examples", "docs", "__pycache__"} & {*parts}, name
        assert name == ".gitignore" or not any(part.startswith(".") for part in parts), name
        assert not name.endswith((".pyc", ".sqlite", ".orig", "~")), name


def test_the_sdist_builds_the_same_wheel(wheel: dict[str, bytes], sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    (tmp_path / "built").mkdir()
    again = contents(build("wheel", source, tmp_path / "built"))
    assert again.keys() == wheel.keys()
    assert not [name for name, data in again.items() if data != wheel[name]]


def test_metadata(wheel: dict[str, bytes]) -> None:
    metadata = message_from_bytes(wheel[f"{INFO}/METADATA"])
    assert metadata["Requires-Python"] == ">=3.11"
    assert {*metadata.get_all("Provides-Extra", [])} == {*PROJECT["optional-dependencies"]}
    needed = {re.split(r"[^\w-]", line)[0] for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line}
    assert needed == BASE
    assert (ROOT / "README.md").read_text(encoding="utf-8") in wheel[f"{INFO}/METADATA"].decode()
    assert f"{INFO}/licenses/LICENSE" in wheel


def test_entry_points_lead_to_functions(wheel: dict[str, bytes]) -> None:
    text = wheel[f"{INFO}/entry_points.txt"].decode()
    named = dict(line.split(" = ") for line in text.splitlines() if " = " in line)
    assert named.keys() == {"runcomfy-client", "runcomfy-codegen", "runcomfy-sim", "runcomfy_sim"}
    for target in named.values():
        module, _, function = target.partition(":")
        source = wheel[f"{module.replace('.', '/')}.py"].decode()
        assert not function or f"\ndef {function}(" in source


@pytest.mark.long
def test_in_empty_environments() -> None:
    """All of nox, for each Python that is there: minutes, and it asks the package registry."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "nox"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
