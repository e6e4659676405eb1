"""The same schemas give the same bytes, whatever the hash seed, the working directory, the locale, the way to them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codegen.conftest import tree_of

REPOSITORY = Path(__file__).parents[2]
WAYS = {
    "one seed": {"PYTHONHASHSEED": "1"},
    "another seed and locale": {"PYTHONHASHSEED": "2", "LC_ALL": "C", "PYTHONUTF8": "0", "TZ": "Asia/Tokyo"},
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_bytes(way: str, tmp_path: Path) -> None:
    expected = tree_of(REPOSITORY / "generated" / "runcomfy")
    schemas = tmp_path / "store with spaces"
    shutil.copytree(REPOSITORY / "schemas", schemas)
    (schemas / "names.json").unlink()
    # Whoever works here has another taste; it must not show.
    (tmp_path / "pyproject.toml").write_text("[tool.black]\nline-length = 60\n")
    command = [
        sys.executable,
        "-m",
        "runcomfy_codegen.console",
        "generate",
        "--output",
        "out",
        "--schemas",
        schemas.name,
    ]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, **WAYS[way]}, check=True, capture_output=True)
    found = tree_of(tmp_path / "out" / "runcomfy")
    assert found.keys() == expected.keys()
    assert [path for path in found if found[path] != expected[path]] == []
    assert (schemas / "names.json").read_bytes() == (REPOSITORY / "schemas" / "names.json").read_bytes()
