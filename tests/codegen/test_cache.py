"""Work is done for what changed: a unit is kept by a digest of all it depends on, and never outlives a change of it."""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from runcomfy_codegen import paths
from runcomfy_codegen.building import cache as caching
from runcomfy_codegen.building.cache import Cache, key
from runcomfy_codegen.building.inventory import read_inventory
from runcomfy_codegen.building.pool import build_all
from runcomfy_codegen.naming.identifiers import PythonName

from tests.support.codegen import task

if TYPE_CHECKING:
    from pathlib import Path

    from tests.codegen.conftest import Workshop

INPUT = b'{"type": "object", "properties": {"prompt": {"type": "string"}}}'


def built(workshop: Workshop) -> int:
    """How many units a run would build."""
    folder = workshop.output / ".cache" / "runcomfy-codegen" / "units"
    _, count = build_all(read_inventory(workshop.schemas).tasks, Cache(folder), lambda done, of: None)
    return count


def test_nothing_is_built_twice(workshop: Workshop) -> None:
    assert built(workshop) == 4
    assert built(workshop) == 0


def test_publishing_names_is_no_change(generated: Workshop) -> None:
    assert (generated.schemas / "names.json").exists()
    assert built(generated) == 0


def test_one_change_builds_one(generated: Workshop) -> None:
    generated.write("acme/solo/input.json", '{"type": "object", "properties": {}}')
    generated.write("acme/new/draw/input.json", '{"type": "object", "properties": {}}')
    assert built(generated) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"input": INPUT + b" "},
        *({name: content} for name in ("output", "example", "patch", "common_output") for content in (b"", b"[]")),
        {"model_id": "acme/other/task"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_file_counts(change: dict[str, Any]) -> None:
    before = task(INPUT)
    after = dataclasses.replace(before, source=dataclasses.replace(before.source, **change))
    assert key(after) != key(before)


def test_names_count() -> None:
    before = task(INPUT)
    other_name = dataclasses.replace(before, names=dataclasses.replace(before.names, method=PythonName("other")))
    chosen = dataclasses.replace(
        before, lock=dataclasses.replace(before.lock, properties={"prompt": PythonName("text")})
    )
    assert len({key(before), key(other_name), key(chosen)}) == 3


def test_modules_templates_and_tools_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(task(INPUT))
    modules = shutil.copytree(paths.generator_folder(), tmp_path / "modules")
    monkeypatch.setattr(caching, "generator_folder", lambda: modules)
    templates = shutil.copytree(paths.templates_folder(), tmp_path / "templates")
    monkeypatch.setattr(caching, "templates_folder", lambda: templates)
    (modules / "_data/schemas").mkdir(parents=True)
    (modules / "_data/schemas/note.py").write_text("it is data, and no unit depends on it")
    keys = {before}
    for change in ("nothing", "module", "dialect", "template", "tool"):
        if change in ("module", "dialect"):
            path = modules / ("lowering/lower.py" if change == "module" else "checking/dialect.schema.json")
            path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        if change == "template":
            template = templates / "models.py.jinja"
            template.write_text(template.read_text() + "{# #}")
        if change == "tool":
            monkeypatch.setattr(caching, "version", lambda name: "0")
        caching._generator.cache_clear()
        keys.add(key(task(INPUT)))
    caching._generator.cache_clear()
    assert len(keys) == 5, "the same text elsewhere is no change, the other four are"


def test_a_damaged_cache_is_no_cache(generated: Workshop) -> None:
    before = generated.files()
    entries = list((generated.output / ".cache" / "runcomfy-codegen" / "units").iterdir())
    assert len(entries) == 4
    for number, entry in enumerate(entries):
        content = entry.read_bytes()
        entry.write_bytes([b"", b"\xff", content[:-9], content.replace(b"prompt", b"PROMPT")][number])
    assert built(generated) == 4
    assert not generated.generate(check=True).drifted
    assert generated.files() == before


def test_a_cache_that_cannot_be_written_is_none(workshop: Workshop) -> None:
    workshop.output.mkdir()
    (workshop.output / ".cache").write_text("in the way")
    assert not workshop.generate().failed
    assert built(workshop) == 4


def test_what_was_removed_is_forgotten(generated: Workshop) -> None:
    folder = generated.output / ".cache" / "runcomfy-codegen" / "units"
    shutil.rmtree(generated.schemas / "other")
    generated.generate()
    assert len(list(folder.iterdir())) == 3


def test_warnings_are_reported_again(generated: Workshop) -> None:
    generated.write("acme/solo/input.json", '{"type": "object", "properties": {"x": {"type": "string", "y": 1}}}')
    first, second = generated.generate(), generated.generate()
    assert generated.codes(first) == ["W110"]
    assert second.diagnostics == first.diagnostics
