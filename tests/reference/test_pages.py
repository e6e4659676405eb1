"""A page says what its schema says; the pages on disk are those of the store, and nobody else's are touched."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from runcomfy_codegen.cli import run
from runcomfy_codegen.diagnostics.codes import all_codes as codes
from runcomfy_codegen.reference.pages import CODES, HEADER, ROOT, make_reference
from runcomfy_codegen.reference.writing import write_pages

from tests.support.codegen import input_of, write_store
from tests.support.pages import Seen, read_markdown
from tests.support.store import EACH_MODEL, MODEL_IDS, SCHEMAS, input_schema

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return make_reference(SCHEMAS).pages


def page_of(pages: dict[str, str], model_id: str) -> Seen:
    (text,) = (text for text in pages.values() if f"\n# {model_id}\n" in text)
    return read_markdown(text.partition("\n")[2])


@pytest.mark.parametrize("model_id", EACH_MODEL)
def test_a_page_says_what_the_schema_says(pages: dict[str, str], model_id: str) -> None:
    schema = input_schema(model_id)
    names = json.loads((SCHEMAS / "names.json").read_text(encoding="utf-8"))[model_id]
    seen = page_of(pages, model_id)
    cells, everything = seen.texts("td"), "\n".join(text for _, text in seen.blocks)
    assert f"client.{names['name']}(...)" in everything
    for wire, each in schema["properties"].items():
        assert wire in cells
        assert names["properties"][wire] in cells
        for value in each.get("enum", []):
            assert json.dumps(value, ensure_ascii=False) in everything
        if "default" in each and wire not in schema.get("required", []):
            assert json.dumps(each["default"], ensure_ascii=False) in cells
        assert each.get("description", "") in everything
        for rule in each.get("validations", []):
            assert rule["validation_error"] in cells
            assert any(re.search(rf"\b{re.escape(str(rule['validation_value']))}\b", cell) for cell in cells)
        for bound in ("minimum", "maximum", "maxLength", "minItems", "maxItems"):
            # An array of at least no items is any array.
            if bound in each and (bound, each[bound]) != ("minItems", 0):
                assert any(str(each[bound]) in cell for cell in cells)


def test_required_comes_first_and_is_reported(pages: dict[str, str]) -> None:
    cells = page_of(pages, "bytedance/dreamina-4-0/edit").texts("td")
    assert cells[cells.index("image_urls") : cells.index("scale")].count("yes") == 2
    assert "yes" not in cells[cells.index("scale") :]


def test_a_small_store_in_full() -> None:
    expected = {path.relative_to(HERE / "expected").as_posix(): path for path in (HERE / "expected").rglob("*.md")}
    found = make_reference(HERE / "store").pages
    # The page of all codes is not of this store.
    assert found.keys() - {CODES} == expected.keys() - {CODES}
    for path in expected.keys() - {CODES}:
        cure = "runcomfy-codegen reference --schemas tests/reference/store --output tests/reference/expected"
        assert found[path] == expected[path].read_text(encoding="utf-8"), f"if that is meant: {cure}"


def test_every_code_has_its_place(pages: dict[str, str]) -> None:
    seen = read_markdown(pages[CODES].partition("\n")[2])
    assert [text.partition(":")[0] for text in seen.texts("h2")] == sorted(codes())
    assert {tag for tag, _ in seen.tags} <= {"h1", "h2", "p", "code", "pre", "ul", "li"}


def test_all_pages_are_linked_from_the_page_of_all_models(pages: dict[str, str]) -> None:
    found = pages
    reached: set[str] = set()
    waiting = [ROOT]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        tree = re.search(r"```\{toctree\}\n:hidden:\n(.*?)```", found[path], re.DOTALL)
        folder = Path(path).parent
        below = re.findall(r"^\S+ <(\S+)>$", tree[1], re.MULTILINE) if tree else []
        waiting += [(folder / f"{each}.md").as_posix() for each in below]
        for link in re.findall(r"\]\(([^)]*)\)", found[path]) if tree else ():
            assert (folder / link).as_posix() in found
    # The site's start leads to the diagnostics; they are of no model.
    assert reached == found.keys() - {CODES}
    assert len(found) > len(MODEL_IDS)


def test_a_provider_cannot_take_the_place_of_another_page(tmp_path: Path) -> None:
    ids = (
        "index/index/index",
        "index/index",
        "all-models/all-models/all-models",
        "all-models/x",
        "models/models/models",
    )
    write_store(
        tmp_path, {model_id: input_of({"a": {"type": "null"}}) for model_id in ids if model_id != "index/index"}
    )
    found = make_reference(tmp_path).pages
    assert sum("## Call it" in text for text in found.values()) == 4
    assert found[ROOT].count("](") == 4


def test_a_faulty_schema_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_store(tmp_path / "s", {"acme/bad/one": {"type": "object", "properties": {"a": {"type": "colour"}}}})
    assert run(["reference", "--schemas", str(tmp_path / "s"), "--output", str(tmp_path / "out")]) == 65
    assert "E0" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert run(["reference", "--schemas", str(tmp_path / "none"), "--output", str(tmp_path / "out")]) == 2


def test_what_is_on_disk_becomes_the_pages(tmp_path: Path) -> None:
    first = {"a/b.md": f"{HEADER}\nb", "a/c.md": f"{HEADER}\nc"}
    assert write_pages(tmp_path, first).changed == ("a/b.md", "a/c.md")
    before = (tmp_path / "a/b.md").stat().st_mtime_ns
    (tmp_path / "mine.md").write_text("mine", encoding="utf-8")
    second = {"a/b.md": f"{HEADER}\nb", "d.md": f"{HEADER}\nd"}
    written = write_pages(tmp_path, second)
    assert (written.changed, written.removed) == (("d.md",), ("a/c.md",))
    assert (tmp_path / "a/b.md").stat().st_mtime_ns == before
    assert write_pages(tmp_path, {"d.md": f"{HEADER}\nd"}).removed == ("a/b.md",)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.md", "mine.md"]


def test_a_file_of_somebody_else_stops_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "bytedance.md"
    target.write_text("mine", encoding="utf-8")
    assert run(["reference", "--schemas", str(SCHEMAS), "--output", str(tmp_path)]) == 2
    assert "bytedance.md" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["bytedance.md"]
    assert target.read_text(encoding="utf-8") == "mine"


def test_a_link_that_leads_out_of_the_folder_stops_everything(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "a").symlink_to(elsewhere)
    written = write_pages(out, {"a/b.md": f"{HEADER}\nb", "d.md": f"{HEADER}\nd"})
    assert (written.changed, written.foreign) == ((), ("a/b.md",))
    assert not list(elsewhere.iterdir())
    assert [path.name for path in out.iterdir()] == ["a"]


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    assert write_pages(tmp_path / "out", {"a/b.md": f"{HEADER}\nb"}).changed == ("a/b.md",)
