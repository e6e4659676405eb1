"""What changed between two schemas, and whether a payload (or a reader of outputs) that was right may now be wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..reading.facts import facts, unwrapped
from ..reading.positions import pointer_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..reading.positions import Pointer
    from ..reading.source import Json

Role = Literal["input", "output"]

# For a bound: does a payload need more (1) or less (-1) when it grows?
_BOUNDS = {
    "minimum": 1, "exclusiveMinimum": 1, "minLength": 1, "minItems": 1, "minProperties": 1,
    "maximum": -1, "exclusiveMaximum": -1, "maxLength": -1, "maxItems": -1, "maxProperties": -1,
}  # fmt: skip
# Keywords that judge nothing: the server fills a default in, the rest is for readers.
_HARMLESS = ("default", "examples", "$comment", "$schema", "$id", "deprecated", "readOnly", "writeOnly")
_LISTS = ("oneOf", "anyOf", "allOf")
# The dialect's `float` is JSON Schema's `number`; each of them takes integers too.
_NUMBERS = ("number", "float")
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One change; `text` says it in words without naming the place."""

    pointer: str
    text: str
    breaking: bool

    def __str__(self) -> str:
        return f"{'breaking' if self.breaking else 'harmless'}  {self.pointer or '/'}: {self.text}"


def differences(old: Json, new: Json, role: Role = "input") -> tuple[Change, ...]:
    """Each change of facts from an old schema to a new one; none for schemas that differ in texts or in order only.

    An input's change is breaking if it may refuse what was accepted. An output's is, if something that was there
    may be missing or different; a new part is not. Outputs may be documents (`{"output": schema}`).
    """
    changes = tuple(_schema(facts(unwrapped(old)), facts(unwrapped(new)), ()))
    if role == "output":
        return tuple(Change(each.pointer, each.text, not each.text.startswith("new")) for each in changes)
    return changes


def _schema(old: Json, new: Json, at: Pointer) -> Iterator[Change]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        if not _equal(old, new):
            yield _changed(at, old, new, True)
        return
    for keyword in dict.fromkeys((*old, *new)):
        if keyword in old and keyword in new and _equal(old[keyword], new[keyword]):
            continue
        yield from _keyword(keyword, old, new, (*at, keyword))


def _keyword(keyword: str, old: dict[str, Json], new: dict[str, Json], at: Pointer) -> Iterator[Change]:
    before, after = old.get(keyword), new.get(keyword)
    if keyword in ("properties", "$defs", "definitions") and _maps(before, after):
        yield from _properties(_map(before), _map(after), new.get("required"), at)
    elif keyword == "items" and isinstance(before, dict) and isinstance(after, dict):
        yield from _schema(before, after, at)
    elif keyword in _LISTS and isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _schema(one, other, (*at, number))
    elif keyword == "required":
        yield from _names(_list(before), _list(after), at, "required", "no longer required", adding_breaks=True)
    elif keyword == "enum" and isinstance(before, list) and isinstance(after, list):
        yield from _names(before, after, at, "new value", "no longer a value", adding_breaks=False)
    elif keyword == "validations":
        yield from _names(_list(before), _list(after), at, "new rule", "rule gone", adding_breaks=True)
    elif keyword not in old:
        yield Change(pointer_text(at), f"new: {_show(after)}", keyword not in _HARMLESS)
    elif keyword not in new:
        yield Change(pointer_text(at), f"gone: {_show(before)}", keyword == "oneOf")
    else:
        yield _changed(at, before, after, _breaks(keyword, before, after))


def _breaks(keyword: str, before: Json, after: Json) -> bool:
    if keyword in _HARMLESS:
        return False
    if keyword in _BOUNDS:
        # A bound that is no number is a fault that the generator reports; any change of it may break.
        return (
            not isinstance(before, (int, float))
            or not isinstance(after, (int, float))
            or ((after - before) * _BOUNDS[keyword] > 0)
        )
    if keyword == "type":
        return not (after in _NUMBERS and before in (*_NUMBERS, "integer"))
    if keyword == "additionalProperties":
        return after is not True
    return True


def _properties(old: dict[str, Json], new: dict[str, Json], required: Json, at: Pointer) -> Iterator[Change]:
    needed = _list(required)
    for name in dict.fromkeys((*old, *new)):
        here = (*at, name)
        if name not in new:
            yield Change(pointer_text(here), "property gone", True)
        elif name not in old:
            kind = "required" if name in needed else "optional"
            yield Change(pointer_text(here), f"new property, {kind}", kind == "required")
        else:
            yield from _schema(old[name], new[name], here)


def _names(
    old: list[Json], new: list[Json], at: Pointer, added: str, gone: str, *, adding_breaks: bool
) -> Iterator[Change]:
    """A list whose order means nothing."""
    before, after = {_canonical(each): each for each in old}, {_canonical(each): each for each in new}
    for key, value in after.items():
        if key not in before:
            yield Change(pointer_text(at), f"{added}: {_show(value)}", adding_breaks)
    for key, value in before.items():
        if key not in after:
            yield Change(pointer_text(at), f"{gone}: {_show(value)}", not adding_breaks)


def _changed(at: Pointer, before: Json, after: Json, breaking: bool) -> Change:
    return Change(pointer_text(at), f"{_show(before)} -> {_show(after)}", breaking)


def _canonical(value: Json) -> str:
    # Unlike ==, this tells True from 1.
    return json.dumps(value, sort_keys=True)


def _equal(one: Json, other: Json) -> bool:
    return _canonical(one) == _canonical(other)


def _maps(*values: Json) -> bool:
    return all(value is None or isinstance(value, dict) for value in values)


def _map(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _show(value: Json) -> str:
    if isinstance(value, dict) and "validation_rule" in value:
        value = f"{value['validation_rule']} {value.get('validation_value')}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
