"""Layout: long statements come out in lines that black leaves alone."""

from __future__ import annotations

import pytest
from runcomfy_codegen.rendering.layout import format_code, layout_field, layout_statement

WORDS = '"' + "word " * 20 + '" "' + "word " * 4 + '"'


@pytest.mark.parametrize(
    "statement",
    [
        f"X = Enum((({WORDS}), 1, 2))",
        # What begins with a bracket need not end with its fellow.
        f'X = Enum((({WORDS}), "one", "two"))',
        f"X = Enum((1, ({WORDS})))",
        f"X = Enum(({WORDS}))",
        f"X = String({{'a': ({WORDS}), 'b': (1, 2)}})".replace("'", '"'),
        'X = Enum(("' + '", "'.join(map(str, range(100, 140))) + '"))',
    ],
)
def test_black_leaves_a_long_statement_alone(statement: str) -> None:
    text = layout_statement(statement) + "\n"
    assert text.count("\n") > 1
    assert format_code(text) == text


@pytest.mark.parametrize("value", ["None", None])
@pytest.mark.parametrize(
    "annotation",
    [
        "str | None",
        "list[str] | None",
        "int | " + 'Literal["' + '", "'.join(map(str, range(100, 103))) + '"]',
        'Literal["' + '", "'.join(map(str, range(100, 140))) + '"] | None',
        'Annotated[str | None, Field(title="A title", description="And what it says")]',
    ],
)
def test_black_leaves_a_long_field_alone(annotation: str, value: str | None) -> None:
    for length in range(60, 101):
        text = f"class A:\n{layout_field('x' * length, annotation, value, 4)}\n"
        assert format_code(text) == text
