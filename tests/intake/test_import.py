"""Importing the real pages: what is found, what is written, what stays."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.intake import (
    ALL_PAGES,
    EDIT_DE,
    PAGES,
    SEQUENTIAL_RU,
    TEXT_IT,
    TEXT_RU,
    codegen,
    files_below,
    page_of,
    read_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

STORE = Path(__file__).parents[2] / "schemas"
EDIT = "bytedance/dreamina-4-0/edit"
TEXT = "bytedance/dreamina-4-0/text-to-image"


def test_five_pages_in_one_call_are_four_models(tmp_path: Path) -> None:
    answer = codegen("import", *ALL_PAGES, "--schemas", tmp_path)

    assert answer.code == 0, answer.err
    assert answer.err == ""
    assert sorted(files_below(tmp_path)) == [
        "bytedance/dreamina-3-0/image-to-video/example.json",
        "bytedance/dreamina-3-0/image-to-video/input.json",
        "bytedance/dreamina-4-0/edit/example.json",
        "bytedance/dreamina-4-0/edit/input.json",
        "bytedance/dreamina-4-0/text-to-image/example.json",
        "bytedance/dreamina-4-0/text-to-image/input.json",
        "bytedance/seedream-4-0/sequential/example.json",
        "bytedance/seedream-4-0/sequential/input.json",
        "output.json",
    ]
    assert "4 models, 9 files changed" in answer.out


def test_the_committed_schemas_are_what_the_pages_say() -> None:
    before = files_below(STORE)
    answer = codegen("import", *ALL_PAGES, "--schemas", STORE)
    assert answer.code == 0
    assert "4 models, 0 files changed" in answer.out
    assert files_below(STORE) == before


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.stem)
def test_the_schema_is_written_as_the_page_prints_it(page: Path, tmp_path: Path) -> None:
    codegen("import", page, "--schemas", tmp_path)
    written = next(tmp_path.rglob("*/input.json")).read_text(encoding="utf-8")
    printed = page.read_text(encoding="utf-8")
    start = re.search(r'^\{\s*"type": "object"', printed, re.MULTILINE)
    assert start
    # Read by another road than the importer's: from the brace on, whatever follows it.
    expected, _ = json.JSONDecoder().raw_decode(printed, start.start())
    expected["title"] = "Input schema"
    assert written == json.dumps(expected, indent=2, ensure_ascii=False) + "\n"


def test_the_example_is_the_request_body(tmp_path: Path) -> None:
    codegen("import", EDIT_DE, "--schemas", tmp_path)
    example = read_json(tmp_path / EDIT / "example.json")
    assert list(example) == ["image_urls", "prompt"]
    assert example["prompt"] == "A beautiful girl is sitting on the boat"


def test_it_says_what_it_found(tmp_path: Path) -> None:
    answer = codegen("import", EDIT_DE, "--schemas", tmp_path)
    assert EDIT in answer.out
    assert "5 properties; required: image_urls, prompt; media: image_urls (image)" in answer.out
    assert "new       " in answer.out


def test_a_second_import_changes_nothing(tmp_path: Path) -> None:
    codegen("import", *ALL_PAGES, "--schemas", tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    answer = codegen("import", *reversed(ALL_PAGES), "--schemas", tmp_path)
    assert "0 files changed" in answer.out
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == times


def test_two_languages_of_one_model_are_one_model(tmp_path: Path) -> None:
    answer = codegen("import", TEXT_IT, TEXT_RU, "--schemas", tmp_path)
    assert answer.code == 0
    assert "1 model, 3 files changed" in answer.out


def test_a_page_on_stdin(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("runcomfy-codegen")
    done = subprocess.run(
        [script, "import", "-", "--schemas", tmp_path], input=EDIT_DE.read_bytes(), capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert b"<stdin>" in done.stdout
    assert (tmp_path / EDIT / "input.json").is_file()


def test_line_ends_and_byte_order_marks_do_not_matter(tmp_path: Path) -> None:
    codegen("import", EDIT_DE, "--schemas", tmp_path / "plain")
    text = EDIT_DE.read_text(encoding="utf-8")
    (tmp_path / "crlf.txt").write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    (tmp_path / "utf16.txt").write_bytes(text.encode("utf-16"))
    for name in ("crlf", "utf16"):
        assert codegen("import", tmp_path / f"{name}.txt", "--schemas", tmp_path / name).code == 0
        assert files_below(tmp_path / name) == files_below(tmp_path / "plain")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("\n", "\n    \u00a0\u00a0", id="indents of no-break spaces"),
        pytest.param('": ', '":\u00a0', id="no-break spaces after colons"),
        pytest.param("{\n", "{\u200b\n", id="zero-width spaces after braces"),
        pytest.param('"image_urls"', '\ufeff"image_urls"\u2060', id="zero-width marks around keys"),
        pytest.param("on the boat", "on the captain'\\''s boat", id="a quote escaped for the shell"),
        pytest.param("--data '", "--data-raw '", id="data-raw"),
        pytest.param("--url https://", '--url "https://', id="quoted URL"),
        pytest.param("\n}'", "\n}\n'", id="quote on a line of its own"),
    ],
)
def test_harmless_changes_of_a_page(old: str, new: str, tmp_path: Path) -> None:
    codegen("import", EDIT_DE, "--schemas", tmp_path / "plain")
    page = tmp_path / "page.txt"
    text = EDIT_DE.read_text(encoding="utf-8")
    assert old in text
    page.write_text(text.replace(old, new), encoding="utf-8")
    answer = codegen("import", page, "--schemas", tmp_path / "changed")
    assert answer.code == 0, answer.err
    name = f"{EDIT}/example.json"
    example = read_json(tmp_path / "changed" / name)
    if "captain" in new:
        assert example["prompt"].endswith("on the captain's boat")
    else:
        assert example == read_json(tmp_path / "plain" / name)


class TestLanguages:
    """Equal facts: English wins, else the first stays."""

    SCHEMAS: Mapping[str, Mapping[str, Any]] = {
        language: {
            "type": "object",
            "title": title,
            "properties": {"prompt": {"type": "string", "title": prompt, "description": text}},
        }
        for language, title, prompt, text in (
            ("en", "Input schema", "Prompt", "The text that describes the image."),
            ("ru", "Схема входа", "Запрос", "Текст, который описывает изображение."),
            ("de", "Eingabeschema", "Beschreibung", "Der Text, der das Bild beschreibt."),
            ("zh", "输入", "提示", "描述图像的文本"),
        )
    }

    def import_(self, store: Path, *languages: str) -> Any:
        pages = []
        for language in languages:
            page = store.with_name(f"{language}.txt")
            page.write_text(page_of("acme/poster-1", self.SCHEMAS[language]), encoding="utf-8")
            pages.append(page)
        answer = codegen("import", *pages, "--schemas", store)
        assert answer.code == 0, answer.err
        return read_json(store / "acme/poster-1/input.json")["properties"]["prompt"]["title"]

    @pytest.mark.parametrize(
        ("languages", "winner"),
        [
            (("ru", "en"), "Prompt"),
            (("de", "en", "zh"), "Prompt"),
            (("ru", "de"), "Запрос"),
            (("zh", "ru"), "提示"),
            (("en", "de"), "Prompt"),
        ],
    )
    def test_pages_of_one_call(self, languages: tuple[str, ...], winner: str, tmp_path: Path) -> None:
        assert self.import_(tmp_path / "store", *languages) == winner

    @pytest.mark.parametrize(
        ("first", "second", "winner"),
        [("ru", "en", "Prompt"), ("en", "ru", "Prompt"), ("de", "ru", "Beschreibung"), ("de", "en", "Prompt")],
    )
    def test_a_page_and_the_store(self, first: str, second: str, winner: str, tmp_path: Path) -> None:
        self.import_(tmp_path / "store", first)
        assert self.import_(tmp_path / "store", second) == winner

    @pytest.mark.parametrize("language", ["ru", "de", "zh", "en"])
    def test_the_title_of_the_whole_is_plain(self, language: str, tmp_path: Path) -> None:
        self.import_(tmp_path / "store", language)
        assert read_json(tmp_path / "store/acme/poster-1/input.json")["title"] == "Input schema"


class TestOutputs:
    COMMON = read_json(STORE / "output.json")
    INPUT: Mapping[str, Any] = {"type": "object", "properties": {"prompt": {"type": "string"}}}
    AUDIO: Mapping[str, Any] = {"output": {"type": "object", "properties": {"audio": {"type": "string"}}}}

    def import_(self, folder: Path, output: object, *options: str) -> tuple[int, str]:
        page = folder / "page.txt"
        page.write_text(page_of("acme/poster-1", self.INPUT, output=output), encoding="utf-8")
        answer = codegen("import", page, "--schemas", folder / "store", *options)
        return answer.code, answer.out + answer.err

    def own(self, folder: Path) -> Path:
        return folder / "store/acme/poster-1/output.json"

    def test_the_common_one_is_not_written_again(self, tmp_path: Path) -> None:
        code, output = self.import_(tmp_path, self.COMMON)
        assert code == 0
        assert "the common one" in output
        assert not self.own(tmp_path).exists()
        assert read_json(tmp_path / "store/output.json") == self.COMMON

    def test_another_one_is_the_models_own(self, tmp_path: Path) -> None:
        assert self.import_(tmp_path, self.AUDIO)[0] == 0
        assert read_json(self.own(tmp_path)) == self.AUDIO

    def test_from_common_to_own_is_a_change(self, tmp_path: Path) -> None:
        self.import_(tmp_path, self.COMMON)
        code, output = self.import_(tmp_path, self.AUDIO)
        assert code == 65
        assert "E079 the output schema of acme/poster-1 was the common one until now" in output
        assert not self.own(tmp_path).exists()
        assert self.import_(tmp_path, self.AUDIO, "--replace")[0] == 0
        assert self.own(tmp_path).exists()

    def test_from_own_to_common_removes_the_file(self, tmp_path: Path) -> None:
        self.import_(tmp_path, self.AUDIO)
        assert self.import_(tmp_path, self.COMMON)[0] == 65
        code, output = self.import_(tmp_path, self.COMMON, "--replace")
        assert code == 0
        assert "removed" in output
        assert not self.own(tmp_path).exists()


class TestReplace:
    @pytest.fixture
    def other(self, tmp_path: Path) -> Path:
        page = tmp_path / "other.txt"
        text = EDIT_DE.read_text(encoding="utf-8")
        page.write_text(
            text.replace('"maxLength": 800', '"maxLength": 700').replace('"maxItems": 10', '"maxItems": 12'),
            encoding="utf-8",
        )
        return page

    def test_other_facts_are_refused_and_shown(self, other: Path, tmp_path: Path) -> None:
        store = tmp_path / "store"
        codegen("import", EDIT_DE, "--schemas", store)
        before = files_below(store)
        answer = codegen("import", other, SEQUENTIAL_RU, "--schemas", store)
        assert answer.code == 65
        assert "breaking  prompt: maxLength 800 -> 700" in answer.err
        assert "compatible  image_urls: maxItems 10 -> 12" in answer.err
        assert "--replace" in answer.err
        # All or nothing: the other page of the call is not written either.
        assert files_below(store) == before

    def test_replace_replaces_and_shows(self, other: Path, tmp_path: Path) -> None:
        store = tmp_path / "store"
        codegen("import", EDIT_DE, "--schemas", store)
        answer = codegen("import", other, "--schemas", store, "--replace")
        assert answer.code == 0
        assert "breaking  prompt: maxLength 800 -> 700" in answer.out
        assert read_json(store / EDIT / "input.json")["properties"]["prompt"]["maxLength"] == 700

    def test_a_broken_file_in_the_store_is_reported_and_can_be_replaced(self, tmp_path: Path) -> None:
        store = tmp_path / "store"
        codegen("import", EDIT_DE, "--schemas", store)
        (store / EDIT / "input.json").write_text("{", encoding="utf-8")
        answer = codegen("import", EDIT_DE, "--schemas", store)
        assert answer.code == 65
        assert "input.json:1:2: E003" in answer.err
        assert codegen("import", EDIT_DE, "--schemas", store, "--replace").code == 0
        assert read_json(store / EDIT / "input.json")["type"] == "object"

    def test_another_example_is_kept_unless_replaced(self, tmp_path: Path) -> None:
        store = tmp_path / "store"
        codegen("import", TEXT_IT, "--schemas", store)
        page = tmp_path / "page.txt"
        page.write_text(TEXT_IT.read_text(encoding="utf-8").replace("on the street", "at sea"), encoding="utf-8")
        # The sample is the default too, which is a fact of the schema.
        assert codegen("import", page, "--schemas", store).code == 65
        example = {"prompt": "another"}
        schema = read_json(store / TEXT / "input.json")
        page.write_text(page_of(TEXT, schema, example=example), encoding="utf-8")
        answer = codegen("import", page, "--schemas", store)
        assert answer.code == 0
        assert "kept" in answer.out
        assert read_json(store / TEXT / "example.json") != example
        assert codegen("import", page, "--schemas", store, "--replace").code == 0
        assert read_json(store / TEXT / "example.json") == example


def test_a_write_that_fails_leaves_no_half(tmp_path: Path) -> None:
    # A file stands where a model's folder must go.
    (tmp_path / "bytedance").mkdir()
    (tmp_path / "bytedance" / "seedream-4-0").write_text("", encoding="utf-8")
    answer = codegen("import", *ALL_PAGES, "--schemas", tmp_path)
    assert answer.code == 74
    assert "Traceback" not in answer.err
    assert sorted(files_below(tmp_path)) == ["bytedance/seedream-4-0"]


@pytest.mark.parametrize("words", [("missing.txt",), (PAGES,), ("-", "-"), ()])
def test_what_cannot_be_read_is_a_wrong_call(words: tuple[object, ...], tmp_path: Path) -> None:
    answer = codegen("import", *words, "--schemas", tmp_path)
    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert files_below(tmp_path) == {}
