"""The pytest plugin in projects of its own: useful with the extra, harmless without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulator.test_command import BLOCKED

ROOT = Path(__file__).resolve().parents[2]
EXTRA = {
    "starlette",
    "uvicorn",
    "av",
    "yaml",
    "jsonschema",
    "jsonpatch",
    "httptools",
    "uvloop",
    "fontpkg_noto_sans",
    "PIL",
}


def run_pytest(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(project), "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-q", *arguments]
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def write(project: Path, **files: str) -> None:
    for name, text in files.items():
        (project / f"{name}.py").write_text(text, encoding="utf-8")


def test_a_project_uses_the_fixture(tmp_path: Path, schemas: Path) -> None:
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\nruncomfy_sim_schemas = {schemas}\naddopts = --strict-markers\n", "utf-8"
    )
    write(
        tmp_path,
        test_it="""
import httpx, pytest

def ask(sim, path):
    return httpx.get(sim.url + path, headers={"Authorization": f"Bearer {sim.token}"})

def test_defaults(runcomfy_sim):
    assert ask(runcomfy_sim, "/v1/models").json()["total"] == 4
    assert runcomfy_sim.accepted == 0 and runcomfy_sim.jobs == ()

@pytest.mark.runcomfy_sim(profile="nodes", balance=3)
class TestMarked:
    @pytest.mark.runcomfy_sim(balance=4)
    def test_nearest_wins(self, runcomfy_sim):
        assert ask(runcomfy_sim, "/prod/v2/balance").json()["balance_usd"] == 4
        assert runcomfy_sim.settings.profile.name == "nodes"

def test_script(runcomfy_sim):
    runcomfy_sim.script("balance 1: 503")
    assert [ask(runcomfy_sim, "/prod/v2/balance").status_code for _ in range(2)] == [503, 200]
""",
    )
    done = run_pytest(tmp_path)
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_without_the_extra_a_run_is_not_disturbed(tmp_path: Path) -> None:
    write(
        tmp_path,
        blocked=BLOCKED.format(names=EXTRA),
        test_plain="def test_plain(): pass\n",
        test_wants="def test_wants(runcomfy_sim): pass\n",
    )
    done = run_pytest(tmp_path, "-p", "blocked")
    assert "1 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert 'pip install "runcomfy-client[simulator]"' in done.stdout


def test_loading_the_plugin_loads_nothing_else(tmp_path: Path) -> None:
    write(
        tmp_path,
        test_loaded=f"import sys\ndef test_loaded(): assert not {EXTRA} & set(sys.modules)\n",
    )
    done = run_pytest(tmp_path)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.long
def test_the_example_project_passes() -> None:
    done = run_pytest(ROOT / "examples" / "pytest_project")
    assert " passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
