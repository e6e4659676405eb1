"""Input schemas made by hypothesis: every construct of the dialect, in combinations nobody thought of."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]

_WORDS = (
    "prompt",
    "scale",
    "seed",
    "images",
    "width×height",
    "143_image",
    "class",
    "num-steps",
    "Ünit",
    "a b",
    "len",
    "x",
)
# hypothesis draws the ends of a span more often than its middle; these are drawn evenly.
_counts = st.sampled_from([0, 1, 2, 3, 4])
_seldom = st.sampled_from([False, False, False, False, True])
_numbers = st.one_of(st.integers(-20, 20), st.sampled_from([0.5, -1.5, 0.25, 2.75, 1.0, -0.0]))
_texts = st.sampled_from(["", "a", "b", "auto", "5", "1:1", "16:9", "4K", "ä", "\U0001f319", 'quo"te', "back\\slash"])
_plain_values = st.one_of(_texts, st.integers(-3, 9), st.booleans(), st.sampled_from([0.5, 1.5, 2.0]), st.none())
_rules = st.fixed_dictionaries(
    {
        "validation_rule": st.sampled_from(["width_pixels<=", "width/height≥", "file_size_mb<", "fps<"]),
        "validation_value": st.sampled_from([5, "0.33", "1/3", 4.7]),
        "validation_error": st.just("Out of bounds."),
    }
)


@st.composite
def numbers(draw: st.DrawFn) -> Schema:
    schema: Schema = {"type": draw(st.sampled_from(["integer", "float", "number"]))}
    low, high = sorted([draw(_numbers), draw(_numbers)])
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = high + 2
    if draw(_seldom):
        schema = {"type": schema["type"], "multipleOf": draw(st.sampled_from([1, 2, 8]))}
    return schema


@st.composite
def strings(draw: st.DrawFn) -> Schema:
    schema: Schema = {"type": "string"}
    kind = draw(st.sampled_from(["length", "length", "length", "media", "media", "pattern"]))
    if kind == "media":
        schema["format"] = draw(st.sampled_from(["image_uri", "video_uri", "audio_uri"]))
        schema["validations"] = draw(st.lists(_rules, max_size=2))
    elif kind == "pattern":
        schema["pattern"] = draw(st.sampled_from(["^a", "[0-9]+", "^.{2,3}$", "x|y"]))
    else:
        low = draw(_counts)
        if draw(st.booleans()):
            schema["minLength"] = low
        if draw(st.booleans()):
            schema["maxLength"] = low + draw(_counts)
    return schema


def enums() -> st.SearchStrategy[Schema]:
    return st.one_of(
        st.lists(_texts, min_size=1, max_size=5, unique=True).map(lambda values: {"type": "string", "enum": values}),
        st.lists(st.integers(-2, 12), min_size=1, max_size=5, unique=True).map(
            lambda values: {"type": "integer", "enum": values}
        ),
        st.lists(st.sampled_from([0, 0.5, 1, 2.0, 3.25]), min_size=1, max_size=4, unique=True).map(
            lambda values: {"type": "float", "enum": values}
        ),
        st.lists(_plain_values, min_size=1, max_size=5, unique_by=repr).map(lambda values: {"enum": values}),
        _plain_values.filter(lambda value: value is not None).map(lambda value: {"const": value}),
        st.sampled_from([{"enum": [[1, True], {"a": 1}]}, {"enum": [[1.0, None], "x"]}]),
    )


@st.composite
def arrays(draw: st.DrawFn, items: st.SearchStrategy[Schema]) -> Schema:
    schema: Schema = {"type": "array"}
    kind = draw(st.sampled_from(["items", "items", "items", "media", "any"]))
    if kind == "media":
        schema["format"] = draw(st.sampled_from(["image_uris", "video_uris"]))
        schema["validations"] = draw(st.lists(_rules, max_size=2))
    elif kind == "items":
        schema["items"] = draw(items)
    low = draw(_counts)
    if draw(st.booleans()):
        schema["minItems"] = low
    if draw(st.booleans()):
        schema["maxItems"] = low + draw(_counts)
    if draw(_seldom):
        schema["uniqueItems"] = True
    return schema


@st.composite
def objects(draw: st.DrawFn, parts: st.SearchStrategy[Schema], least: int = 0) -> Schema:
    names = draw(st.lists(st.sampled_from(_WORDS), min_size=least, max_size=least + 5, unique=True))
    schema: Schema = {"type": "object", "properties": {name: draw(parts) for name in names}}
    required = [name for name in names if draw(st.booleans())]
    if required:
        schema["required"] = required
    extra = draw(st.sampled_from([None, None, False, True])) if not least else None
    return schema if extra is None else {**schema, "additionalProperties": extra}


def _compound(parts: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.one_of(
        arrays(parts),
        objects(parts),
        st.lists(parts, min_size=2, max_size=3).map(lambda nodes: {"anyOf": nodes}),
        st.lists(parts, min_size=2, max_size=3).map(lambda nodes: {"oneOf": nodes}),
        st.just({"type": "object"}),
    )


def _mixed() -> st.SearchStrategy[Schema]:
    """Several types in one, whose keywords each bind their own kind of value."""
    types = st.lists(
        st.sampled_from(["string", "integer", "boolean", "null", "float"]), min_size=2, max_size=3, unique=True
    )
    bounds = st.sampled_from([{}, {"maxLength": 2}, {"minimum": 1}, {"maxLength": 1, "maximum": 3}])
    return st.tuples(types, bounds).map(lambda both: {"type": both[0], **both[1]})


_leaves = st.one_of(
    numbers(), strings(), enums(), _mixed(), st.just({"type": "boolean"}), st.just({"type": "null"}), st.just({})
)


def inputs() -> st.SearchStrategy[Schema]:
    """Whole input schemas."""
    return objects(st.recursive(_leaves, _compound, max_leaves=6), least=4)
