"""The list of all models is that of the store, and each of its links leads to a schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from runcomfy_codegen.cli import run
from runcomfy_codegen.reference.pages import HEADER, model_list

from tests.support.codegen import input_of, write_store
from tests.support.pages import read_markdown
from tests.support.store import MODEL_IDS, SCHEMAS

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
LIST = ROOT / "docs" / "models.md"


def test_the_list_is_that_of_the_store() -> None:
    text, faults = model_list(SCHEMAS, LIST.parent)
    assert not faults
    assert LIST.read_text(encoding="utf-8") == text, "make generate"


def test_every_model_is_linked_by_provider_and_by_category() -> None:
    text = LIST.read_text(encoding="utf-8")
    links = [unquote(link) for link in re.findall(r"\]\(([^)]*)\)", text)]
    for model_id in MODEL_IDS:
        assert links.count(f"../schemas/{model_id}/input.json") >= 2
    seen = read_markdown(text.partition("\n")[2])
    assert {model_id.partition("/")[0] for model_id in MODEL_IDS} < set(seen.texts("h2"))
    assert {"text-to-image", "image-to-video"} <= set(seen.texts("h3"))


def test_the_readme_says_how_many_there_are() -> None:
    providers = {model_id.partition("/")[0] for model_id in MODEL_IDS}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"[{len(MODEL_IDS)} models of {len(providers)} providers](docs/models.md)" in readme


def test_text_of_the_catalog_is_no_markup(tmp_path: Path) -> None:
    write_store(tmp_path / "store", {"acme/poster-1/draw": input_of({"a": {"type": "null"}})})
    facts = '{"categories": ["<script>x</script>", "[a](b) | c"]}'
    (tmp_path / "store/acme/poster-1/draw/model.json").write_text(facts, encoding="utf-8")
    text, _ = model_list(tmp_path / "store", tmp_path)
    seen = read_markdown(text.partition("\n")[2])
    assert seen.texts("h3") == ["<script>x</script>", "[a](b) | c"]
    assert "script" not in {tag for tag, _ in seen.tags}


def test_somebody_elses_file_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_store(tmp_path / "store", {"acme/poster-1/draw": input_of({"a": {"type": "null"}})})
    command = ["reference", "--schemas", str(tmp_path / "store"), "--list", str(tmp_path / "list.md")]
    (tmp_path / "list.md").write_text("mine", encoding="utf-8")
    assert run(command) == 2
    assert "not overwritten" in capsys.readouterr().err
    (tmp_path / "list.md").unlink()
    assert run(command) == 0
    assert (tmp_path / "list.md").read_text(encoding="utf-8").startswith(HEADER)
    assert run(["reference", "--schemas", str(tmp_path / "store")]) == 2
    assert "--output DIR" in capsys.readouterr().err
