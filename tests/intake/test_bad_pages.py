"""Pages that cannot be used: every fault at once, with its place and its cure, and nothing written.

The whole message of each case is recorded in `messages/`; run pytest with UPDATE_MESSAGES=1 to record it anew.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.intake import ALL_PAGES, EDIT_DE, TEXT_IT, codegen, files_below

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGES = Path(__file__).parent / "messages"
EDIT = EDIT_DE.read_text(encoding="utf-8")
TEXT = TEXT_IT.read_text(encoding="utf-8")
ID = "bytedance/dreamina-4-0/edit"
ERROR_PAGE = (
    "<!DOCTYPE html><html><head><title>403 Forbidden</title></head><body><h1>403</h1><p>Go away.</p></body></html>"
)

BAD: dict[str, str | bytes] = {
    "empty": "",
    "blank": " \n\t\n",
    "picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "cyrillic-windows-1251": "Схема входа".encode("cp1251"),
    "utf-16-cut-off": EDIT.encode("utf-16")[:2001],
    "prose": "Nothing about any model stands here.",
    "error-page.html": ERROR_PAGE,
    "catalog-reply": '{"models": [{"model_id": "acme/poster-1", "input_schema": {"type": "object"}}]}',
    "no-request": EDIT[EDIT.index('{\n"type"') :],
    "no-schema": EDIT[: EDIT.index('{\n"type"')],
    "cut-off": EDIT[: EDIT.index('"validation_value": "3"')],
    "cut-off-in-the-example": EDIT[: EDIT.index("usecase5-1-2")],
    "comma-missing": EDIT.replace('"minItems": 1,', '"minItems": 1'),
    "comma-too-many": EDIT.replace('"default": false\n', '"default": false,\n'),
    "example-broken": EDIT.replace('"prompt": "A beautiful girl is sitting on the boat"\n}\'', '"prompt": ...\n}\''),
    "typographic-quotes": EDIT.replace('"', "”"),
    "one-typographic-quote": EDIT.replace('"title": "prompt"', '"title": “prompt”'),
    "two-models": EDIT + TEXT,
    "ids-disagree": EDIT.replace(ID, "bytedance/dreamina-4-0/Edit", 2).replace("Edit", "edit", 1),
    "two-input-schemas": EDIT + EDIT[EDIT.index('{\n"type"') :].replace('"maxLength": 800', '"maxLength": 80'),
    "two-output-schemas": EDIT + '{"output": {"type": "object", "properties": {"audio": {"type": "string"}}}}',
    "id-climbs-out": EDIT.replace(ID, "../../../etc/cron.d"),
    "id-absolute": EDIT.replace(ID, "/etc/passwd"),
    "id-of-one-segment": EDIT.replace(ID, "edit"),
    "id-escaped": EDIT.replace(ID, "bytedance/%2e%2e/edit"),
    "id-with-controls": EDIT.replace(ID, "byte\x1b[31mdance/edit"),
    "id-is-a-file-of-the-store": EDIT.replace(ID, "bytedance/dreamina/input.json"),
    "id-is-a-placeholder": EDIT.replace(ID, "{model_id}"),
    "same-key-twice": EDIT.replace('"minItems": 1,', '"minItems": 1,\n"minItems": 2,'),
    "not-a-number": EDIT.replace('"default": 0.5', '"default": NaN'),
    "half-a-character": EDIT.replace('"title": "prompt"', '"title": "\\ud83d"'),
    "number-too-large": EDIT.replace('"maximum": 1,', '"maximum": 1e999,'),
    "deep": EDIT.replace('"default": 0.5', '"default": ' + "[" * 200 + "]" * 200),
    "very-deep": EDIT.replace('"default": 0.5', '"default": ' + "[" * 200_000 + "]" * 200_000),
    "everything-on-one-line": EDIT.replace("\n", " ").replace('"minItems": 1,', '"minItems": 1'),
}


@pytest.mark.parametrize("case", BAD)
def test_message(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = BAD[case]
    name = case if "." in case else f"{case}.txt"
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    monkeypatch.chdir(tmp_path)

    answer = codegen("import", name, "--schemas", "store")

    assert answer.code == 65
    assert answer.out == ""
    assert not Path("store").exists()
    recorded = MESSAGES / f"{case}.stderr"
    if os.environ.get("UPDATE_MESSAGES"):
        recorded.write_text(answer.err, encoding="utf-8")
    assert answer.err == recorded.read_text(encoding="utf-8")


def test_no_message_is_recorded_for_a_case_that_is_gone() -> None:
    assert {path.stem for path in MESSAGES.glob("*.stderr")} == set(BAD)


def test_the_faults_of_all_pages_are_shown_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text(BAD["comma-missing"], encoding="utf-8")  # type: ignore[arg-type] # this case is text
    Path("b.txt").write_text("", encoding="utf-8")
    Path("c.txt").write_text(BAD["id-of-one-segment"], encoding="utf-8")  # type: ignore[arg-type] # and this
    answer = codegen("import", "a.txt", TEXT_IT, "b.txt", "c.txt", "--schemas", "store")
    assert answer.code == 65
    assert [line.split(":")[0] for line in answer.err.splitlines() if " E0" in line] == ["a.txt", "b.txt", "c.txt"]
    assert not Path("store").exists()


def test_pages_of_one_model_that_disagree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("new.txt").write_text(EDIT, encoding="utf-8")
    Path("old.txt").write_text(EDIT.replace('"maxLength": 800', '"maxLength": 900'), encoding="utf-8")
    answer = codegen("import", "new.txt", "old.txt", "--schemas", "store")
    assert answer.code == 65
    assert f"old.txt:34:1: E078 this page's input schema of {ID} is not that of new.txt" in answer.err
    assert "prompt: maxLength 800 -> 900" in answer.err


def test_a_page_larger_than_any_page(tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    with page.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    answer = codegen("import", page, "--schemas", tmp_path / "store")
    assert answer.code == 65
    assert "larger than 32 MiB" in answer.err


def test_a_sample_with_dots_in_it_only_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("page.txt").write_text(EDIT + '\nA reply: {"request_id": "...", ...}\n', encoding="utf-8")
    answer = codegen("import", "page.txt", "--schemas", "store")
    assert answer.code == 0
    assert "W174" in answer.err
    assert Path("store", ID, "input.json").is_file()


def _mutations(text: str) -> st.SearchStrategy[str]:
    """A page after a few accidents: parts cut out, doubled, moved, characters changed."""
    place = st.integers(0, len(text))
    snippet = st.sampled_from(("{", "}", '"', "[", "]", ",", ":", "\\", "'", "\n", "--url ", "/v1/models/", "<", "&"))
    insert = st.one_of(snippet, st.text(max_size=5), st.sampled_from(("\x00", "\ufeff", "\u2028", "“", "1e999", "{}")))

    def cut(at: tuple[int, int]) -> Callable[[str], str]:
        return lambda page: page[: min(at)] + page[max(at) :]

    def double(at: tuple[int, int]) -> Callable[[str], str]:
        return lambda page: page[: max(at)] + page[min(at) :]

    def put(at: int, piece: str) -> Callable[[str], str]:
        return lambda page: page[:at] + piece + page[at:]

    accident = st.one_of(
        st.tuples(place, place).map(cut), st.tuples(place, place).map(double), st.builds(put, place, insert)
    )

    def apply(accidents: list[Callable[[str], str]]) -> str:
        page = text
        for each in accidents:
            page = each(page)
        return page

    return st.lists(accident, min_size=1, max_size=4).map(apply)


PAGES = [page.read_text(encoding="utf-8") for page in ALL_PAGES]
DAMAGED = st.sampled_from(PAGES).flatmap(_mutations)


def _never_a_traceback(page: bytes, folder: Path) -> None:
    file = folder / "page.html"
    file.write_bytes(page)
    store = folder / "store"
    answer = codegen("import", file, "--schemas", store, "--replace")
    assert answer.code in (0, 65), answer.err
    assert "Traceback" not in answer.err
    if answer.code == 65:
        assert " E0" in answer.err
    assert all(name == "output.json" or name.count("/") >= 2 for name in files_below(store)) if store.exists() else True


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(page=DAMAGED)
def test_damaged_pages_never_show_a_traceback(page: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    _never_a_traceback(page.encode("utf-8", "surrogatepass"), tmp_path_factory.mktemp("page"))


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(page=st.one_of(DAMAGED.map(lambda page: page.encode("utf-8", "surrogatepass")), st.binary(max_size=300)))
def test_damaged_pages_by_the_thousand(page: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    _never_a_traceback(page, tmp_path_factory.mktemp("page"))
