"""A schema's texts are shown, word for word, and are never markup: not in CommonMark, not in the site's MyST."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from runcomfy_codegen.reference.pages import make_reference
from runcomfy_codegen.rendering.literals import prose
from runcomfy_codegen.rendering.markdown import block, code, table, text

from tests.support.hostile_store import TEXTS, hostile_store
from tests.support.pages import read_markdown

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("given", TEXTS)
def test_a_text_is_one_paragraph_of_the_same_words(given: str) -> None:
    seen = read_markdown(text(given))
    assert [words for _, words in seen.blocks] == ([prose(given)] if prose(given) else [])
    assert {tag for tag, _ in seen.tags} <= {"p"}
    assert not seen.comments


@pytest.mark.parametrize("given", [each for each in TEXTS if prose(each)])
def test_a_cell_holds_a_text_and_a_value(given: str) -> None:
    seen = read_markdown(table(["text", "value", "last"], [[text(given), code(given), "x"]]))
    words, value, last = seen.texts("td")
    assert last == "x"
    assert words == prose(given)
    # Either as it is or, where code cannot hold it, as words.
    assert value in (given.strip(" "), given, prose(given)) or re.search(r"\\[nrtu]", value)
    assert {tag for tag, _ in seen.tags} <= {"table", "thead", "tbody", "tr", "th", "td", "code"}


@pytest.mark.parametrize("given", TEXTS)
def test_nothing_closes_a_block_of_code(given: str) -> None:
    body = f"first\n{given}\nlast"
    seen = read_markdown(block("python", body))
    (shown,) = seen.texts("pre")
    assert shown.startswith("first\n")
    assert shown.rstrip().endswith("last")
    assert {tag for tag, _ in seen.tags} == {"pre", "code"}


def test_a_page_of_hostile_texts_shows_them_and_nothing_else(tmp_path: Path) -> None:
    reference = make_reference(hostile_store(tmp_path))
    assert reference.pages, reference.diagnostics
    seen = read_markdown(reference.pages["acme/hostile/task.md"].partition("\n")[2])
    kinds = {"h1", "h2", "h3", "p", "pre", "code", "table", "thead", "tbody", "tr", "th", "td"}
    assert {tag for tag, _ in seen.tags} == kinds
    assert not seen.comments
    headings = seen.texts("h2")
    assert headings == ["Input", "Call it", "Check a payload offline", "Output"]
    for number, given in enumerate(TEXTS):
        if words := prose(given):
            name = next(each for each in seen.texts("h3") if re.fullmatch(rf"text_{number}(_.*)?", each))
            (shown,) = (words for kind, words in seen.below(name) if kind == "p")
            assert shown.startswith(words)
            assert words in [cell for kind, cell in seen.below(f"media_{number}") if kind == "td"]


def test_what_is_shown_does_not_depend_on_the_edition_of_unicode() -> None:
    # Assigned in Unicode 15, 15.1 and 16: a letter to some versions of Python, and unknown to others.
    letters = "\U0001fae8\U0002ebf0\U0001fae9"
    assert code(letters) == f"`{letters}`"
    assert code("a\u202eb\0") == "`a\\u202eb\\u0000`"
