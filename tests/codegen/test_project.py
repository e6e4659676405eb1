"""A project of one's own: which store and output a command means; nothing is written or deleted by surprise."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.codegen import input_of, write_store
from tests.support.intake import codegen, files_below

if TYPE_CHECKING:
    from pathlib import Path

MODELS = {f"acme/poster-1/{task}": input_of({"prompt": {"type": "string"}}) for task in ("draw", "edit")}
REPLY = '{"models": [{"model_id": "acme/poster-1/draw", "input_schema": {"type": "object", "properties": {}}}]}'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def configure(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(text, encoding="utf-8")


class TestWithoutAStore:
    @pytest.mark.parametrize("words", [("generate",), ("generate", "--check"), ("pull", "*"), ("import", "page.txt")])
    def test_what_writes_refuses_and_says_how_to_name_one(self, project: Path, words: tuple[str, ...]) -> None:
        answer = codegen(*words)
        assert answer.code == 2
        assert "--schemas DIR" in answer.err
        assert '[tool.runcomfy]\n    schemas = "schemas"' in answer.err
        assert files_below(project) == {}

    @pytest.mark.parametrize("words", [("lint",), ("openapi",), ("reference", "--output", "pages")])
    def test_what_reads_names_the_store_that_ships(self, project: Path, words: tuple[str, ...]) -> None:
        answer = codegen(*words)
        assert answer.code == 0
        assert "reading the schemas that ship with the client" in answer.err

    def test_a_dry_run_compares_with_the_store_that_ships(self, project: Path) -> None:
        (project / "reply.json").write_text(REPLY, encoding="utf-8")
        answer = codegen("pull", "*", "--from", "reply.json", "--dry-run")
        assert answer.code == 0
        assert "schemas that ship" in answer.err
        assert "gone      kling/" in answer.out


class TestSettings:
    def test_they_name_store_output_and_package(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        configure(project, '[tool.runcomfy]\nschemas = "vendor"\noutput = "src"\npackage = "ourmodels"\n')
        write_store(project / "vendor", MODELS)
        # From anywhere in the project.
        (project / "deep/er").mkdir(parents=True)
        monkeypatch.chdir(project / "deep/er")
        assert codegen("generate").code == 0
        assert (project / "src/ourmodels/models/acme/poster_1/draw.py").is_file()
        assert codegen("generate", "--check").code == 0
        answer = codegen("lint")
        assert (answer.code, answer.err) == (0, "")
        assert "2 models" in answer.out

    def test_flags_win(self, project: Path) -> None:
        configure(project, '[tool.runcomfy]\nschemas = "vendor"\noutput = "src"\npackage = "ourmodels"\n')
        write_store(project / "other", MODELS)
        assert codegen("generate", "--schemas", "other", "--output", "out", "--package", "theirs").code == 0
        assert (project / "out/theirs/_index.py").is_file()
        assert not (project / "src").exists()

    def test_pull_makes_the_store_that_they_name(self, project: Path) -> None:
        configure(project, '[tool.runcomfy]\nschemas = "vendor"\n')
        (project / "reply.json").write_text(REPLY, encoding="utf-8")
        assert codegen("pull", "*", "--from", "reply.json").code == 0
        assert (project / "vendor/acme/poster-1/draw/input.json").is_file()

    def test_a_file_without_the_table_is_passed_over(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        configure(project, '[tool.runcomfy]\nschemas = "vendor"\n')
        write_store(project / "vendor", MODELS)
        (project / "part").mkdir()
        configure(project / "part", "[tool.black]\nline-length = 60\n")
        monkeypatch.chdir(project / "part")
        assert "2 models" in codegen("lint").out

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[tool.runcomfy", "pyproject.toml: cannot be read"),
            ("tool.runcomfy = 7", "tool.runcomfy is a table"),
            ("[tool.runcomfy]\nschemas = 7", "tool.runcomfy.schemas is a text"),
            ('[tool.runcomfy]\npackage = ""', "tool.runcomfy.package is a text"),
            ('[tool.runcomfy]\nschema = "x"', "no key 'schema'; did you mean schemas?"),
            ('[tool.runcomfy]\n"\\u001b[31m" = "x"', "\\x1b"),
        ],
    )
    def test_what_cannot_be_meant_is_a_usage_error(self, project: Path, text: str, message: str) -> None:
        configure(project, text)
        write_store(project / "schemas", MODELS)
        for words in (("generate",), ("lint",), ("pull", "*")):
            answer = codegen(*words)
            assert answer.code == 2
            assert message in answer.err
            assert "\x1b" not in answer.err
        assert not (project / "generated").exists()

    def test_a_store_that_is_not_there_is_named(self, project: Path) -> None:
        configure(project, '[tool.runcomfy]\nschemas = "vendor"\n')
        for command in ("generate", "lint"):
            answer = codegen(command)
            assert answer.code == 2
            assert "there is no folder vendor" in answer.err


class TestModelsThatAreGone:
    @pytest.fixture
    def smaller(self, project: Path) -> Path:
        """A package of two models, and a store that has one of them left."""
        write_store(project / "schemas", MODELS)
        assert codegen("generate").code == 0
        (project / "schemas/acme/poster-1/edit/input.json").unlink()
        (project / "schemas/acme/poster-1/edit").rmdir()
        return project

    def test_they_are_kept_and_named(self, smaller: Path) -> None:
        before = files_below(smaller / "generated/runcomfy")
        answer = codegen("generate")
        assert answer.code == 65
        assert "E062" in answer.err
        assert "acme/poster-1/edit" in answer.err
        assert "generate --delete" in answer.err
        assert answer.out == ""
        assert "Nothing was written." in answer.err
        assert files_below(smaller / "generated/runcomfy") == before

    def test_another_store_deletes_nothing_either(self, smaller: Path) -> None:
        write_store(smaller / "other", {"acme/solo": input_of({})})
        assert codegen("generate", "--schemas", "other").code == 65
        assert (smaller / "generated/runcomfy/models/acme/poster_1/edit.py").is_file()

    def test_they_go_when_that_is_asked_for(self, smaller: Path) -> None:
        answer = codegen("generate", "--delete")
        assert answer.code == 0, answer.err
        assert "deleted  generated/runcomfy/models/acme/poster_1/edit.py" in answer.out
        assert codegen("generate", "--check").code == 0

    def test_they_go_when_the_project_names_the_store(self, smaller: Path) -> None:
        configure(smaller, '[tool.runcomfy]\nschemas = "schemas"\n')
        assert codegen("generate").code == 0
        assert not (smaller / "generated/runcomfy/models/acme/poster_1/edit.py").exists()

    def test_a_check_is_a_drift_with_the_whole_cure(self, smaller: Path) -> None:
        answer = codegen("generate", "--check")
        assert answer.code == 1
        assert answer.out.endswith("Cure: runcomfy-codegen generate --delete\n")


def test_git_does_not_see_the_cache(project: Path) -> None:
    write_store(project / "schemas", MODELS)
    assert codegen("generate").code == 0
    subprocess.run(["git", "init", "-q"], check=True)
    seen = subprocess.run(
        ["git", "status", "--short", "--untracked-files=all"], capture_output=True, text=True, check=True
    ).stdout
    assert "generated/runcomfy/_index.py" in seen
    assert ".cache" not in seen
    assert [*(project / "generated/.cache/runcomfy-codegen/units").iterdir()]


@pytest.mark.parametrize(("output", "shown"), [(None, "generated/our"), (".", "our"), ("src", "src/our")])
def test_the_message_about_a_dotted_package_says_what_to_write(project: Path, output: str | None, shown: str) -> None:
    write_store(project / "schemas", MODELS)
    answer = codegen("generate", "--package", "our.models", *(("--output", output) if output else ()))
    assert answer.code == 2
    words = f"--output {shown} --package models"
    assert words in answer.err
    assert codegen("generate", *words.split()).code == 0
    assert (project / shown / "models/_index.py").is_file()
