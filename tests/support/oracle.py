"""The oracle: jsonschema, told the dialect's words, judges payloads that are good and ones that went wrong."""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CHECKER = Draft202012Validator.TYPE_CHECKER.redefine(
    "float", lambda checker, value: Draft202012Validator.TYPE_CHECKER.is_type(value, "number")
)
_Dialect: Any = extend(Draft202012Validator, type_checker=_CHECKER)  # type: ignore[no-untyped-call]  # untyped there
_PLURALS = ("image_uris", "video_uris", "audio_uris")
MEDIA = ("image_uri", "video_uri", "audio_uri", *_PLURALS)


class Oracle:
    """jsonschema's opinion of payloads.

    Three things of the dialect are no JSON Schema and are written out for it: ``float`` is a number, an object with
    properties has no others, and the plural media formats make an array one of strings.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = written_out(schema)
        self._judge = _Dialect(self._schema)

    def admits(self, payload: object) -> bool:
        return bool(self._judge.is_valid(payload))

    def faulty_keys(self, payload: Mapping[str, object]) -> set[str]:
        """The keys at the top of a payload, or missing from it, that something is wrong with."""
        keys: set[str] = set()
        for error in self._judge.iter_errors(payload):
            if error.absolute_path:
                keys.add(str(error.absolute_path[0]))
            elif error.validator == "required":
                keys |= {name for name in self._schema["required"] if name not in payload}
            elif error.validator == "additionalProperties":
                keys |= payload.keys() - self._schema["properties"].keys()
            else:
                raise AssertionError(error)
        return keys


def written_out(schema: Any) -> Any:
    """The schema in plain JSON Schema, but for the name ``float``."""
    if isinstance(schema, list):
        return [written_out(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: value for key, value in schema.items() if key not in ("default", "title", "description", "examples")}
    if "properties" in plain:
        plain["properties"] = {name: written_out(part) for name, part in plain["properties"].items()}
        plain.setdefault("additionalProperties", False)
    for key in ("items", "oneOf", "anyOf"):
        if key in plain:
            plain[key] = written_out(plain[key])
    if plain.get("format") in _PLURALS:
        plain["items"] = {**plain.get("items", {}), "type": "string"}
    return plain


class Maker:
    """Makes payloads for a schema: good ones, and ones that went wrong."""

    def __init__(self, schema: Mapping[str, Any], seed: int) -> None:
        self._schema = schema
        self._rnd = random.Random(seed)

    def payloads(self, count: int) -> Iterator[Any]:
        for number in range(count):
            payload = self._object(self._schema)
            for _ in range((0, 1, 1, 2, 5)[number % 5]):
                payload = self._spoilt(payload)
            yield payload

    def _value(self, schema: Mapping[str, Any]) -> Any:
        rnd = self._rnd
        if "enum" in schema:
            return copy.deepcopy(rnd.choice(schema["enum"]))
        if "const" in schema:
            return copy.deepcopy(schema["const"])
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                return self._value(rnd.choice(schema[keyword]))
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = rnd.choice(kind)
        if kind == "object" or (kind is None and "properties" in schema):
            return self._object(schema)
        if kind == "array" or (kind is None and "items" in schema):
            return self._array(schema)
        if kind in ("integer", "float", "number"):
            return self._number(schema, kind)
        if kind == "boolean":
            return rnd.random() < 0.5
        if kind == "string":
            return self._string(schema)
        return None if kind == "null" else self._odd()

    def _object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        wanted = schema.get("required", [])
        made = {
            name: self._value(part)
            for name, part in schema.get("properties", {}).items()
            if name in wanted or self._rnd.random() < 0.6
        }
        if schema.get("additionalProperties", "properties" not in schema) is True and self._rnd.random() < 0.5:
            made["more"] = self._odd()
        return made

    def _array(self, schema: Mapping[str, Any]) -> list[Any]:
        low = schema.get("minItems", 0)
        count = self._rnd.randint(int(low), int(min(schema.get("maxItems", low + 3), low + 3)))
        inner = (
            {"type": "string", "format": "image_uri"} if schema.get("format") in _PLURALS else schema.get("items", {})
        )
        return [self._value(inner) for _ in range(count)]

    def _number(self, schema: Mapping[str, Any], kind: str) -> Any:
        rnd = self._rnd
        low = schema.get("minimum", schema.get("exclusiveMinimum", schema.get("maximum", 3) - 10))
        high = schema.get("maximum", schema.get("exclusiveMaximum", low + 10))
        step = schema.get("multipleOf")
        if step:
            return step * rnd.randint(-3, 3)
        number = rnd.choice((low, high, rnd.uniform(low, high), rnd.uniform(low, high)))
        if kind == "integer":
            number = int(number)
            return float(number) if rnd.random() < 0.2 and abs(number) < 2**53 else number
        return -0.0 if number == 0 and rnd.random() < 0.5 else number

    def _string(self, schema: Mapping[str, Any]) -> str:
        rnd = self._rnd
        if schema.get("format") in MEDIA:
            return f"https://example.com/{rnd.randrange(9)}.png"
        low = int(schema.get("minLength", 0))
        high = int(schema.get("maxLength", low + 8))
        length = rnd.choice((low, min(high, low + 8), high if high < 3000 else low))
        return "".join(rnd.choices("abc 19ä\u0301\u4e2d\U0001f319", k=length))

    def _odd(self) -> Any:
        return copy.deepcopy(self._rnd.choice(ODD))

    def _spoilt(self, payload: Any) -> Any:
        """The payload with one thing changed, somewhere."""
        rnd = self._rnd
        if isinstance(payload, dict) and payload and rnd.random() < 0.8:
            key = rnd.choice(list(payload))
            what = rnd.random()
            if what < 0.15:
                return {name: value for name, value in payload.items() if name != key}
            if what < 0.25:
                return {**payload, rnd.choice((key + "s", key[:-1], key.upper(), "", "x/y~z")): self._odd()}
            return {**payload, key: self._spoilt(payload[key])}
        if isinstance(payload, list) and payload and rnd.random() < 0.8:
            place = rnd.randrange(len(payload))
            what = rnd.random()
            if what < 0.2:
                return payload[:place] + payload[place + 1 :]
            if what < 0.5:
                return payload + [copy.deepcopy(payload[place])] * rnd.choice((1, 1, 20))
            return [*payload[:place], self._spoilt(payload[place]), *payload[place + 1 :]]
        return self._twisted(payload)

    def _twisted(self, value: Any) -> Any:
        """A value that is nearly the same, or another altogether."""
        rnd = self._rnd
        near: list[Any] = [self._odd(), self._odd()]
        if isinstance(value, bool):
            near += [int(value), float(value), str(value).lower(), not value]
        elif isinstance(value, (int, float)):
            near += [value + 1, value - 1, -value, value + 0.5, str(value), [value], value == 1]
            near += [float(value)] if abs(value) < 2**53 else []
            near += [int(value)] if value == int(value) else []
        elif isinstance(value, str):
            near += [value * 2, value[:-1], value + "x", value + "\U0001f319", value.upper(), [value], {"url": value}]
        return rnd.choice(near)


ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    1.0,
    -0.0,
    0.1,
    1.5,
    2**53 + 1,
    2**63,
    10**30,
    -(10**30),
    1e300,
    1e-300,
    "",
    "1",
    "1.0",
    "true",
    "null",
    "a",
    "\u00e4",
    "a\u0301",
    "\U0001f319" * 3,
    "x" * 2600,
    [],
    [None],
    [1, True, 1.0],
    [[]],
    {},
    {"a": {"b": [1]}},
    {"width": 64, "height": 64},
    {"path": "x", "scale": 1},
    [{"path": "x"}],
    [[[[[[[[["deep"]]]]]]]]],
)
