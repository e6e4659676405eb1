"""Each folder of tests/cases/ is a store and what the command line makes of it: `expected/`, stdout.txt, stderr.txt.

`command.txt` holds the arguments (default: generate). What is the same for every store (the root module,
the manifest) is not recorded. `pytest tests/codegen --update` records anew.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runcomfy_codegen.cli import run

if TYPE_CHECKING:
    from collections.abc import Mapping

CASES = Path(__file__).parents[1] / "cases"
SAME_EVERYWHERE = ("__init__.py", "__main__.py", "_manifest.json", "py.typed")
CURE = "To record what it gives now: pytest tests/codegen --update"


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir() if path.is_dir()))
def test_case(
    case: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = CASES / case
    shutil.copytree(folder / "schemas", tmp_path / "schemas")
    monkeypatch.chdir(tmp_path)
    command = folder / "command.txt"
    words = command.read_text(encoding="utf-8").split() if command.exists() else ["generate", "--output", "generated"]
    status = run([*words, "--schemas", "schemas"])
    out, err = capsys.readouterr()
    found = {"stdout.txt": _without_counts(out).encode(), "stderr.txt": f"{err}[exit {status}]\n".encode()}
    found |= _outcome(tmp_path, folder)
    recorded = {path: (folder / path).read_bytes() for path in _recorded(folder)}
    if request.config.getoption("--update", default=False):
        _record(folder, found)
    else:
        assert _decoded(found) == _decoded(recorded), CURE


def _without_counts(out: str) -> str:
    # How many files the package has is not what a case is about.
    lines = [line for line in out.splitlines() if "/" not in line.split(":")[0] and "... and" not in line]
    return "".join(f"{line}\n" for line in lines if not line.startswith("generated"))


def _outcome(folder: Path, case: Path) -> Mapping[str, bytes]:
    """What was written: the package, and names.json if it changed."""
    package = folder / "generated" / "runcomfy"
    files = [path for path in package.rglob("*") if path.is_file()]
    found = {
        f"expected/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in files
        if path.relative_to(package).parts[0] not in SAME_EVERYWHERE
    }
    names = folder / "schemas" / "names.json"
    before = case / "schemas" / "names.json"
    if names.exists() and not (before.exists() and before.read_bytes() == names.read_bytes()):
        found["expected/names.json"] = names.read_bytes()
    return found


def _recorded(folder: Path) -> list[str]:
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if path in ("stdout.txt", "stderr.txt") or path.startswith("expected/")]


def _record(folder: Path, found: Mapping[str, bytes]) -> None:
    shutil.rmtree(folder / "expected", ignore_errors=True)
    for path, content in found.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _decoded(files: Mapping[str, bytes]) -> Mapping[str, str]:
    return {path: content.decode() for path, content in sorted(files.items())}
