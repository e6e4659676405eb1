"""Each node by itself: what it lets pass, and the code of what it does not."""

from __future__ import annotations

import enum
import math
import time

import pytest
from runcomfy_client.schema import (
    AllOf,
    AnyOf,
    AnyValue,
    Array,
    Boolean,
    Enum,
    Integer,
    Media,
    MediaRule,
    Node,
    Null,
    Number,
    Object,
    OneOf,
    Property,
    String,
)
from runcomfy_client.schema.findings import Deferred


class Colour(enum.StrEnum):
    RED = "red"


class Count(enum.IntEnum):
    FIVE = 5


def codes(node: Node, value: object) -> list[str]:
    found = node.check(value) or []
    return [
        each.code for finding in found for each in (finding.findings() if isinstance(finding, Deferred) else [finding])
    ]


SPAN = Number(minimum=0, maximum=1)
HUGE = 10**400

RULED = Object(
    {"steps": Property(Integer(), rules=(MediaRule(None, None, 5, raw="hops<"), MediaRule("width_pixels", "<", 5)))}
)

CASES: list[tuple[Node, object, list[str]]] = [
    (String(), "", []),
    (String(), "naïve \U0001f319", []),
    (String(), Colour.RED, []),
    (String(), 5, ["type"]),
    (String(), None, ["type"]),
    (String(), b"bytes", ["type"]),
    (String(), "\ud800", ["surrogate"]),
    (String(max_length=1), "\U0001f319", []),
    (String(max_length=1), "a\ud800", ["length", "surrogate"]),
    (String(min_length=2, max_length=3), "a", ["length"]),
    (String(min_length=2, max_length=3), "abc", []),
    (String(min_length=2, max_length=3), "abcd", ["length"]),
    (String(pattern="^a+$"), "aaa", []),
    (String(pattern="a"), "cat", []),
    (String(pattern="^a+$", max_length=2), "bbb", ["length", "pattern"]),
    (String(pattern="(?<name"), "x", ["pattern"]),
    (String(format="uri"), "x", ["format"]),
    (Number(), 0, []),
    (Number(), -0.0, []),
    (Number(), True, ["type"]),
    (Number(), "1", ["type"]),
    (Number(), math.nan, ["not_finite"]),
    (Number(), -math.inf, ["not_finite"]),
    (Number(), HUGE, ["not_finite"]),
    (Number(), 1.7976931348623157e308, []),
    (SPAN, 0, []),
    (SPAN, 1.0, []),
    (SPAN, 1.01, ["range"]),
    (SPAN, -5, ["range"]),
    (SPAN, math.nan, ["not_finite"]),
    (SPAN, False, ["type"]),
    (Number(exclusive_minimum=0, exclusive_maximum=1), 0, ["range"]),
    (Number(exclusive_minimum=0, exclusive_maximum=1), 0.5, []),
    (Number(exclusive_minimum=0, exclusive_maximum=1), 1, ["range"]),
    (Number(multiple_of=0.1), 0.3, []),
    (Number(multiple_of=0.1, maximum=1), 1.25, ["range", "multiple_of"]),
    (Number(multiple_of=8), 2**70, []),
    (Number(multiple_of=8), 2**70 + 1, ["multiple_of"]),
    (Integer(multiple_of=3), 1e300, []),  # as the integer it is sent as, 10**300 is none
    (Integer(), 1, []),
    (Integer(), 1.0, []),
    (Integer(), -0.0, []),
    (Integer(), Count.FIVE, []),
    (Integer(), 1.5, ["type"]),
    (Integer(), True, ["type"]),
    (Integer(), math.inf, ["not_finite"]),
    (Integer(), HUGE, ["not_finite"]),
    (Integer(), 2**200, []),
    (Integer(minimum=0, maximum=4), 4.5, ["type", "range"]),
    (Integer(minimum=0, maximum=4), 5.0, ["range"]),
    (Boolean(), True, []),
    (Boolean(), 1, ["type"]),
    (Boolean(), "true", ["type"]),
    (Null(), None, []),
    (Null(), 0, ["type"]),
    (Enum(("red", "blue")), "red", []),
    (Enum(("red", "blue")), Colour.RED, []),
    (Enum(("red", "blue")), "Red", ["enum"]),
    (Enum(("red", "blue")), 5, ["type"]),
    (Enum(("red", "blue")), ["red"], ["type"]),
    (Enum((1, 5)), 5, []),
    (Enum((1, 5)), 5.0, []),
    (Enum((1, 5)), Count.FIVE, []),
    (Enum((1, 5)), True, ["type"]),
    (Enum((1, 5)), "5", ["type"]),
    (Enum((1, 5)), math.nan, ["enum"]),
    (Enum((1, 5)), 4, ["enum"]),
    (Enum((0, False)), False, []),
    (Enum((0, "a")), False, ["type"]),
    (Enum((True,)), 1, ["type"]),
    (Enum((None, "a")), None, []),
    (Enum(([1, {"a": True}],)), [1.0, {"a": True}], []),
    (Enum(([1, {"a": True}],)), [1, {"a": 1}], ["enum"]),
    (Array(), [1, "a", None, {"b": [math.nan]}], ["not_finite"]),
    (Array(Integer(), min_items=1, max_items=2), [], ["items"]),
    (Array(Integer(), min_items=1, max_items=2), (1, 2), []),
    (Array(Integer(), min_items=1, max_items=2), [1, "x", 2.5], ["items", "type", "type"]),
    (Array(Integer()), "123", ["type"]),
    (Array(Integer()), {"0": 1}, ["type"]),
    (Array(AnyValue(), unique_items=True), [1, True, "1", [1], [1.0], 1.0], ["unique", "unique"]),
    (Array(String(), rules=(MediaRule("width_pixels", "<", 5),)), ["x"], ["media_rule"]),
    (Object({"a": Property(Integer())}, required=("a",)), {}, ["required"]),
    (Object({"a": Property(Integer())}, required=("b",)), {"b": 1}, ["unknown_key"]),
    (Object({"a": Property(Integer())}), {"a": "x", "b": 1, 3: 1}, ["type", "unknown_key", "unknown_key"]),
    (Object({"a": Property(Integer())}), [], ["type"]),
    (Object({}, extra=True), {"a": {"b": "\udfff"}}, ["surrogate"]),
    (Object({}, extra=True), {"\ud800": {"\udfff": math.nan}}, ["surrogate", "surrogate", "not_finite"]),
    (AnyOf(Number(maximum=1), Null()), None, []),
    (AnyOf(Number(maximum=1), Null()), 2, ["range"]),
    (AnyOf(Number(maximum=1), Null()), "x", ["type"]),
    (AnyOf(String(), Integer()), [], ["any_of"]),
    (AnyOf(Number(), Integer()), 1, []),
    (OneOf(Number(), Integer()), 1, ["one_of"]),
    (OneOf(Number(), Integer()), 1.5, []),
    (OneOf(Enum(("a",)), Object({"w": Property(Integer())})), {"w": "x", "z": 1}, ["type", "unknown_key"]),
    (AllOf(String(max_length=3), Enum(("a", "abcd"))), "abcd", ["length"]),
    (AllOf(String(max_length=3), Enum(("a", "abcd"))), "a", []),
    (AnyValue(), {"a": [1, 2.5, "x", None, True]}, []),
    (AnyValue(), {"a": {1, 2}}, ["type"]),
    (AnyValue(), {"a": b"x"}, ["type"]),
    (AnyValue(), {1: "x"}, ["unknown_key"]),
    (Media("image"), "https://example.com/a.png", []),
    (Media("image"), "HTTPS://example.com/a.png", []),
    (Media("image"), "https://bücher.example/ä.png", []),
    (Media("image"), "http://example.com/a.png", ["media_source"]),
    (Media("image"), "https:///a.png", ["media_source"]),
    (Media("image"), "https://", ["media_source"]),
    (Media("image"), "https://a.example/b c", ["media_source"]),
    (Media("image"), "https://a.example/b\n", ["media_source"]),
    (Media("image"), "https://a.example/\ud800", ["surrogate", "media_source"]),
    (Media("image"), "cat.png", ["media_source"]),
    (Media("image"), "", ["media_source"]),
    (Media("image"), 5, ["type"]),
    (Media("image"), None, ["type"]),
    (Media("image", max_length=20), "https://example.com/a.png", ["length"]),
    (Media("image", rules=(MediaRule("width_pixels", "<", 5),)), "https://example.com/a", ["media_rule"]),
    (Media("image", rules=(MediaRule(None, None, "x", raw="odd<"),)), "https://example.com/a", ["unknown_rule"]),
    (RULED, {"steps": 3}, ["unknown_rule", "media_rule"]),
    (RULED, {"steps": "x"}, ["type", "unknown_rule", "media_rule"]),
    (RULED, {}, []),
]


@pytest.mark.parametrize(("node", "value", "expected"), CASES, ids=lambda value: repr(value)[:50])
def test_node(node: Node, value: object, expected: list[str]) -> None:
    assert codes(node, value) == expected
    # What a node remembers must not change what it says, nor leak a place into it.
    assert codes(node, value) == expected
    assert all(not finding.keys for finding in node.check(value) or []) or isinstance(
        node, (Array, Object, AnyValue, OneOf)
    )


def test_equal_items_are_found_among_very_many() -> None:
    items: list[object] = [{"a": [number, str(number)]} for number in range(8_000)]
    started = time.process_time()
    assert codes(Array(AnyValue(), unique_items=True), items) == []
    alone = time.process_time() - started
    assert codes(Array(AnyValue(), unique_items=True), [*items, {"a": [7.0, "7"]}, {"a": [True, "1"]}]) == ["unique"]
    started = time.process_time()
    codes(Array(AnyValue(), unique_items=True), items * 4)
    assert time.process_time() - started < 40 * alone + 1  # four times as many pairs a side would be sixteen times


@pytest.mark.parametrize(
    "pattern",
    ["^(a|aa)+$", *(pytest.param(pattern, marks=pytest.mark.long) for pattern in ("^(a|a?)+$", "(.*a){25}$"))],
)
def test_a_pattern_that_takes_too_long_is_given_up(pattern: str) -> None:
    node = String(pattern=pattern)
    started = time.monotonic()
    for _ in range(20):
        assert [(each.severity, each.code) for each in node.check("a" * 5000 + "!") or []] in (
            [("unchecked", "pattern")],
            [("error", "pattern")],
        )
    assert time.monotonic() - started < 20
    assert codes(String(pattern="^(a|aa)+$"), "a" * 60 + "!") == ["pattern"]
    (finding,) = String(pattern="^(a|aa)+$").check("a" * 60 + "!") or []
    assert (finding.severity, finding.message) == (
        "unchecked",
        "to match the pattern '^(a|aa)+$' takes too long",
    )


def test_too_deep_is_a_fault_even_without_an_end() -> None:
    ring: list[object] = []
    ring.append(ring)
    assert codes(AnyValue(), ring) == ["too_deep"]


def test_a_key_error_within_a_node_is_not_taken_for_an_unknown_key() -> None:
    class Broken(Node):
        def check(self, value: object) -> None:
            raise KeyError("a")

    with pytest.raises(KeyError):
        Object({"a": Property(Broken())}).check({"a": 1})


def test_a_node_shows_what_it_was_made_of() -> None:
    node = Array(Number(minimum=0, maximum=1), max_items=3)
    assert repr(node) == "Array(items=Number(maximum=1, minimum=0), max_items=3)"
    assert node.arguments() == {"items": node.items, "max_items": 3}


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (Number(), "any number"),
        (Number(minimum=0, maximum=1), "from 0 to 1"),
        (Number(minimum=0), "at least 0"),
        (Number(exclusive_minimum=0, maximum=1), "above 0 and at most 1"),
        (Number(minimum=0, maximum=9, exclusive_maximum=5), "at least 0 and at most 9 and below 5"),
    ],
)
def test_bounds_in_words(node: Number, words: str) -> None:
    assert node.span() == words
