"""Generation does what changed and no more; margins are generous, since other work may share the machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.catalog import SOURCES, Catalog
from benchmarks.synthetic import make, write_schemas

if TYPE_CHECKING:
    from pathlib import Path


def shares(folder: Path, count: int) -> tuple[float, float]:
    """What a run costs with nothing changed, and with one model added, as shares of the run before them."""
    catalog = Catalog.at(folder, count)
    full, unchanged = (catalog.generate(python=sys.executable).cpu for _ in range(2))
    write_schemas([make(count + 1)[-1]], catalog.schemas)
    added = catalog.generate(python=sys.executable).cpu
    return unchanged / full, added / full


@pytest.mark.long
def test_little_is_done_for_little(tmp_path: Path) -> None:
    unchanged, added = shares(tmp_path, 40)
    assert unchanged < 1 / 4
    assert added < 1 / 2


def test_a_run_with_nothing_to_do_does_not_load_what_writes_code(tmp_path: Path) -> None:
    catalog = Catalog.at(tmp_path, 4)
    catalog.generate(python=sys.executable)
    arguments = ["", "generate", "--schemas", str(catalog.schemas), "--output", str(tmp_path / "out")]
    script = (
        f"import sys; sys.argv = {arguments!r}\n"
        "from runcomfy_codegen.console import run_guarded\n"
        "assert run_guarded() == 0\n"
        "print('loaded', *sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules = ran.stdout.rpartition("loaded ")[2].split()
    assert "runcomfy_codegen.generate" in modules
    assert not {"black", "datamodel_code_generator"} & set(modules)


@pytest.mark.long
def test_a_thousand_models_keep_the_shares_and_the_memory(tmp_path: Path) -> None:
    unchanged, added = shares(tmp_path, 1000)
    assert unchanged < 1.5 / 20
    assert added < 1.5 / 10
    shutil.rmtree(tmp_path / "out")
    catalog = Catalog(tmp_path, make(1000))
    assert catalog.generate(python=sys.executable, memory=True).peak_kib < 300 * 1024


@pytest.mark.long
def test_two_runs_from_nothing_write_the_same(tmp_path: Path) -> None:
    texts = []
    for seed in ("1", "2"):
        catalog = Catalog.at(tmp_path / seed, 200)
        command = [sys.executable, "-m", "runcomfy_codegen.console", "generate", "--schemas", str(catalog.schemas)]
        env = {**SOURCES, "PYTHONHASHSEED": seed}
        subprocess.run([*command, "--output", str(tmp_path / seed / "out")], env=env, check=True, capture_output=True)
        package = tmp_path / seed / "out" / "runcomfy"
        texts.append({path.relative_to(package): path.read_bytes() for path in package.rglob("*") if path.is_file()})
    assert texts[0] == texts[1]
