"""What people read: what was given, what is allowed, the nearest fit; short, and harmless to a terminal."""

from __future__ import annotations

import pytest
from runcomfy_client.schema import (
    Array,
    Boolean,
    Enum,
    Integer,
    Media,
    ModelSpec,
    Node,
    Number,
    Object,
    Property,
    Report,
    String,
    check,
    suggest,
)
from runcomfy_client.schema.suggest import nearest, rank


def told(node: Node, value: object) -> str:
    (finding,) = node.check(value) or []
    return finding.message


RATIOS = Enum(("1024x1024(1:1)", "2048x2048(1:1)", "2560x1440(16:9)"))


@pytest.mark.parametrize(
    ("node", "value", "message"),
    [
        (Number(minimum=0, maximum=1), 1.01, "must be from 0 to 1, got 1.01"),
        (Number(), "0.5", "expected a number, got the text '0.5'; write it without quotes"),
        (Number(), True, "expected a number, got true; true and false are never numbers"),
        (Integer(), 1.5, "expected an integer, got the number 1.5; it must be whole"),
        (Boolean(), 1, "expected true or false, got the number 1; write true"),
        (Boolean(), "False", "expected true or false, got the text 'False'; write it without quotes"),
        (String(), 5, "expected a string, got the number 5; write it in quotes"),
        (String(), None, "expected a string, got null; leave the key out if it is not given"),
        (String(max_length=800), "x" * 801, "must be at most 800 characters long, got 801"),
        (String(min_length=5, max_length=5), "x", "must be exactly 5 characters long, got 1"),
        (Array(String()), "x", "expected a list, got the text 'x'; put it in a list"),
        (Array(String(), min_items=2, max_items=2), ["x"], "must hold exactly 2 items, got 1"),
        (Enum((5, 10)), "5", "expected one of 5 or 10, got the text '5'; did you mean the number 5?"),
        (Enum((5, 10)), 6, "6 is not allowed; it must be one of 5 or 10; did you mean 5?"),
        (Enum(("only",)), "x", "'x' is not allowed; it must be 'only'"),
        (
            RATIOS,
            "2048x2048",
            "'2048x2048' is not allowed; it must be one of '1024x1024(1:1)', '2048x2048(1:1)' or '2560x1440(16:9)'; "
            "did you mean '2048x2048(1:1)'?",
        ),
        (
            Media("video"),
            "clip.mp4",
            "'clip.mp4' is neither an https:// URL nor a data: URI",
        ),
        (Media("image"), "", "expected an image, got an empty text; leave the key out if there is none"),
    ],
)
def test_message(node: Node, value: object, message: str) -> None:
    assert told(node, value) == message


def test_a_misspelt_key_is_named_with_the_right_one(spec: ModelSpec, good: dict[str, object]) -> None:
    (problem,) = check(spec, {**good, "scal": 1}).errors
    assert (problem.path, problem.code, problem.suggestion) == ("/scal", "unknown_key", "scale")
    assert problem.message == "unknown key 'scal': did you mean 'scale'?"
    assert problem.allowed is not None
    assert "seed" in problem.allowed


def test_a_python_name_in_a_payload_leads_to_its_wire_name(spec: ModelSpec, good: dict[str, object]) -> None:
    (problem,) = check(spec, {**good, "width_height": "1024x1024(1:1)"}).errors
    assert problem.message == "unknown key 'width_height': on the wire it is called 'width×height'"


@pytest.mark.parametrize(
    "value", ["x" * 10**6, ["x"] * 10**6, {"k": "x" * 10**6}, 10**4400, b"x" * 10**6], ids=range(5)
)
def test_a_message_never_holds_megabytes(value: object) -> None:
    spec = ModelSpec("a/b", Object({"a": Property(Integer())}))
    report = check(spec, {"a": value, "x" * 10**6: 1})
    assert len(report.errors) == 2
    assert all(len(problem.message) < 300 for problem in report.errors)
    assert len(str(report)) < 1000


def test_very_many_problems_make_a_page_of_text() -> None:
    report = check(ModelSpec("a/b", Object({"a": Property(Array(Integer()))})), {"a": ["x"] * 20_000})
    assert len(report.errors) == 20_000
    assert len(str(report).splitlines()) == 1 + 50 + 1
    assert str(report).endswith("... and 19950 more")


def test_hostile_text_does_not_reach_the_terminal(spec: ModelSpec, good: dict[str, object]) -> None:
    text = str(check(spec, {**good, "\x1b[2J\n": "\x1b]0;title\x07", "prompt": "\u202e" * 30, "extra": "\ud800"}))
    assert text.isascii() or all(c.isprintable() or c == "\n" for c in text)
    assert text.encode()
    assert len(text.splitlines()) == 1 + 3 + 2  # a summary, the problems, what is not checked


@pytest.mark.parametrize(
    ("given", "known", "best"),
    [
        ("scal", ["scale", "seed"], "scale"),
        ("promt", ["prompt", "negative_prompt"], "prompt"),
        ("hieght", ["height", "weight", "width"], "height"),
        ("IMAGE_URL", ["image_url", "video_url"], "image_url"),
        ("1080", ["720p", "1080p"], "1080p"),
        ("sclae", ["seed", "scale"], "scale"),
        ("rpompt", ["prompt"], "prompt"),
        ("promptt", ["prompt"], "prompt"),
        ("hihg", ["low", "high"], "high"),
        ("ihgh", ["low", "high"], "high"),
        ("abcd", ["abcdabcd", "abxcd"], "abxcd"),  # fewer pairs are shared, but it is one slip away
        ("abxcd", ["abxcdabxcd", "abcd"], "abcd"),
        ("abycd", ["abyabycd", "abxcd"], "abxcd"),
        ("turbo", ["tur-turbo", "turbo-large"], "turbo-large"),
        ("SEED", ["seeds", "seed"], "seed"),
        ("2048x2048", ["1024x1024(1:1)", "2048x2048(1:1)"], "2048x2048(1:1)"),
        ("image", ["image_url_a", "image_url_b"], "image_url_a"),
        ("a", ["abc"], None),
        ("inference_step_count", ["seed", "num_inference_steps"], "num_inference_steps"),
        ("begin", ["a\nbegin"], "a\nbegin"),
        ("16:9", ["1024x1024(1:1)", "2560x1440(16:9)", "5404x3040(16:9)"], "2560x1440(16:9)"),
        ("size", ["prompt", "sequential_image_size"], "sequential_image_size"),
        ("edit", ["acme/some-model/text-to-image", "acme/some-model/edit"], "acme/some-model/edit"),
        ("age", ["prompt", "sequential_image_size"], None),
        ("1", ["image 1", "image 2"], None),
        ("zzz", ["scale", "seed"], None),
        ("", ["a"], None),
        ("x" * 10**7, ["x"], None),
    ],
)
def test_nearest(given: str, known: list[str], best: str | None) -> None:
    assert nearest(given, known) == best


def test_the_words_that_are_remembered_are_few() -> None:
    node = Object({"size": Property(Enum(("small", "large")))})
    for number in range(2000):
        assert len(node.check({f"key{number}": 1, "size": f"size{number}", "x" * (number + 200): 1}) or ()) == 3
    assert suggest._nearest.cache_info().currsize <= 1024


def test_ranked_puts_the_nearest_first() -> None:
    ids = ["bytedance/dreamina-4-0/edit", "bytedance/dreamina-4-0/text-to-image", "kling/kling-3.0/edit"]
    assert rank("bytedance/dreamina-4.0/edit", ids)[0] == "bytedance/dreamina-4-0/edit"


def test_an_empty_report_is_ok() -> None:
    assert str(Report("a/b")) == "a/b: ok"


def test_a_long_code_moves_no_message_out_of_line() -> None:
    from runcomfy_client.packages import validate_spec

    report = validate_spec(ModelSpec("a/b", Object({"a": Property(String())})), '{"a": 1, "a": 2}')
    rows = str(report).splitlines()[1:]
    assert [row.index(word) for row, word in zip(rows, ("the key", "expected"), strict=True)] == [21, 21]
