"""Stores that were made to stop the generator, or to make it show what is none of its business."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_codegen.checking.dialect import slow_text
from runcomfy_codegen.cli import run

from tests.support.codegen import input_of, write_store
from tests.support.scripts import run_script

if TYPE_CHECKING:
    from collections.abc import Callable

LINKS = pytest.mark.skipif(os.name != "posix", reason="needs pipes and links as POSIX has them")


def lint(schemas: Path) -> tuple[int, str]:
    """In a process of its own, which can be stopped if it hangs."""
    done = run_script("runcomfy-codegen", ["lint", "--schemas", schemas])
    return done.code, done.err


@LINKS
@pytest.mark.parametrize("name", ["input.json", "output.json", "example.json", "patch.json"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "not a regular file"),
        (lambda path: Path(path).symlink_to("/etc/passwd"), "leads out of the store"),
        (lambda path: Path(path).symlink_to("missing.json"), "No such file"),
        (lambda path: Path(path).symlink_to(Path(path).name), "Symlink loop|Too many levels"),
    ],
    ids=["pipe", "foreign link", "link to nothing", "link to itself"],
)
def test_what_is_no_file_of_the_store_is_not_opened(
    tmp_path: Path, name: str, make: Callable[[str], None], reason: str
) -> None:
    write_store(tmp_path, {"acme/x": input_of({})})
    file = tmp_path / "acme/x" / name
    file.unlink(missing_ok=True)
    make(str(file))
    status, errors = lint(tmp_path)
    assert status == 65, errors
    assert f"{name}: E001 cannot be read" in errors
    assert any(each in errors for each in reason.split("|")), errors
    assert "Traceback" not in errors


@LINKS
def test_a_link_within_the_store_is_read(tmp_path: Path) -> None:
    write_store(tmp_path, {"acme/x": input_of({}), "acme/y": input_of({})})
    (tmp_path / "acme/y/input.json").unlink()
    (tmp_path / "acme/y/input.json").symlink_to("../x/input.json")
    assert lint(tmp_path)[0] == 0


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "string", "enum": [f"value {number}" for number in range(50_000)]}, "at most 10000 values"),
        ({"type": "string", "maxLength": 2**64}, '"maxLength" must be at most 9007199254740991'),
        ({"type": "array", "minItems": 2**70}, '"minItems" must be at most 9007199254740991'),
    ],
)
def test_what_no_class_can_carry_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], schema: Any, message: str
) -> None:
    write_store(tmp_path, {"acme/x": input_of({"a": schema})})
    assert run(["lint", "--schemas", str(tmp_path)]) == 65
    shown = capsys.readouterr().err
    assert " E010 " in shown
    assert message in shown


def test_the_longest_lengths_and_lists_become_classes(tmp_path: Path) -> None:
    fields: dict[str, Any] = {
        "a": {"type": "string", "maxLength": 2**53 - 1},
        "b": {"type": "array", "items": {"type": "integer"}, "maxItems": 2**53 - 1},
        "c": {"type": "integer", "maximum": 2**70},
    }
    write_store(tmp_path / "s", {"acme/x": input_of(fields)})
    assert run(["generate", "--schemas", str(tmp_path / "s"), "--output", str(tmp_path), "--package", "longest"]) == 0
    code = "from longest.models.acme.x import XInput; print(XInput(a='a', b=[1], c=2**69).to_payload())"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == f"{ {'a': 'a', 'b': [1], 'c': 2**69} }\n", done.stderr


@pytest.mark.parametrize("name", ["none", "true", "false", "con", "aux", "com1"])
def test_names_that_python_or_windows_keep_make_a_package_that_works(tmp_path: Path, name: str) -> None:
    write_store(tmp_path / "s", {f"{name}/{name}/{name}": input_of({name: {"type": "string"}}), "acme/x": input_of({})})
    package = f"kept_{name}"
    assert run(["generate", "--schemas", str(tmp_path / "s"), "--output", str(tmp_path), "--package", package]) == 0
    method = ".".join([f"{name}_" if name in ("con", "aux", "com1") else name] * 3)
    code = f"import {package}; print({package}.RunComfy(token='t').{method}.__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == method.rpartition(".")[2] + "\n", done.stderr
    stems = {path.stem for path in (tmp_path / package).rglob("*") if "__pycache__" not in path.parts}
    assert not stems & {"con", "aux", "com1"}


@pytest.mark.parametrize(
    "pattern",
    ["^(a|aa)+$", *(pytest.param(pattern, marks=pytest.mark.long) for pattern in ("^(0|00|000)*1?$", "^(x|xx|y)*$"))],
)
def test_a_pattern_that_hangs_is_found(pattern: str) -> None:
    assert slow_text(pattern)


@pytest.mark.parametrize(
    "pattern",
    [r"^[a-z]+(-[a-z]+)*$", r"^\d{3}-\d{4}$", r"^https?://\S+\.(png|jpg)$", r"(\w+\s?)+", "^.{1,800}$"],
)
def test_a_sound_pattern_is_not_warned_of(pattern: str) -> None:
    assert slow_text(pattern) is None
