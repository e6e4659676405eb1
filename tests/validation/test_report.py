"""The report: every problem at once, in order, with places, and the same facts as JSON."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
import runcomfy
from runcomfy import UnknownModelError
from runcomfy_client.packages import validate_spec
from runcomfy_client.schema import (
    Array,
    ErrorFinding,
    ModelSpec,
    Number,
    Object,
    Property,
    Report,
    String,
    UncheckedFinding,
    check,
)
from runcomfy_client.schema.json_payload import read_payload

if TYPE_CHECKING:
    from runcomfy_client.models import InputModel, MediaOutput

EDIT = "bytedance/dreamina-4-0/edit"


@pytest.mark.parametrize("payload", [{"prompt": "x", "image_urls": ["https://example.com/a.png"]}, {"prompt": 1}, {}])
def test_a_report_is_true_where_it_is_ok(payload: dict[str, object]) -> None:
    report = runcomfy.validate(EDIT, payload)
    assert bool(report) is report.ok is (len(payload) == 2)


def test_nothing_hides_anything(spec: ModelSpec) -> None:
    report = check(
        spec,
        {
            "image_urls": ["https://example.com/a.png", "cat.png", 5, "https://example.com/b.png"],
            "promt": "x",
            "width×height": "2048x2048",
            "duration": True,
            "scale": 1.01,
            "seed": 0.5,
            "sound": None,
            "loras": [{"path": 1}, {"scale": 9, "pth": ""}],
            "size": {"width": "64", "depth": 1},
            "note": "long",
        },
    )
    assert not report.ok
    assert [(problem.path, problem.code) for problem in report.errors] == [
        ("/duration", "type"),
        ("/image_urls", "items"),
        ("/image_urls/1", "media_source"),
        ("/image_urls/2", "type"),
        ("/loras/0/path", "type"),
        ("/loras/1/path", "required"),
        ("/loras/1/pth", "unknown_key"),
        ("/loras/1/scale", "range"),
        ("/note", "length"),
        ("/prompt", "required"),
        ("/promt", "unknown_key"),
        ("/scale", "range"),
        ("/seed", "type"),
        ("/size/depth", "unknown_key"),
        ("/size/width", "type"),
        ("/sound", "type"),
        ("/width×height", "enum"),
    ]
    assert [finding.path for finding in report.unchecked] == ["/image_urls/0"] * 3 + ["/image_urls/3"] * 3
    assert [str(finding.rule) for finding in report.unchecked[:2]] == ["file_size_mb <= 1", "width_pixels <= 4096"]


def test_items_are_ordered_by_number_not_by_alphabet(spec: ModelSpec) -> None:
    report = check(spec, {"image_urls": ["x"] * 12, "prompt": ""})
    assert [problem.path for problem in report.errors][-2:] == ["/image_urls/10", "/image_urls/11"]


def test_unchecked_is_neither_good_nor_bad(spec: ModelSpec, good: dict[str, object]) -> None:
    report = check(spec, good)
    assert report.ok
    assert {finding.code for finding in report.unchecked} == {"media_rule"}
    assert all("behind a URL" in finding.message for finding in report.unchecked)


def test_two_reports_share_nothing(spec: ModelSpec, good: dict[str, object]) -> None:
    first = check(spec, {**good, "scale": 7})
    second = check(spec, {**good, "loras": [{"path": "x", "scale": 7}]})
    assert check(spec, {**good, "scale": 7}).errors[0].path == first.errors[0].path == "/scale"
    assert second.errors[0].path == "/loras/0/scale"
    assert first.errors == first.errors
    assert first.errors[0].path == "/scale"


def test_paths_are_json_pointers(spec: ModelSpec, good: dict[str, object]) -> None:
    (problem,) = check(spec, {**good, "a/b~c": 1}).errors
    assert problem.path == "/a~1b~0c"


def test_to_dict_is_json(spec: ModelSpec) -> None:
    report = check(spec, {"image_urls": ["https://example.com/a.png"], "prompt": 5, "scale": 7})
    facts = json.loads(json.dumps(report.to_dict()))
    assert facts.keys() == {"model_id", "ok", "errors", "warnings", "unchecked"}
    assert facts["errors"][0] == {
        "path": "/prompt",
        "code": "type",
        "message": "expected a string, got the number 5; write it in quotes",
        "given": "5",
    }
    assert facts["unchecked"][0]["rule"] == "file_size_mb <= 1"


def test_a_report_survives_pickling(spec: ModelSpec) -> None:
    report = check(spec, {"image_urls": ["https://example.com/a.png"], "scale": 7})
    assert pickle.loads(pickle.dumps(report)).to_dict() == report.to_dict()  # our own bytes


def test_a_report_can_be_made_of_findings() -> None:
    report = Report(
        "a/b",
        [ErrorFinding("type", "x", keys=("b",)), ErrorFinding("type", "y", keys=("a",))],
        (),
        [UncheckedFinding("f", "z")],
    )
    assert [problem.path for problem in report.errors] == ["/a", "/b"]
    assert len(report.unchecked) == 1
    assert "2 problems, 1 not checked" in str(report)


def test_text_folds_what_is_not_checked(spec: ModelSpec, good: dict[str, object]) -> None:
    assert str(check(spec, good)).splitlines() == [
        "acme/one/edit: ok, 3 not checked",
        "  not checked:",
        "    /image_urls/0  media_rule    file_size_mb <= 1, width_pixels <= 4096, width/height >= 0.33: "
        "the file is behind a URL and was not fetched",
    ]


def test_validate_finds_the_model() -> None:
    report = runcomfy.validate(EDIT, {"image_urls": ["https://example.com/a.png"], "prompt": "Bluer"})
    assert report.ok
    assert report.model_id == EDIT


def test_an_unknown_model_is_reported_with_the_nearest() -> None:
    with pytest.raises(UnknownModelError, match="did you mean 'bytedance/dreamina-4-0/edit'"):
        runcomfy.validate("bytedance/dreamina-4-0/edt", {})


@pytest.mark.parametrize(
    "payload",
    [[], None, 5, "", "null", b"[]", "{", b"\xff\xfe\x00", '{"prompt": }', "\ufeff{}", b"\xef\xbb\xbf{}"],
)
def test_no_payload_crashes(spec: ModelSpec, payload: object) -> None:
    assert not validate_spec(spec, payload).ok


def test_json_text_and_files(spec: ModelSpec, good: dict[str, object], tmp_path: Path) -> None:
    text = json.dumps(good)
    file = tmp_path / "payload.json"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        file.write_text(text, encoding=encoding)
        assert validate_spec(spec, file).ok
    assert validate_spec(spec, text).ok
    assert validate_spec(spec, text.encode()).ok


def test_an_input_and_other_mappings_stand_for_their_payload(
    spec: ModelSpec, good: dict[str, object], edit_input: type[InputModel[MediaOutput]]
) -> None:
    assert validate_spec(spec, edit_input(**good)).ok
    assert validate_spec(spec, MappingProxyType(good)).ok


def test_a_missing_file_is_an_error(spec: ModelSpec, tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path, Path("a\x00b")):
        (problem,) = validate_spec(spec, path).errors
        assert problem.code in ("no_file", "json")


def test_the_message_about_a_file_name_as_text_says_how_to_pass_it(spec: ModelSpec) -> None:
    (problem,) = validate_spec(spec, "payload.json").errors
    assert "pathlib.Path" in str(problem)
    assert "pathlib" not in problem.message  # which files and other programs show, too


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('{"a": 1,}', 1, 8, "a comma follows the last item"),
        ('{"a": [1,\n 2,]\n}', 2, 3, "a comma follows the last item"),
        ('{"a":,}', 1, 6, "expecting value"),
        ('{"a": 1 // x\n}', 1, 9, "comments are not allowed"),
        ("# hi\n{}", 1, 1, "comments are not allowed"),
        ("{'a': 1}", 1, 2, "double quotes"),
        ("{\u201ca\u201d: 1}", 1, 2, "double quotes"),
        ("{a: 1}", 1, 2, "keys stand in double quotes"),
        ('{"a": True}', 1, 7, "JSON writes true"),
        ('{"a": 1}\n{"a": 2}', 2, 1, "another value begins here"),
        ('{"a": 1} x', 1, 10, "nothing may follow"),
        ('{"a": 1\n"b": 2}', 2, 1, "a comma"),
        ('{"a": "x\ny"}', 1, 9, "a line break"),
        ('{"a": "c:\\dir"}', 1, 10, "a backslash"),
        ('{"a": "x', 1, 7, "not closed"),
        ('{"a": 1', 1, 8, "ends too early"),
        ('\ufeff{"a": 1,}', 1, 8, "a comma follows the last item"),
    ],
)
def test_a_syntax_error_says_what_was_meant(spec: ModelSpec, text: str, line: int, column: int, words: str) -> None:
    (problem,) = validate_spec(spec, text).errors
    assert problem.code == "json"
    assert words in problem.message
    assert (problem.to_dict()["line"], problem.to_dict()["column"]) == (line, column)
    # As a line of a file of many payloads: the place is the file's.
    _, (finding,) = read_payload(text, first_line=7)
    assert finding.to_dict()["line"] == line + 6


def test_broken_json_is_reported_with_its_place(spec: ModelSpec) -> None:
    (problem,) = validate_spec(spec, '{"prompt": "x",\n "scale" 1}').errors
    assert (problem.code, problem.path) == ("json", "")
    assert "line 2, column 10" in problem.message


def test_what_json_forbids_is_found_where_it_stands(spec: ModelSpec) -> None:
    text = (
        '{"prompt": "\\ud800", "prompt": "\\udfff", "image_urls": ["https://a.example/"], "scale": NaN, "seed": 1e999, '
        '"extra": {"deep": [-Infinity, {"x": 1, "x": 2}], "digits": ' + "9" * 5000 + "}}"
    )
    assert [(problem.path, problem.code) for problem in validate_spec(spec, text).errors] == [
        ("/extra/deep/0", "not_finite"),
        ("/extra/deep/1/x", "duplicate_key"),
        ("/extra/digits", "not_finite"),
        ("/prompt", "duplicate_key"),
        ("/prompt", "surrogate"),
        ("/scale", "not_finite"),
        ("/seed", "not_finite"),
    ]


@pytest.mark.parametrize("depth", [65, 900, 100_000])
def test_depth_is_a_fault_not_a_crash(spec: ModelSpec, depth: int) -> None:
    text = '{"image_urls": ["https://a.example/b"], "prompt": "", "extra": ' + "[" * depth + "]" * depth + "}"
    (problem,) = validate_spec(spec, text).errors
    assert problem.code == "too_deep"


def test_many_equal_keys_take_no_long_time(spec: ModelSpec) -> None:
    text = "{" + ",".join(['"a": 1', '"b": 2'] * 100_000) + "}"
    assert [problem.code for problem in validate_spec(spec, text).errors].count("duplicate_key") == 2


def test_validate_takes_what_a_submit_takes() -> None:
    spec = ModelSpec("a/b", Object({"scale": Property(Number(maximum=1)), "tags": Property(Array(String()))}))
    assert validate_spec(spec, {"scale": Decimal("0.5"), "tags": ("a", "b")}).ok
    assert [each.code for each in validate_spec(spec, {"scale": Decimal("1.5"), "tags": {"a"}}).errors] == [
        "range",
        "type",
    ]


def test_the_schema_that_editors_read_is_left_out_of_texts_and_files(
    spec: ModelSpec, good: dict[str, object], tmp_path: Path, edit_input: type[InputModel[MediaOutput]]
) -> None:
    marked = {"$schema": "schemas/edit.json", **good}
    text = json.dumps(marked)
    file = tmp_path / "payload.json"
    file.write_text(text)
    for source in (file, text, text.encode()):
        assert validate_spec(spec, source).ok
    assert edit_input.model_validate_json(text).to_payload() == good
    for payload in (marked, json.dumps({**good, "$schema": 3})):  # a dict is what would be sent
        assert [finding.code for finding in validate_spec(spec, payload).errors] == ["unknown_key"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b'{"prompt":\n "\xc3\xa9\xff"}',
            "line 2, column 4: the byte 0xff does not fit here in UTF-8; save the file as",
        ),
        (b'\xff\xfe{"a": 12}', "does not fit here in UTF-16-LE, which the file begins as; save the file as UTF-8"),
    ],
)
def test_a_byte_that_is_no_text_is_named_with_its_place(spec: ModelSpec, data: bytes, message: str) -> None:
    (problem,) = validate_spec(spec, data).errors
    assert message in str(problem)
