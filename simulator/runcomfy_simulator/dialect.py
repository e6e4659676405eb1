"""RunComfy's schema dialect, read as JSON Schema 2020-12 and checked by jsonschema.

This reading is the simulator's own on purpose: the client has another, and tests compare the two.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MEDIA_FORMATS = {f"{kind}_{ending}": kind for kind in ("image", "video", "audio") for ending in ("uri", "uris")}
_TYPES = {"string", "integer", "number", "boolean", "null", "array", "object"}
_NESTED = ("items", "additionalProperties", "not")
_NESTED_LISTS = ("anyOf", "oneOf", "allOf")

_LONGEST_MESSAGE = 500

Path = tuple[str | int, ...]


class InvalidSchema(ValueError):
    """This schema cannot check any input; the message says where it is wrong."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request's body; `path` leads to it from the body's top."""

    path: Path
    message: str
    code: str


@dataclass(frozen=True, slots=True)
class MediaSpot:
    """A string in an input that names a file: its path, the kind of file it must be, and its rules.

    `sample` is true for a name that is no URL and that the schema itself shows as its default or example.
    """

    path: Path
    kind: str
    value: str
    rules: tuple[Mapping[str, Any], ...]
    sample: bool = False


def media_kind(node: Any) -> str | None:
    """The kind of media that a schema's node itself asks for."""
    return MEDIA_FORMATS.get(str(node.get("format"))) if isinstance(node, dict) else None


class InputValidator:
    """Checks inputs by one input schema. `notes` lists what the schema requires and no input could have;
    such requirements are ignored.

    Raises:
        InvalidSchema: the schema itself is wrong.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.notes: list[str] = []
        self._source = schema
        self.schema = _Reading(closed=True, notes=self.notes).plain(schema, "")
        try:
            Draft202012Validator.check_schema(self.schema)
        except SchemaError as error:
            raise InvalidSchema(f"/{'/'.join(map(str, error.absolute_path))}: {_shorten(error.message)}") from None
        self._closed = Draft202012Validator(self.schema)

    @cached_property
    def _open(self) -> Draft202012Validator:
        return Draft202012Validator(_Reading(closed=False, notes=[]).plain(self._source, ""))

    def problems(self, body: Any, *, undeclared_keys: bool = False) -> list[Problem]:
        """Everything wrong with `body` but the files it names, in a stable order.

        Args:
            undeclared_keys: let keys pass that the schema neither has nor forbids.
        """
        validator = self._open if undeclared_keys else self._closed
        errors = [
            Problem(tuple(error.absolute_path), _shorten(error.message), str(error.validator))
            for error in validator.iter_errors(body)
        ]
        return sorted(errors, key=lambda problem: ([str(step) for step in problem.path], problem.code))

    def media(self, body: Any) -> list[MediaSpot]:
        """The files that `body` names, where its types are right."""
        return list(_media_spots(self.schema, body, (), (), ()))

    def declared(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The keys of `body` that the schema has."""
        properties = self.schema.get("properties")
        return {name: value for name, value in body.items() if properties is None or name in properties}

    def with_defaults(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A valid body with the defaults of what it leaves out."""
        defaults = {
            name: copy.deepcopy(part["default"])
            for name, part in self.schema.get("properties", {}).items()
            if isinstance(part, dict) and "default" in part
        }
        return {**defaults, **body}


class _Reading:
    """Turns nodes of the dialect into plain JSON Schema; `closed` objects refuse keys that they do not have."""

    def __init__(self, *, closed: bool, notes: list[str]) -> None:
        self._closed = closed
        self._notes = notes

    def plain(self, node: Any, where: str) -> Any:
        if not isinstance(node, dict):
            return node
        plain = dict(node)
        self._plain_type(plain, where)
        for key in _NESTED:
            if isinstance(plain.get(key), dict):
                plain[key] = self.plain(plain[key], f"{where}/{key}")
        for key in _NESTED_LISTS:
            if isinstance(plain.get(key), list):
                plain[key] = [self.plain(part, f"{where}/{key}/{number}") for number, part in enumerate(plain[key])]
        if isinstance(plain.get("properties"), dict):
            names = plain["properties"]
            plain["properties"] = {name: self.plain(part, f"{where}/properties/{name}") for name, part in names.items()}
            self._drop_undefined(plain, where)
            if self._closed:
                plain.setdefault("additionalProperties", False)
        # `image_uris` on an array says of its items what `image_uri` says of a string.
        kind = media_kind(plain)
        if kind and plain.get("type") == "array":
            plain["items"] = {"type": "string", "format": f"{kind}_uri", **(plain.get("items") or {})}
        return plain

    def _plain_type(self, plain: dict[str, Any], where: str) -> None:
        if "type" not in plain:
            return
        types = plain["type"] if isinstance(plain["type"], list) else [plain["type"]]
        names = ["number" if kind == "float" else kind for kind in types]
        unknown = [name for name in names if name not in _TYPES]
        if unknown:
            self._notes.append(f"{where}/type: {unknown[0]!r} is not a type; any value passes")
            del plain["type"]
        else:
            plain["type"] = names[0] if len(names) == 1 else names

    def _drop_undefined(self, plain: dict[str, Any], where: str) -> None:
        required = list(plain.get("required") or ())
        undefined = [name for name in required if name not in plain["properties"]]
        if undefined and plain.get("additionalProperties", False) is False:
            names = ", ".join(map(str, undefined))
            self._notes.append(f"{where}/required: {names} is required but not defined; ignored")
            plain["required"] = [name for name in required if name not in undefined]


def _shorten(text: str) -> str:
    """jsonschema repeats the value, which may be a whole file."""
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:200]} ... {text[-200:]}"


def _media_spots(
    node: Any, value: Any, path: Path, rules: tuple[Mapping[str, Any], ...], samples: tuple[Any, ...]
) -> Iterator[MediaSpot]:
    if not isinstance(node, dict):
        return
    rules = rules + tuple(rule for rule in node.get("validations") or () if isinstance(rule, dict))
    samples = samples + tuple(_samples(node))
    kind = media_kind(node)
    if isinstance(value, str) and kind:
        yield MediaSpot(path, kind, value, rules, sample=":" not in value and value in samples)
        return
    for key in _NESTED_LISTS:
        for part in node.get(key) or ():
            yield from _media_spots(part, value, path, rules, samples)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _media_spots(node.get("items"), item, (*path, number), rules, samples)
    if isinstance(value, dict):
        for name, part in (node.get("properties") or {}).items():
            if name in value:
                # Rules of an array hold for its items; an object's rules say nothing about its members.
                yield from _media_spots(part, value[name], (*path, name), (), ())


def _samples(node: Mapping[str, Any]) -> Iterator[Any]:
    """The values that a node shows as its default and examples, and the items of those that are lists."""
    examples = node.get("examples")
    for value in (node.get("default"), *(examples if isinstance(examples, list) else ())):
        yield value
        if isinstance(value, list):
            yield from value
