"""RunComfy's schema dialect, read as JSON Schema 2020-12 and judged by jsonschema.

This reading is the simulator's own on purpose: the client has another, and tests let the two judge each other.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
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


class BadSchema(ValueError):
    """No body can be judged by this schema; the message says where it is wrong."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request's body; `path` leads to it from the body's top."""

    path: Path
    message: str
    code: str


@dataclass(frozen=True, slots=True)
class MediaSpot:
    """A string in a body that names a medium: where it stands, of which kind it must be, and the rules it must keep."""

    path: Path
    kind: str
    value: str
    rules: tuple[Mapping[str, Any], ...]


class Judge:
    """Judges bodies for one input schema. `notes` lists what it asks for that no body could give, and is let go.

    Raises:
        BadSchema: the schema itself is wrong.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.notes: list[str] = []
        self.schema = self._plain(schema, "")
        try:
            Draft202012Validator.check_schema(self.schema)
        except SchemaError as fault:
            raise BadSchema(f"/{'/'.join(map(str, fault.absolute_path))}: {_shortened(fault.message)}") from None
        self._validator = Draft202012Validator(self.schema)

    def problems(self, body: Any) -> list[Problem]:
        """Everything wrong with `body` but the media it names, in a stable order."""
        found = [
            Problem(tuple(error.absolute_path), _shortened(error.message), str(error.validator))
            for error in self._validator.iter_errors(body)
        ]
        return sorted(found, key=lambda problem: ([str(step) for step in problem.path], problem.code))

    def media(self, body: Any) -> list[MediaSpot]:
        """The media that `body` names, where its types are right."""
        return list(_media_spots(self.schema, body, (), ()))

    def with_defaults(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A good body with the defaults of what it leaves out."""
        defaults = {
            name: copy.deepcopy(part["default"])
            for name, part in self.schema.get("properties", {}).items()
            if isinstance(part, dict) and "default" in part
        }
        return {**defaults, **body}

    def _plain(self, node: Any, where: str) -> Any:
        """One node of the dialect as plain JSON Schema."""
        if not isinstance(node, dict):
            return node
        made = dict(node)
        self._plain_type(made, where)
        for key in _NESTED:
            if isinstance(made.get(key), dict):
                made[key] = self._plain(made[key], f"{where}/{key}")
        for key in _NESTED_LISTS:
            if isinstance(made.get(key), list):
                made[key] = [self._plain(part, f"{where}/{key}/{number}") for number, part in enumerate(made[key])]
        if isinstance(made.get("properties"), dict):
            names = made["properties"]
            made["properties"] = {name: self._plain(part, f"{where}/properties/{name}") for name, part in names.items()}
            made.setdefault("additionalProperties", False)
            self._drop_undefined(made, where)
        # `image_uris` on an array says of its items what `image_uri` says of a string.
        kind = MEDIA_FORMATS.get(str(made.get("format")))
        if kind and made.get("type") == "array":
            made["items"] = {"type": "string", "format": f"{kind}_uri", **(made.get("items") or {})}
        return made

    def _plain_type(self, made: dict[str, Any], where: str) -> None:
        if "type" not in made:
            return
        types = made["type"] if isinstance(made["type"], list) else [made["type"]]
        plain = ["number" if kind == "float" else kind for kind in types]
        unknown = [kind for kind in plain if kind not in _TYPES]
        if unknown:
            self.notes.append(f"{where}/type: {unknown[0]!r} is no type; any value is let through")
            del made["type"]
        else:
            made["type"] = plain[0] if len(plain) == 1 else plain

    def _drop_undefined(self, made: dict[str, Any], where: str) -> None:
        required = list(made.get("required") or ())
        undefined = [name for name in required if name not in made["properties"]]
        if undefined and made["additionalProperties"] is False:
            self.notes.append(f"{where}/required: {', '.join(undefined)} is required but not defined; not asked for")
            made["required"] = [name for name in required if name not in undefined]


def _shortened(text: str) -> str:
    """jsonschema repeats the value, which may be a whole file."""
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:200]} ... {text[-200:]}"


def _media_spots(node: Any, value: Any, path: Path, rules: tuple[Mapping[str, Any], ...]) -> Iterator[MediaSpot]:
    if not isinstance(node, dict):
        return
    rules = rules + tuple(rule for rule in node.get("validations") or () if isinstance(rule, dict))
    kind = MEDIA_FORMATS.get(str(node.get("format")))
    if isinstance(value, str) and kind:
        yield MediaSpot(path, kind, value, rules)
        return
    for key in _NESTED_LISTS:
        for part in node.get(key) or ():
            yield from _media_spots(part, value, path, rules)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _media_spots(node.get("items"), item, (*path, number), rules)
    if isinstance(value, dict):
        for name, part in (node.get("properties") or {}).items():
            if name in value:
                # Rules of an array hold for its items; an object's rules say nothing about its members.
                yield from _media_spots(part, value[name], (*path, name), ())
