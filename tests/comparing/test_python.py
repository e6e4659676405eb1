"""What a run of the generator says about the package before and after, and the version step that it calls for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.codegen import input_of, write_store
from tests.support.intake import codegen
from tests.support.pages import read_markdown

if TYPE_CHECKING:
    from tests.support.cli import Answer

MODEL = "acme/poster-1/draw"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.runcomfy]\nschemas = "schemas"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def generate(models: dict[str, Any], *words: str) -> Answer:
    """Generate the package of exactly these models."""
    shutil.rmtree("schemas", ignore_errors=True)
    write_store(Path("schemas"), models)
    answer = codegen("generate", *words)
    assert answer.code == 0, answer.err
    return answer


def one(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {MODEL: input_of({"prompt": {"type": "string"}, **properties}, ["prompt", *required])}


def step(answer: Answer) -> str:
    words = [line.split()[2].rstrip(".") for line in answer.out.splitlines() if line.startswith("Version step:")]
    return words[0] if words else "none"


LORA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
LORA_MORE = {"type": "object", "properties": {"path": {"type": "string"}, "scale": {"type": "float"}}}
# (old, new, (step, line) from old to new, the same from new to old)
CASES: list[tuple[dict[str, Any], dict[str, Any], tuple[str, str], tuple[str, str]]] = [
    (one(), one(seed={"type": "integer"}), ("minor", "seed: new, optional: int"), ("major", "seed: gone")),
    (one(), one(("seed",), seed={"type": "integer"}), ("major", "seed: new, required: int"), ("major", "seed: gone")),
    (
        one(seed={"type": "integer"}),
        one(("seed",), seed={"type": "integer"}),
        ("major", "seed: now required"),
        ("minor", "seed: no longer required"),
    ),
    (
        one(size={"type": "string", "enum": ["a", "b"]}),
        one(size={"type": "string", "enum": ["a"]}),
        ("major", "size: no longer takes 'b'"),
        ("minor", "size: takes 'b'"),
    ),
    (
        one(scale={"type": "integer"}),
        one(scale={"type": "float"}),
        ("minor", "scale: takes float"),
        ("major", "scale: takes int; no longer takes float"),
    ),
    (
        one(scale={"type": "float", "maximum": 2}),
        one(scale={"type": "float", "maximum": 1}),
        ("major", "scale: maximum 2.0 -> 1.0"),
        ("minor", "scale: maximum 1.0 -> 2.0"),
    ),
    (
        one(images={"type": "array", "format": "image_uris", "maxItems": 4}),
        one(images={"type": "array", "format": "image_uris", "maxItems": 3}),
        ("major", "images: maxItems 4 -> 3"),
        ("minor", "images: maxItems 3 -> 4"),
    ),
    (
        one(image={"type": "string", "format": "image_uri"}),
        one(image={"type": "string", "format": "video_uri"}),
        ("major", "image: takes VideoInput; no longer takes ImageInput"),
        ("major", "image: takes ImageInput; no longer takes VideoInput"),
    ),
    (one(lora=LORA), one(lora=LORA_MORE), ("minor", "DrawLora.scale: new, optional: float"), ("major", "gone")),
    (
        one(seed={"type": "integer", "default": 1}),
        one(seed={"type": "integer", "default": 2}),
        ("minor", "seed: default 1 -> 2"),
        ("minor", "seed: default 2 -> 1"),
    ),
    (
        one(seed={"type": "integer", "title": "Seed"}),
        one(seed={"type": "integer", "title": "Start", "description": "Where chance begins."}),
        ("none", ""),
        ("none", ""),
    ),
    (
        one(),
        {**one(), "acme/poster-1/edit": input_of({"b": {"type": "null"}, "a": {"type": "string"}}, ["a"])},
        ("minor", "added    client.acme.poster_1.edit(a, b=None)"),
        ("major", "gone     client.acme.poster_1.edit"),
    ),
]


@pytest.mark.parametrize(("old", "new", "there", "back"), CASES)
def test_a_change_in_both_directions(
    old: dict[str, Any], new: dict[str, Any], there: tuple[str, str], back: tuple[str, str]
) -> None:
    generate(old)
    for models, (expected, line) in ((new, there), (old, back)):
        answer = generate(models)
        assert step(answer) == expected, answer.out
        assert line in answer.out


def test_a_first_run_compares_with_nothing() -> None:
    assert "Version step" not in generate(one()).out


def test_a_second_run_has_nothing_to_say() -> None:
    generate(one())
    assert "Version step" not in generate(one()).out
    assert "none" in generate(one(), "--markdown").out


def test_a_check_says_what_a_run_would_change() -> None:
    generate(one())
    write_store(Path("schemas"), one(seed={"type": "integer"}))
    for _ in range(2):
        answer = codegen("generate", "--check")
        assert answer.code == 1
        assert step(answer) == "minor"


def test_a_renamed_method_and_a_renamed_parameter_are_major() -> None:
    generate(one(size={"type": "string"}))
    names = json.loads(Path("schemas/names.json").read_text(encoding="utf-8"))
    names[MODEL]["properties"]["size"] = "format"
    Path("schemas/names.json").write_text(json.dumps(names), encoding="utf-8")
    answer = codegen("generate", "--accept-renames")
    assert step(answer) == "major"
    assert "format: was called size" in answer.out
    names[MODEL]["name"] = "acme.poster_1.paint"
    Path("schemas/names.json").write_text(json.dumps(names), encoding="utf-8")
    answer = codegen("generate", "--accept-renames")
    assert step(answer) == "major"
    assert "client.acme.poster_1.draw is now client.acme.poster_1.paint" in answer.out


def output(project: Path, schema: dict[str, Any] | None) -> Answer:
    models = one()
    shutil.rmtree("schemas", ignore_errors=True)
    write_store(project / "schemas", models)
    if schema:
        text = json.dumps({"output": {"type": "object", "properties": schema}})
        (project / "schemas" / MODEL / "output.json").write_text(text, encoding="utf-8")
    answer = codegen("generate")
    assert answer.code == 0, answer.err
    return answer


def test_results_are_compared_too(project: Path) -> None:
    output(project, {"words": {"type": "string"}})
    answer = output(project, {"words": {"type": "string"}, "count": {"type": "integer"}})
    assert step(answer) == "minor"
    assert "output.count: new: int" in answer.out
    answer = output(project, {"words": {"type": "string"}})
    assert (step(answer), "output.count: gone" in answer.out) == ("major", True)
    answer = output(project, None)
    assert (step(answer), "output: a class of its own -> MediaOutput" in answer.out) == ("major", True)


def test_markdown_has_what_may_break_first() -> None:
    generate({**one(size={"type": "string", "enum": ["a|b", "<c>"]}), "acme/gone-1": input_of({})})
    answer = generate(
        {**one(("seed",), size={"type": "string"}, seed={"type": "integer"}), "acme/more-1": input_of({})}, "--markdown"
    )
    seen = read_markdown(answer.out)
    assert seen.texts("h3") == ["Breaking", "Compatible", "Gone", "Added"]
    cells = seen.texts("td")
    assert cells[:4] == ["client.acme.poster_1.draw", "seed", "new, required: int", "Every call must give it."]
    assert answer.out.startswith("## Python\n\nVersion step: major.")
    assert "generated/runcomfy" not in answer.out


def test_a_damaged_module_is_passed_over(project: Path) -> None:
    generate(one())
    damaged = project / "generated/runcomfy/models/acme/poster_1/draw.py"
    damaged.write_text(damaged.read_text(encoding="utf-8") + "def (", encoding="utf-8")
    assert "Version step" not in generate(one(seed={"type": "integer"})).out
