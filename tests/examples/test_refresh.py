"""The steps of the refresh workflow, as GitHub would run them, against a simulator that serves a changed catalog."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from runcomfy_simulator import Simulator

from tests.support.codegen import input_of, write_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "examples" / "refresh" / "refresh.yml"
PROJECT = '[tool.runcomfy]\nschemas = "schemas"\noutput = "src"\npackage = "ourmodels"\n'
# GitHub's command line, as far as the workflow uses it: pull requests are files.
GH = """#!/bin/sh
case "$1 $2" in
"pr list") cat "$PULL_REQUESTS/number" 2>/dev/null || true ;;
"pr create") echo 7 > "$PULL_REQUESTS/number"; echo "$6" > "$PULL_REQUESTS/title"; cp "$8" "$PULL_REQUESTS/body" ;;
"pr edit")
    test "$3" = 7; echo "$5" > "$PULL_REQUESTS/title"; cp "$7" "$PULL_REQUESTS/body"; touch "$PULL_REQUESTS/edited" ;;
*) exit 1 ;;
esac
"""


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def models(**more: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {"prompt": {"type": "string"}, "size": {"type": "string", "enum": ["small", "large"]}}
    return {
        "acme/poster-1/draw": input_of({**properties, **more}, ["prompt"]),
        "acme/poster-1/edit": input_of(properties, ["prompt"]),
    }


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository that holds a package of one's own, as it was pulled and generated last."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    write_store(tmp_path / "upstream", models())
    with Simulator(schemas=tmp_path / "upstream") as api:
        run(work, ["runcomfy-codegen", "pull", "*"], environment_of(api))
    run(work, ["runcomfy-codegen", "generate"], {})
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(work, "init", "--quiet", "--initial-branch=main")
    git(work, "add", "--all")
    git(work, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", "First")
    git(work, "push", "--quiet", str(tmp_path / "origin.git"), "main")
    return tmp_path / "origin.git"


def environment_of(api: Simulator) -> dict[str, str]:
    return {"RUNCOMFY_BASE_URL": api.url, "RUNCOMFY_API_TOKEN": api.token}


def run(folder: Path, command: list[str], environment: Mapping[str, str]) -> str:
    scripts = str(Path(sys.executable).parent)
    paths = os.pathsep.join((scripts, os.environ["PATH"]))
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": paths, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def refresh(origin: Path, tmp_path: Path) -> Callable[[Mapping[str, Any]], Path]:
    """Run the workflow's steps with a catalog of these models; the folder with the pull request."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gh").write_text(GH, encoding="utf-8")
    (tools / "gh").chmod(stat.S_IRWXU)
    requests = tmp_path / "requests"
    requests.mkdir()
    steps = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["refresh"]["steps"]

    def refresh(upstream: Mapping[str, Any]) -> Path:
        number = len([*tmp_path.glob("run-*")])
        home = tmp_path / f"run-{number}"
        home.mkdir()
        write_store(home / "upstream", upstream)
        git(home, "clone", "--quiet", str(origin), "clone")
        (home / "temp").mkdir()
        with Simulator(schemas=home / "upstream") as api:
            secrets = {
                "${{ secrets.RUNCOMFY_API_TOKEN }}": api.token,
                "${{ github.token }}": "token-of-github",
            }
            for step in steps:
                # Actions of GitHub's, and the installation: all of that is here already.
                if "uses" in step or step["name"] == "Install":
                    continue
                environment = {
                    "RUNCOMFY_BASE_URL": api.url,
                    "RUNCOMFY_API_TOKEN": "",
                    "RUNNER_TEMP": str(home / "temp"),
                    "GITHUB_STEP_SUMMARY": str(home / "step-summary.md"),
                    "PULL_REQUESTS": str(requests),
                    **{name: secrets[value] for name, value in step.get("env", {}).items()},
                }
                scripts = str(Path(sys.executable).parent)
                environment["PATH"] = os.pathsep.join((str(tools), scripts, os.environ["PATH"]))
                run(
                    home / "clone", ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], environment
                )
        return requests

    return refresh


@pytest.mark.long
def test_a_catalog_that_is_the_same_opens_nothing(refresh: Callable[..., Path], origin: Path) -> None:
    requests = refresh(models())
    assert [*requests.iterdir()] == []
    assert "refresh-models" not in git(origin, "branch")


@pytest.mark.long
def test_a_changed_catalog_opens_a_pull_request_and_updates_it(refresh: Callable[..., Path], origin: Path) -> None:
    smaller = models(seed={"type": "integer"})
    smaller["acme/poster-1/edit"]["properties"]["size"]["enum"] = ["small"]
    requests = refresh(smaller)
    assert (requests / "title").read_text() == "Refresh models: breaking changes\n"
    body = (requests / "body").read_text()
    assert '| acme/poster-1/edit | `size` | value "large" gone | Calls that give this value are refused. |' in body
    assert "| `client.acme.poster_1.draw` | `seed` | new, optional: int" in body.replace("\\", "")
    assert "Version step: major." in body
    changed = git(origin, "diff", "--name-only", "main", "refresh-models").split()
    assert "schemas/acme/poster-1/edit/input.json" in changed
    assert "src/ourmodels/models/acme/poster_1/edit.py" in changed
    assert not [each for each in changed if ".cache" in each or "summary" in each]
    assert not (requests / "edited").exists()
    # The next night there is an optional parameter, and nothing else.
    refresh(models(seed={"type": "integer"}))
    assert (requests / "edited").exists()
    assert (requests / "title").read_text() == "Refresh models\n"
    assert "Version step: minor." in (requests / "body").read_text()


@pytest.mark.long
def test_what_the_generator_refuses_reaches_the_pull_request(refresh: Callable[..., Path], origin: Path) -> None:
    requests = refresh(models(Prompt={"type": "string"}))
    body = (requests / "body").read_text()
    assert "## The generator refuses" in body
    assert '"prompt_2"' in body
    assert (requests / "title").read_text() == "Refresh models: breaking changes\n"
    changed = git(origin, "diff", "--name-only", "main", "refresh-models").split()
    assert changed == ["schemas/acme/poster-1/draw/input.json"]


def test_only_the_step_that_pulls_sees_the_token() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    steps = workflow["jobs"]["refresh"]["steps"]
    seeing = [step["name"] for step in steps if "secrets." in json.dumps(step)]
    assert seeing == ["Pull"]
    assert "secrets." not in json.dumps({key: value for key, value in workflow.items() if key != "jobs"}, default=str)
