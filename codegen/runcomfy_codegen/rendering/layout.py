"""Statements laid out in lines that black would leave alone; black itself takes two thirds of a run to find them.

What comes in is flat: one line, commas followed by one space, nothing to normalise. A test holds black to the result.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import black
from black.mode import Mode, TargetVersion

from .imports import LINE_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterator

_INDENT: Final = 4


def layout_statement(statement: str, indent: int = 0) -> str:
    """A statement that is one line, however long, in as many lines as it takes."""
    return "\n".join(_lines(statement, indent, ""))


def layout_field(name: str, annotation: str, value: str | None, indent: int) -> str:
    """A field of a class: an annotation that is a union needs brackets of its own before it can be broken."""
    end = "" if value is None else f" = {value}"
    if indent + len(f"{name}: {annotation}{end}") > LINE_LENGTH:
        if value and indent + len(f"{name}: {annotation} = (") <= LINE_LENGTH:
            inner = " " * (indent + _INDENT)
            return f"{' ' * indent}{name}: {annotation} = (\n{inner}{value}\n{' ' * indent})"
        if len(_Parts.of(annotation).operands) > 1:
            annotation = f"({annotation})"
    return layout_statement(f"{name}: {annotation}{end}", indent)


def _lines(text: str, indent: int, tail: str) -> Iterator[str]:
    margin = " " * indent
    if indent + len(text) + len(tail) <= LINE_LENGTH:
        yield margin + text + tail
        return
    parts = _Parts.of(text)
    if indent and len(operands := parts.operands) > 1:
        yield from _lines(operands[0], indent, "")
        for number, operand in enumerate(operands[1:], 2):
            yield from _lines(f"| {operand}", indent, tail if number == len(operands) else "")
        return
    if parts.last is None:
        if len(parts.strings) > 1:
            for string in parts.strings:
                yield margin + string
        else:
            yield margin + text + tail
        return
    start, end = parts.last
    head, body, rest = text[: start + 1], text[start + 1 : end], text[end:]
    if indent + len(bared := head + _without_parentheses(body) + rest) + len(tail) <= LINE_LENGTH:
        yield margin + bared + tail
        return
    inner = _Parts.of(body)
    called = start > 0 and (text[start - 1].isalnum() or text[start - 1] in "_])")
    yield margin + head
    if not body:
        pass
    elif called and not rest[1:] and indent + _INDENT + len(body) <= LINE_LENGTH:
        yield margin + " " * _INDENT + body
    elif len(inner.strings) > 1:
        if indent + _INDENT + len(body) <= LINE_LENGTH:
            yield margin + " " * _INDENT + body
        else:
            for part in inner.strings:
                yield margin + " " * _INDENT + part
    else:
        elements = inner.elements
        # A comma would make a tuple of what stands alone, and black writes none.
        comma = "," if len(elements) > 1 or body.endswith(",") else ""
        for element in elements:
            yield from _lines(_without_parentheses(element) if not comma else element, indent + _INDENT, comma)
    yield margin + rest + tail


def _without_parentheses(text: str) -> str:
    """Without parentheses around pieces of a string that stand alone in brackets anyway."""
    if not text.startswith("(") or _Parts.of(text).last != (0, len(text) - 1):
        return text
    inner = text[1:-1]
    return inner if _Parts.of(inner).strings else text


class _Parts(NamedTuple):
    """Where a text can be broken, outside of brackets and strings."""

    elements: list[str]
    operands: list[str]
    strings: list[str]
    last: tuple[int, int] | None

    @classmethod
    def of(cls, text: str) -> _Parts:
        commas, bars, strings = [], [], []
        last: tuple[int, int] | None = None
        depth, opened, at, others = 0, 0, 0, False
        while at < len(text):
            char = text[at]
            if char in "\"'":
                end = at + 1
                while text[end] != char:
                    end += 2 if text[end] == "\\" else 1
                if depth == 0:
                    strings.append(text[at : end + 1])
                at = end
            elif char in "([{":
                if depth == 0:
                    opened = at
                depth += 1
            elif char in ")]}":
                depth -= 1
                if depth == 0:
                    last = opened, at
            elif depth == 0:
                if char == ",":
                    commas.append(at)
                elif char == "|":
                    bars.append(at)
                others = others or not char.isspace()
            at += 1
        bounds = [-1, *commas, len(text)]
        elements = [text[low + 1 : high].strip() for low, high in pairwise(bounds)]
        bounds = [-1, *bars, len(text)]
        operands = [text[low + 1 : high].strip() for low, high in pairwise(bounds)]
        return cls([element for element in elements if element], operands, [] if others or last else strings, last)


_MODE = Mode(
    target_versions={TargetVersion.PY311, TargetVersion.PY312, TargetVersion.PY313},
    line_length=LINE_LENGTH,
)


def format_code(text: str) -> str:
    """The text as black writes it."""
    return black.format_str(text, mode=_MODE)
