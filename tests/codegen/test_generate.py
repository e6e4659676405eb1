"""`generate` writes what changed and nothing else, deletes what is its own and nothing else, or does nothing at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import runcomfy
import runcomfy_codegen
from runcomfy_codegen.cli import run
from runcomfy_codegen.rendering.templating import HEADER

if TYPE_CHECKING:
    from tests.codegen.conftest import Workshop

INTEGER = '{"type": "object", "properties": {"seed": {"type": "integer"}}}'


def times(workshop: Workshop) -> dict[str, int]:
    return {path: (workshop.package / path).stat().st_mtime_ns for path in workshop.files()}


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def test_nothing_changed_writes_nothing(generated: Workshop) -> None:
    before = times(generated)
    outcome = generated.generate()
    assert outcome.plan
    assert outcome.plan.is_empty
    assert times(generated) == before


def test_a_change_touches_only_its_own_files(generated: Workshop) -> None:
    before = times(generated)
    generated.write("acme/poster-1/draw/input.json", INTEGER)
    generated.generate()
    assert changed(before, times(generated)) == {
        "_manifest.json",
        "models/acme/poster_1/draw.py",
        "resources/acme/poster_1.py",
        "specs/acme/poster_1/draw.py",
    }


def test_a_new_model_needs_its_input_only(generated: Workshop) -> None:
    generated.write("acme/poster-1/draw/fast/input.json", INTEGER)
    assert not generated.generate().failed
    assert "def draw_fast(" in generated.files()["resources/acme/poster_1.py"].decode()
    assert json.loads((generated.schemas / "names.json").read_text())["acme/poster-1/draw/fast"] == {
        "name": "acme.poster_1.draw_fast",
        "properties": {"seed": "seed"},
    }


def test_a_removed_model_takes_its_files_along(generated: Workshop) -> None:
    before = generated.files()
    generated.write("acme/more/draw/input.json", INTEGER)
    generated.generate()
    (generated.schemas / "acme/more/draw/input.json").unlink()
    outcome = generated.generate(delete=True)
    assert not outcome.failed
    assert generated.files() == before
    assert not (generated.package / "models" / "acme" / "more").exists()
    assert "acme/more/draw" not in (generated.schemas / "names.json").read_text()


def test_check_tells_missing_stale_and_extra_and_the_cure(
    generated: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    (generated.package / "models" / "acme" / "solo.py").unlink()
    edited = generated.package / "specs" / "acme" / "solo.py"
    edited.write_text(edited.read_text() + "# by hand\n")
    (generated.package / "extra.py").write_text(HEADER + "\n")
    before = generated.files()
    arguments = ["--schemas", str(generated.schemas), "--output", str(generated.output)]
    assert run(["generate", "--check", *arguments]) == 1
    out = capsys.readouterr().out
    assert f"missing  {generated.package}/models/acme/solo.py" in out
    assert f"stale    {generated.package}/specs/acme/solo.py" in out
    assert f"extra    {generated.package}/extra.py" in out
    assert f"Cure: runcomfy-codegen generate {' '.join(arguments)}" in out
    assert generated.files() == before, "--check writes nothing"
    assert run(["generate", *arguments]) == 0
    assert run(["generate", "--check", *arguments]) == 0


def test_check_sees_names_that_are_not_locked(generated: Workshop) -> None:
    (generated.schemas / "names.json").unlink()
    assert generated.generate(check=True).drifted
    assert not (generated.schemas / "names.json").exists()


def test_errors_are_all_reported_and_nothing_is_written(generated: Workshop) -> None:
    before = generated.files()
    generated.write("acme/poster-1/draw/input.json", '{"type": "object"}')
    generated.write("acme/solo/input.json", "{")
    generated.write("other/film/cut/input.json", INTEGER)
    outcome = generated.generate()
    assert sorted(generated.codes(outcome)) == ["E003", "E016"]
    assert generated.files() == before


def test_skip_faulty_leaves_the_faulty_as_they_were(generated: Workshop) -> None:
    before = generated.files()
    for model_id in ("acme/poster-1/draw", "acme/solo", "new/one/here"):
        generated.write(f"{model_id}/input.json", "{")
    generated.write("acme/poster-1/edit/input.json", INTEGER)
    outcome = generated.generate(skip_faulty=True)
    assert outcome.failed
    assert outcome.skipped == ("acme/poster-1/draw", "acme/solo", "new/one/here")
    after = generated.files()
    same = (
        "models/acme/solo.py",
        "specs/acme/poster_1/draw.py",
        "resources/acme/__init__.py",
        "_client.py",
        "_index.py",
    )
    assert all(after[path] == before[path] for path in same)
    methods = after["resources/acme/poster_1.py"].decode()
    assert "seed: int | None = None" in methods
    assert methods.count("prompt: str,") == 2, "draw, sync and async, takes what it took"
    assert not any(path.startswith("models/new") for path in after)
    assert generated.generate(skip_faulty=True, check=True).drifted is False


def test_skip_faulty_of_the_command_line_exits_65(generated: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    generated.write("acme/solo/input.json", "{")
    generated.write("acme/new/draw/input.json", "{")
    generated.write("other/film/cut/input.json", INTEGER)
    arguments = ["--schemas", str(generated.schemas), "--output", str(generated.output)]
    assert run(["generate", "--skip-faulty", *arguments]) == 65
    out = capsys.readouterr().out
    assert "skipped  acme/solo  left as it was\n" in out
    assert "skipped  acme/new/draw  not in the package\n" in out
    assert "/runcomfy: 3 models, 2 skipped, 4 changed\n" in out


@pytest.mark.parametrize("path", ["models/acme/poster_1/notes.py", "specs/acme/solo.py", "README.md"])
def test_a_file_of_somebody_else_is_refused(generated: Workshop, path: str) -> None:
    target = generated.package / path
    target.write_text("print('mine')\n")
    before = generated.files()
    generated.write("other/film/cut/input.json", INTEGER)
    outcome = generated.generate()
    assert generated.codes(outcome) == ["E060"]
    assert generated.files() == before


def test_a_check_that_meets_a_file_of_somebody_else_says_the_cure(
    generated: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    (generated.package / "_index.py").write_text("print('mine')\n")
    arguments = ["--schemas", str(generated.schemas), "--output", str(generated.output)]
    assert run(["generate", "--check", *arguments]) == 65
    output = capsys.readouterr()
    command = " ".join(["runcomfy-codegen generate", *arguments])
    assert output.out.endswith(f"Cure: move or delete what is in the way, then {command}\n")
    assert "E060 stands where a generated file belongs" in output.err
    (generated.package / "_index.py").unlink()
    assert run(command.split()[1:]) == 0
    assert run(["generate", "--check", *arguments]) == 0


def test_the_file_of_a_removed_model_is_refused_if_it_was_replaced(generated: Workshop) -> None:
    target = generated.package / "models" / "acme" / "solo.py"
    target.write_text("print('mine')\n")
    (generated.schemas / "acme/solo/input.json").unlink()
    assert generated.codes(generated.generate(delete=True)) == ["W136", "E060"]
    assert target.read_text() == "print('mine')\n"


@pytest.mark.parametrize("link", ["models/acme", "_index.py", "."])
def test_no_file_is_written_through_a_link(generated: Workshop, link: str) -> None:
    outside = generated.folder / "outside"
    target = generated.package if link == "." else generated.package / link
    target.rename(outside)
    target.symlink_to(outside)
    before = outside.read_bytes() if outside.is_file() else sorted(outside.rglob("*"))
    generated.write("acme/solo/input.json", INTEGER)
    outcome = generated.generate()
    assert "E060" in generated.codes(outcome)
    assert {told.file for told in outcome.diagnostics if "link" in told.message} == {target.as_posix()}
    assert (outside.read_bytes() if outside.is_file() else sorted(outside.rglob("*"))) == before


def test_caches_and_hidden_files_are_let_be(generated: Workshop) -> None:
    (generated.package / ".mypy_cache").mkdir()
    (generated.package / ".mypy_cache" / "x.json").write_text("{}")
    cached = generated.package / "models" / "__pycache__" / "x.pyc"
    cached.parent.mkdir()
    cached.write_bytes(b"x")
    generated.write("acme/solo/input.json", INTEGER)
    outcome = generated.generate()
    assert not outcome.failed
    assert (generated.package / ".mypy_cache" / "x.json").exists()
    assert cached.exists()


def test_a_published_name_changes_only_when_accepted(generated: Workshop) -> None:
    names = generated.schemas / "names.json"
    text = names.read_text()
    names.write_text(text.replace('"name": "acme.solo"', '"name": "acme.alone"').replace(': "prompt"', ': "text"', 1))
    before = generated.files()
    outcome = generated.generate()
    assert generated.codes(outcome) == ["E036", "E036"]
    assert all("--accept-renames" in str(each.help) for each in outcome.diagnostics)
    assert generated.files() == before
    assert not generated.generate(accept_renames=True).failed
    assert "models/acme/alone.py" in generated.files()
    assert not generated.generate(check=True).drifted


def test_a_locked_name_holds_when_the_rule_would_make_another(generated: Workshop) -> None:
    names = generated.schemas / "names.json"
    names.write_text(names.read_text().replace(': "prompt"', ': "words"', 1))
    generated.generate(accept_renames=True)
    names.write_text(names.read_text())
    assert not generated.generate(check=True).drifted
    assert b"words: str" in generated.files()["resources/acme/poster_1.py"]


def test_a_package_of_another_name_stands_alone(workshop: Workshop) -> None:
    workshop.generate(package="acme_client")
    code = (
        "import acme_client; print(acme_client.validate('acme/solo', {'prompt': 'x'}).ok);"
        "from acme_client.models.acme.solo import SoloInput; print(SoloInput(prompt='x').to_payload());"
        "import sys; print('runcomfy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=workshop.output, capture_output=True, text=True, check=False
    )
    assert done.stdout.split("\n")[:3] == ["True", "{'prompt': 'x'}", "False"], done.stderr


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *((name, "not a name for a package") for name in ("", "a.b-c", "../x", "class", "été", "1a", "__main__")),
        *((name, "a module of Python itself") for name in ("json", "typing", "_io")),
        *((name, "a library that the client needs") for name in ("httpx", "pydantic", "PIL")),
        *((name, "another package of this distribution") for name in ("runcomfy_client", "runcomfy_simulator")),
    ],
)
def test_a_package_needs_a_usable_name(
    workshop: Workshop, name: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--schemas", str(workshop.schemas), "--output", str(workshop.output), "--package", name]
    assert run(["generate", *arguments]) == 2
    assert reason in capsys.readouterr().err
    assert not workshop.output.exists()


def test_a_store_that_is_not_there_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("generate", "lint"):
        assert run([command, "--schemas", str(tmp_path / "no")]) == 2
    assert "--schemas DIR" in capsys.readouterr().err


def test_a_store_without_models_deletes_nothing(generated: Workshop) -> None:
    before = generated.files()
    shutil.rmtree(generated.schemas)
    generated.schemas.mkdir()
    assert generated.codes(generated.generate()) == ["E061"]
    assert generated.files() == before


def test_the_version_is_reported_once_for_all() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert runcomfy.__version__ == runcomfy_codegen.__version__ == project["project"]["version"]


def test_the_repository_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["generate", "--check"])
    assert status == 0, capsys.readouterr().out + "\nRun: make generate"


def test_what_is_missing_is_named_with_the_extra_that_brings_it(workshop: Workshop) -> None:
    code = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from runcomfy_codegen.console import main\n"
        f"sys.argv = ['runcomfy-codegen', 'generate', '--schemas', {str(workshop.schemas)!r}, "
        f"'--output', {str(workshop.output)!r}]\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == 'runcomfy-codegen needs jinja2. Install it with: pip install "runcomfy-client[codegen]"\n'


def test_the_console_script_loads_no_library_of_an_extra() -> None:
    code = (
        "import sys; before = set(sys.modules); import runcomfy_codegen.console, runcomfy_codegen.cli\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names\n"
        "print(sorted(new - {'runcomfy_codegen', 'runcomfy_client'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.skipif(os.name != "posix", reason="a limit on file size, the nearest thing to a full disk, is POSIX's")
def test_a_full_disk_leaves_the_old_tree(generated: Workshop) -> None:
    before = generated.files()
    generated.write("acme/solo/input.json", INTEGER)
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))\n"
        "from runcomfy_codegen.console import main\n"
        f"sys.argv = ['runcomfy-codegen', 'generate', '--no-cache', '--schemas', {str(generated.schemas)!r}, "
        f"'--output', {str(generated.output)!r}]\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 74, done.stderr
    assert "Traceback" not in done.stderr
    assert generated.files() == before
    assert [path.name for path in generated.output.iterdir() if path.name.startswith(".runcomfy")] == []
