"""Another generated package: chosen by `python -m`, option, variable or project; named in hints and completion."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import SCHEMAS, SCRIPT, TEXT_TO_IMAGE, Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.cli import Cli

    Module = Callable[..., Answer]

CODEGEN = SCRIPT.parent / "runcomfy-codegen"
MODEL = "acme/paint/text-to-image"
SCHEMA = {
    "type": "object",
    "required": ["prompt"],
    "properties": {"prompt": {"type": "string", "title": "Prompt"}, "steps": {"type": "integer", "maximum": 8}},
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated package `ourmodels`, whose one model `runcomfy` has not."""
    folder = tmp_path_factory.mktemp("packages")
    schema = folder / "schemas" / MODEL
    schema.mkdir(parents=True)
    (schema / "input.json").write_text(json.dumps(SCHEMA, indent=2))
    shutil.copy(SCHEMAS / "output.json", folder / "schemas")
    subprocess.run(
        [str(CODEGEN), "generate", "--schemas", "schemas", "--output", ".", "--package", "ourmodels"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def module(packages: Path, environment: dict[str, str], tmp_path: Path) -> Module:
    """Runs `python -m ourmodels`."""

    def run(*words: str, env: dict[str, str] | None = None, path: Path = packages) -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "ourmodels", *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**environment, **found_in(path), **(env or {})},
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run


def found_in(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))}


def test_the_module_is_a_whole_command_line(module: Module) -> None:
    assert module("models").out == f"{MODEL}\tprompt\n"
    assert module("--help").out.startswith("Usage: python -m ourmodels COMMAND")
    assert "Usage: python -m ourmodels run " in module("run", "--help").out
    snippets = module("show", MODEL, "--json").json["snippets"]
    assert snippets["python"].startswith("from ourmodels import RunComfy\n")
    assert snippets["shell"].startswith(f"python -m ourmodels run {MODEL}")
    words = shlex.split(snippets["shell"].replace("\\\n", " "))[3:]
    assert module(*words, "--dry-run", "--json").json["request"]["body"]
    unknown = module("run", TEXT_TO_IMAGE, "prompt=x")
    assert unknown.code == 2
    assert "python -m ourmodels models lists the models" in unknown.err
    assert "runcomfy-client" not in module("run", "--prompt", "x").err


def test_the_package_is_chosen_by_option_then_variable_then_project(cli: Cli, packages: Path, tmp_path: Path) -> None:
    env = found_in(packages)
    assert cli("--package", "ourmodels", "models", env=env).out == f"{MODEL}\tprompt\n"
    assert cli("models", "--package=ourmodels", env=env).out == f"{MODEL}\tprompt\n"
    assert cli("models", env={**env, "RUNCOMFY_PACKAGE": "ourmodels"}).out == f"{MODEL}\tprompt\n"
    (tmp_path / "pyproject.toml").write_text('[tool.runcomfy]\npackage = "ourmodels"\n')
    assert cli("models", env=env).out == f"{MODEL}\tprompt\n"
    # Also on the path of `validate` that loads no parser.
    assert cli("validate", MODEL, "-", env=env, stdin='{"prompt": "x"}').out == "stdin: ok\n"
    assert TEXT_TO_IMAGE in cli("models", env={**env, "RUNCOMFY_PACKAGE": "runcomfy"}).out
    both = cli("models", "--package", "ourmodels", env={**env, "RUNCOMFY_PACKAGE": "runcomfy"})
    assert both.out == f"{MODEL}\tprompt\n"


def test_hints_name_the_line_that_works(cli: Cli, packages: Path) -> None:
    env = found_in(packages)
    by_option = cli("--package", "ourmodels", "show", "acme/x", env=env)
    assert "runcomfy-client --package ourmodels models lists" in by_option.err
    by_variable = cli("show", "acme/x", env={**env, "RUNCOMFY_PACKAGE": "ourmodels"})
    assert "hint: runcomfy-client models lists" in by_variable.err


@pytest.mark.parametrize(
    ("words", "env", "text", "message"),
    [
        (("--package", "nowhere"), {}, "", "no generated package 'nowhere' (named by --package)"),
        (("--package", "json"), {}, "", "'json' is not a package that runcomfy-codegen generated"),
        (("--package", "our-models"), {}, "", "--package takes the import name"),
        (("--package", "os"), {}, "", "'os' is not a package that runcomfy-codegen generated"),
        (("--package", "os.path"), {}, "", "'os.path' is not a package that runcomfy-codegen generated"),
        ((), {"RUNCOMFY_PACKAGE": "nowhere"}, "", "(named by RUNCOMFY_PACKAGE)"),
        ((), {}, '[tool.runcomfy]\npackage = "nowhere"\n', "make it with `runcomfy-codegen generate`"),
        ((), {}, '[tool.runcomfy]\npackage = "nowhere"\n', "install your project with `pip install -e .`"),
        ((), {}, '[tool.runcomfy]\npackage = "nowhere"\n', "pyproject.toml)"),
        ((), {}, "[tool.runcomfy]\npackage = 3\n", "tool.runcomfy.package is a text"),
        ((), {}, '[tool.runcomfy]\npackge = "ourmodels"\n', "has no key 'packge'; did you mean package?"),
        ((), {}, "[tool.runcomfy]\nzzz = 3\n", "has no key 'zzz'; it knows package, schemas, output"),
        ((), {}, "[tool]\nruncomfy = 3\n", "tool.runcomfy is a table"),
        ((), {}, "[tool.runcomfy\n", "pyproject.toml: cannot be read"),
    ],
)
def test_a_package_that_is_not_there_is_a_usage_error(
    cli: Cli, tmp_path: Path, words: tuple[str, ...], env: dict[str, str], text: str, message: str
) -> None:
    if text:
        (tmp_path / "pyproject.toml").write_text(text)
    answer = cli("models", *words, "--json", env=env)
    assert answer.code == 2
    assert message in answer.json["error"]["message"]


def test_a_format_that_is_not_read_is_refused_with_its_cure(
    module: Module, cli: Cli, packages: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    shutil.copytree(packages / "ourmodels", old / "ourmodels")
    index = old / "ourmodels" / "_index.py"
    index.write_text(index.read_text().replace("format=1,", "format=0,"))
    for answer in (module("models", path=old), cli("models", "--package", "ourmodels", env=found_in(old))):
        assert answer.code == 2
        assert "runcomfy-codegen generate --package ourmodels" in answer.err
        assert "Traceback" not in answer.err


def test_the_module_works_for_no_other_package(module: Module) -> None:
    answer = module("models", "--package", "runcomfy")
    assert answer.code == 2
    assert "--package is an option of runcomfy-client" in answer.err
    assert module("models", "--package", "ourmodels").code == 0


def test_two_packages_in_one_process_stay_apart(packages: Path, environment: dict[str, str], tmp_path: Path) -> None:
    code = f"""
import sys
from runcomfy_client.cli.console import main
for package, model in (("ourmodels", "{MODEL}"), (None, "{TEXT_TO_IMAGE}"), ("ourmodels", "{TEXT_TO_IMAGE}")):
    sys.argv = ["", "show", model]
    print(main(package), flush=True)
import ourmodels, runcomfy
print(ourmodels.RunComfyError is runcomfy.RunComfyError)
print(ourmodels.validate("{MODEL}", {{"prompt": "x", "steps": 9}}).ok)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**environment, **found_in(packages)},
        check=True,
    )
    ours, runcomfys, crossed = done.stdout.split("\n0\n")
    assert "from ourmodels import RunComfy" in ours
    assert "from runcomfy import RunComfy" in runcomfys
    assert "runcomfy-client run" in runcomfys
    assert crossed == "2\nTrue\nFalse\n"
    assert "python -m ourmodels models lists the models" in done.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="asks bash")
def test_completion_defines_a_command_for_the_module(
    packages: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    line = "ourmodels show acme/"
    script = f"""
eval "$(python -m ourmodels completion bash)"
COMP_LINE='{line}' COMP_POINT={len(line)}
_ourmodels_whole_words ourmodels
printf '%s\\n' "${{COMPREPLY[@]}}"
ourmodels models
"""
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**environment, **found_in(packages), "PATH": f"{SCRIPT.parent}:{environment['PATH']}"},
        check=True,
    )
    assert done.stdout == f"{MODEL}\n{MODEL}\tprompt\n"
