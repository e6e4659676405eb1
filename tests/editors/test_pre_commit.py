"""The hook that `.pre-commit-hooks.yaml` offers, installed by pre-commit itself from a clean copy of the repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DRAW = "bytedance/dreamina-4-0/text-to-image"

pytestmark = pytest.mark.long  # pre-commit installs the package with its dependencies


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Tests", "-c", "user.email=tests@example.com", "-c", "core.autocrlf=false")
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def committed(folder: Path) -> Path:
    """Make the folder a repository with all its files in one commit."""
    git(folder, "init", "-q")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "-q", "-m", "All")
    return folder


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with what git has of this one, changes that are not committed included."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("needs git and a checkout")
    folder = tmp_path_factory.mktemp("hooks")
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return committed(folder)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def run_hook(hooks: Path, cache: Path, project: Path, options: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """What `pre-commit run` says of a project that uses the hook with these options."""
    entry = {"repo": str(hooks), "rev": git(hooks, "rev-parse", "HEAD").strip()}
    config = {"repos": [{**entry, "hooks": [{"id": "runcomfy-validate", **options}]}]}
    (project / ".pre-commit-config.yaml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    committed(project)
    environment = {**os.environ, "PRE_COMMIT_HOME": str(cache), "PRE_COMMIT_COLOR": "never"}
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_files_name_their_models(hooks: Path, cache: Path, tmp_path: Path) -> None:
    payloads = tmp_path / "payloads"
    payloads.mkdir()
    schema = f"../.runcomfy/schemas/{DRAW}.json"
    (payloads / "good.json").write_text(json.dumps({"$schema": schema, "prompt": "x"}), "utf-8")
    (payloads / "good.yaml").write_text(f"$schema: {schema}\nprompt: no\n", "utf-8")
    (tmp_path / "package.json").write_text("{}", "utf-8")
    done = run_hook(hooks, cache, tmp_path, {"files": "^payloads/"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout
    (payloads / "bad.json").write_text(json.dumps({"$schema": schema, "prompt": "x", "scale": 2}), "utf-8")
    (payloads / "bad.yml").write_text(f"$schema: {schema}\nprompt: x\nscal: 1\n", "utf-8")
    done = run_hook(hooks, cache, tmp_path, {"files": "^payloads/"})
    assert done.returncode == 1
    assert "payloads/bad.json" in done.stdout
    assert "/scale" in done.stdout
    assert "payloads/bad.yml" in done.stdout
    assert "did you mean 'scale'?" in done.stdout
    assert "good" not in done.stdout


def test_an_argument_names_the_model(hooks: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("prompt: x\n", "utf-8")
    done = run_hook(hooks, cache, tmp_path, {"args": [DRAW], "files": "^good"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout
    (tmp_path / "bad.json").write_text("{}", "utf-8")
    done = run_hook(hooks, cache, tmp_path, {"args": [DRAW], "files": "^(good|bad)"})
    assert done.returncode == 1
    assert "'prompt' is required" in done.stdout


def test_json_lines_are_a_manifest_of_many_models(hooks: Path, cache: Path, tmp_path: Path) -> None:
    entries = [{"model": DRAW, "input": {"prompt": "x"}}, {"model": "bytedance/dreamina-4-0/edit", "input": {}}]
    (tmp_path / "jobs.jsonl").write_text("\n".join(map(json.dumps, entries)), "utf-8")
    done = run_hook(hooks, cache, tmp_path, {"types_or": ["text"], "files": r"\.jsonl$"})
    assert done.returncode == 1
    assert "jobs.jsonl:2" in done.stdout
    assert "'image_urls' is required" in done.stdout
