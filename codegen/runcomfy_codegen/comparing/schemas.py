"""What changed between two schemas, and whether a payload (or a reader of outputs) that was right may now be wrong.

docs/upgrades.md says the same in prose; tests/comparing/ goes through it case by case, in both directions.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from runcomfy_client.schema.dialect import MEDIA_FORMATS, types_of
from runcomfy_client.schema.rules import parse_bound, parse_rule

from ..reading.positions import pointer_text
from ..reading.texts import unwrap_output, without_texts

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
_COUNTS = ("minLength", "minItems", "minProperties")
# Keywords that no check reads: the server fills in a default, the rest is for people.
_HARMLESS = ("default", "examples", "$comment", "$schema", "$id", "deprecated", "readOnly", "writeOnly")
_MAPS = ("properties", "$defs", "definitions")
_LISTS = ("oneOf", "anyOf", "allOf")
_MAX_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Effect:
    """What a kind of change means for callers, as a sentence; `breaking` if a call that was right may be wrong now."""

    breaking: bool
    meaning: str


STAYS = Effect(False, "Calls stay as they are.")
NEW_OPTIONAL = Effect(False, "Calls stay as they are; it may be given.")
NEW_REQUIRED = Effect(True, "Every call must give it.")
GONE = Effect(True, "Calls that give it are refused.")
NOW_REQUIRED = Effect(True, "Calls that leave it out are refused.")
NOW_OPTIONAL = Effect(False, "Calls stay as they are; it may be left out.")
MORE = Effect(False, "More values are taken.")
FEWER = Effect(True, "Values that were taken may be refused.")
VALUE_GONE = Effect(True, "Calls that give this value are refused.")
OTHER_TYPE = Effect(True, "Values of the old type are refused.")
NO_FILES = Effect(True, "Calls that give a file are refused.")
MORE_FILES = Effect(False, "More files are taken.")
FEWER_FILES = Effect(True, "Files that were taken may be refused.")
OTHER_DEFAULT = Effect(False, "Calls that do not give it get the new value.")
NO_DEFAULT = Effect(False, "Calls stay as they are; what the server takes is not known.")
READERS_STAY = Effect(False, "Code that reads results stays as it is.")
READERS_BREAK = Effect(True, "Code that reads it may find something else, or nothing.")


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        pointer: where the schema says so, `/properties/size/maximum`.
        place: the property as people write it, `size` or `loras[].path`; empty for the schema itself.
        text: what changed, without the place.
        meaning: what that means for callers, as a sentence.
    """

    pointer: str
    place: str
    text: str
    breaking: bool
    meaning: str

    def __str__(self) -> str:
        return f"{'breaking' if self.breaking else 'compatible'}  {self.place or 'input'}: {self.text}"


def differences(old: Json, new: Json, role: Role = "input") -> tuple[Change, ...]:
    """Each change of facts from an old schema to a new one; none for schemas that differ in texts or in order only.

    An input's change is breaking if it may refuse what was accepted. An output's is, if something that was there
    may be missing or different; a new part is not. Outputs may be documents (`{"output": schema}`).
    """
    changes = tuple(_schema(without_texts(unwrap_output(old)), without_texts(unwrap_output(new)), ()))
    if role == "output":
        return tuple(_of_output(change) for change in changes)
    return changes


def keyword_changes(old: dict[str, Json], new: dict[str, Json]) -> tuple[Change, ...]:
    """The same for the keywords of one place, wherever they are read from."""
    return tuple(_schema(old, new, ()))


def _of_output(change: Change) -> Change:
    effect = READERS_STAY if change.text.startswith(("new ", "now required")) else READERS_BREAK
    return replace(change, breaking=effect.breaking, meaning=effect.meaning)


def _schema(old: Json, new: Json, at: Pointer) -> Iterator[Change]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        if not _equal(old, new):
            yield _change(at, f"{_show(old)} -> {_show(new)}", FEWER)
        return
    for keyword in dict.fromkeys((*old, *new)):
        if keyword in old and keyword in new and _equal(old[keyword], new[keyword]):
            continue
        yield from _keyword(keyword, old, new, (*at, keyword))


def _keyword(keyword: str, old: dict[str, Json], new: dict[str, Json], at: Pointer) -> Iterator[Change]:
    before, after = old.get(keyword), new.get(keyword)
    if keyword in _MAPS and _is_map(before) and _is_map(after):
        yield from _properties(_map(before), _map(after), new.get("required"), at)
    elif keyword == "items" and isinstance(before, dict) and isinstance(after, dict):
        yield from _schema(before, after, at)
    elif keyword == "required":
        yield from _required(old, new, at)
    elif keyword == "validations":
        yield from _rules(_list(before), _list(after), at)
    elif keyword == "additionalProperties":
        if _open(old) != _open(new):
            text = "keys of any name are taken" if _open(new) else "keys of other names are refused"
            yield _change(at, text, STAYS if _open(new) else FEWER)
    elif keyword == "enum" and isinstance(before, list) and isinstance(after, list):
        yield from _values(before, after, at)
    elif keyword in _LISTS and isinstance(before, list) and isinstance(after, list):
        yield from _alternatives(keyword, before, after, at)
    else:
        yield _change(at, _words(keyword, old, new), _effect(keyword, old, new))


def _words(keyword: str, old: dict[str, Json], new: dict[str, Json]) -> str:
    if keyword not in old:
        return f"new {keyword} {_show(new[keyword])}"
    if keyword not in new:
        return f"{keyword} {_show(old[keyword])} gone"
    return f"{keyword} {_show(old[keyword])} -> {_show(new[keyword])}"


def _effect(keyword: str, old: dict[str, Json], new: dict[str, Json]) -> Effect:
    before, after = old.get(keyword), new.get(keyword)
    if keyword == "default":
        return OTHER_DEFAULT if keyword in new else NO_DEFAULT
    if keyword in _HARMLESS:
        return STAYS
    if keyword in _BOUNDS:
        return FEWER if _tighter(keyword, before, after) else MORE
    if keyword == "type":
        return MORE if _wider(old, new) else OTHER_TYPE
    if keyword == "format":
        # A field that is not media takes no files.
        media = str(before) in MEDIA_FORMATS and MEDIA_FORMATS[str(before)] != MEDIA_FORMATS.get(str(after))
        return NO_FILES if media else MORE if keyword not in new else FEWER
    if keyword == "multipleOf":
        return MORE if keyword not in new or (keyword in old and _is_multiple(before, after)) else FEWER
    if keyword == "uniqueItems":
        return MORE if after is not True else FEWER
    if keyword == "oneOf":
        return FEWER
    return MORE if keyword not in new else FEWER


def _properties(old: dict[str, Json], new: dict[str, Json], required: Json, at: Pointer) -> Iterator[Change]:
    needed = _list(required)
    for name in dict.fromkeys((*old, *new)):
        here = (*at, name)
        if name not in new:
            yield _change(here, "property gone", GONE)
        elif name not in old:
            required_too = name in needed
            text = f"new property, {'required' if required_too else 'optional'}"
            yield _change(here, text, NEW_REQUIRED if required_too else NEW_OPTIONAL)
        else:
            yield from _schema(old[name], new[name], here)


def _required(old: dict[str, Json], new: dict[str, Json], at: Pointer) -> Iterator[Change]:
    """A property that is new or gone is reported already."""
    before, after = _list(old.get("required")), _list(new.get("required"))
    there, here = _map(old.get("properties")), _map(new.get("properties"))
    for name in after:
        if name not in before and (name in there or name not in here):
            yield replace(_change(at, "now required", NOW_REQUIRED), place=_place((*at[:-1], "properties", str(name))))
    for name in before:
        if name not in after and (name in here or name not in there):
            yield replace(
                _change(at, "no longer required", NOW_OPTIONAL), place=_place((*at[:-1], "properties", str(name)))
            )


def _values(old: list[Json], new: list[Json], at: Pointer) -> Iterator[Change]:
    """An enum; the order of its values means nothing."""
    before, after = {_canonical(value): value for value in old}, {_canonical(value): value for value in new}
    for value in _missing_from(after, before):
        yield _change(at, f"new value {_show(value)}", MORE)
    for value in _missing_from(before, after):
        yield _change(at, f"value {_show(value)} gone", VALUE_GONE)


def _rules(old: list[Json], new: list[Json], at: Pointer) -> Iterator[Change]:
    """Rules for files. Two that bind the same measure in the same direction are one rule whose bound changed."""
    before, after = {_canonical(rule): rule for rule in old}, {_canonical(rule): rule for rule in new}
    gone = _missing_from(before, after)
    for rule in _missing_from(after, before):
        bound = _bound(rule)
        earlier = next(
            (model_id for model_id in gone if bound and (other := _bound(model_id)) and other[0] == bound[0]), None
        )
        if earlier is None:
            yield _change(at, f"new rule {_show(rule)}", FEWER_FILES)
            continue
        gone.remove(earlier)
        other = _bound(earlier)
        assert bound
        assert other
        if other[1] != bound[1]:
            tighter = (bound[1] > other[1]) == (bound[0][1] == ">")
            yield _change(at, f"rule {_show(earlier)} -> {_show(rule)}", FEWER_FILES if tighter else MORE_FILES)
    for rule in gone:
        yield _change(at, f"rule {_show(rule)} gone", MORE_FILES)


def _bound(rule: Json) -> tuple[tuple[str, str], tuple[float, int]] | None:
    """(measure, direction) and a bound that grows as the rule lets larger files pass."""
    parsed = parse_rule(str(rule.get("validation_rule"))) if isinstance(rule, dict) else None
    value = parse_bound(rule.get("validation_value")) if isinstance(rule, dict) else None
    if parsed is None or value is None:
        return None
    measure, operator = parsed
    # `< 10` is tighter than `<= 10`, `> 10` than `>= 10`.
    strict = 0 if "=" in operator else 1 if operator == ">" else -1
    return (measure, operator[0]), (value, strict)


def _alternatives(keyword: str, old: list[Json], new: list[Json], at: Pointer) -> Iterator[Change]:
    if len(old) == len(new):
        for number, (old_branch, new_branch) in enumerate(zip(old, new, strict=True)):
            yield from _schema(old_branch, new_branch, (*at, number))
        return
    kept = {_canonical(schema) for schema in old} <= {_canonical(schema) for schema in new}
    more = keyword == "anyOf" and kept
    yield _change(at, f"{keyword}: {len(old)} -> {len(new)} alternatives", MORE if more else FEWER)


def _tighter(keyword: str, before: Json, after: Json) -> bool:
    if after is None:
        return False
    if before is None:
        return not (keyword in _COUNTS and after == 0)
    # A bound that is no number is an error that the generator reports; any change of it may break.
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return True
    return (after - before) * _BOUNDS[keyword] > 0


def _wider(old: dict[str, Json], new: dict[str, Json]) -> bool:
    """Does every type that was taken stay one? No type at all takes any; a number takes integers."""
    before, after = set(types_of(old)), set(types_of(new))
    taken = after | ({"integer"} if "number" in after else set())
    return not after or (bool(before) and before <= taken)


def _is_multiple(before: Json, after: Json) -> bool:
    """Is every multiple of `before` one of `after`, too?"""
    if not isinstance(before, int | float) or not isinstance(after, int | float) or not after:
        return False
    return not Fraction(repr(before)) % Fraction(repr(after))


def _open(schema: dict[str, Json]) -> bool:
    """May an object have keys that are not listed? Without properties it may, unless it says no."""
    additional = schema.get("additionalProperties")
    return additional is True if isinstance(schema.get("properties"), dict) else additional is not False


def _change(at: Pointer, text: str, effect: Effect) -> Change:
    return Change(pointer_text(at), _place(at), text, effect.breaking, effect.meaning)


def _place(at: Pointer) -> str:
    """`/properties/loras/items/properties/path/maxLength` is `loras[].path`."""
    place = ""
    parts = list(at)
    while parts:
        part = parts.pop(0)
        if part in _MAPS and parts:
            place += f"{'.' if place else ''}{parts.pop(0)}"
        elif part == "items":
            place += "[]"
        elif part in _LISTS and parts:
            # Which alternative it is says less than where they stand.
            parts.pop(0)
        else:
            break
    return place


def _missing_from(values: dict[str, Json], others: dict[str, Json]) -> list[Json]:
    return [value for key, value in values.items() if key not in others]


def _canonical(value: Json) -> str:
    # Unlike ==, this tells True from 1.
    return json.dumps(value, sort_keys=True)


def _equal(left: Json, right: Json) -> bool:
    return _canonical(left) == _canonical(right)


def _is_map(value: Json) -> bool:
    return value is None or isinstance(value, dict)


def _map(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _show(value: Json) -> str:
    if isinstance(value, dict) and "validation_rule" in value:
        return f"{value['validation_rule']} {value.get('validation_value')}"[:_MAX_LENGTH]
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_LENGTH else text[:_MAX_LENGTH] + "…"
