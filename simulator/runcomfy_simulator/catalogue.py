"""What is served: a `Model` for each folder below schemas/ with an input.json, or for each entry of a saved reply."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jsonpatch
import jsonpointer

from .dialect import Judge
from .kinds import Kind, guess_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

# What any model answers with if schemas/ holds no output.json at all.
PLAIN_OUTPUT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "image": {"type": "string", "format": "uri"},
        "video": {"type": "string", "format": "uri"},
        "images": {"type": "array", "items": {"type": "string", "format": "uri"}},
        "videos": {"type": "array", "items": {"type": "string", "format": "uri"}},
    },
}


class CatalogueError(Exception):
    """The schemas cannot be served; the message says where and why."""


@dataclass(frozen=True, eq=False)
class Model:
    """One model: its schemas as served, and the facts of its catalogue entry."""

    model_id: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    example: Mapping[str, Any] | None = None

    @cached_property
    def judge(self) -> Judge:
        return Judge(self.input_schema)

    @cached_property
    def kind(self) -> Kind:
        return guess_kind(self.model_id, self.categories, self.input_schema, self.output_schema)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        return tuple(self.facts.get("categories") or ())

    @property
    def price(self) -> float:
        """US dollars for each `price_unit`; a placeholder if the catalogue names none."""
        return float(self.facts.get("base_price_usd", 0.04))

    @property
    def price_unit(self) -> str:
        return str(self.facts.get("price_unit", "output"))

    def entry(self, *, include_schema: bool) -> dict[str, Any]:
        """The model as the catalogue's reply shows it."""
        entry: dict[str, Any] = {
            "model_id": self.model_id,
            "display_name": self.model_id.partition("/")[2],
            "description": "",
            "categories": [*self.categories] or [f"text-to-{self.kind}"],
            "kind": "model",
            "pricing_note": "",
            "inputs": sorted(self.input_schema.get("properties", {})),
            "required_inputs": list(self.input_schema.get("required", ())),
            **{
                key: value
                for key, value in self.facts.items()
                if key not in ("input_schema", "output_schema", "example")
            },
        }
        if include_schema:
            entry["input_schema"] = self.input_schema
        return entry


class Catalogue:
    """All models, by id; and the output schema of those that have none of their own."""

    def __init__(self, models: Iterable[Model], common_output: Mapping[str, Any] = PLAIN_OUTPUT) -> None:
        self._models = {model.model_id: model for model in sorted(models, key=lambda each: each.model_id)}
        self.common_output = common_output

    def __len__(self) -> int:
        return len(self._models)

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def get(self, model_id: str) -> Model | None:
        return self._models.get(model_id)

    def search(self, *, text: str = "", category: str = "", kind: str = "") -> list[Model]:
        """The models that hold every word of `text`, in `category`, of catalogue kind `kind`; empty matches all."""
        words = text.casefold().split()
        found = []
        for model in self:
            entry = model.entry(include_schema=False)
            haystack = f"{model.model_id} {entry['display_name']} {entry['description']}".casefold()
            if (
                all(word in haystack for word in words)
                and (not category or category in entry["categories"])
                and (not kind or kind == entry["kind"])
            ):
                found.append(model)
        return found

    def categories(self) -> list[str]:
        return sorted({name for model in self for name in model.entry(include_schema=False)["categories"]})


def load(source: Path) -> Catalogue:
    """Read a schemas folder, or a saved catalogue reply (one JSON file).

    Raises:
        CatalogueError: a file is no JSON object, or a patch does not fit.
    """
    if source.is_file():
        return Catalogue(_from_reply(source))
    common = source / "output.json"
    shared = _unwrap(_read(common)) if common.is_file() else PLAIN_OUTPUT
    return Catalogue(_from_folder(source, shared), shared)


def _from_folder(folder: Path, common_output: Mapping[str, Any]) -> Iterator[Model]:
    for path in sorted(folder.rglob("*/input.json")):
        home = path.parent
        names = ("output", "patch", "example", "model")
        given = {name: _read(home / f"{name}.json") for name in names if (home / f"{name}.json").is_file()}
        schema = _read(path)
        if "patch" in given:
            schema = _patched(schema, given["patch"], home / "patch.json")
        yield Model(
            model_id=home.relative_to(folder).as_posix(),
            input_schema=_object(schema, path),
            output_schema=_unwrap(given["output"]) if "output" in given else common_output,
            facts=_object(given.get("model", {}), home / "model.json"),
            example=_object(given["example"], home / "example.json") if "example" in given else None,
        )


def _from_reply(path: Path) -> Iterator[Model]:
    for entry in _object(_read(path), path).get("models", ()):
        yield Model(
            model_id=entry["model_id"],
            input_schema=entry["input_schema"],
            output_schema=_unwrap(entry.get("output_schema") or PLAIN_OUTPUT),
            facts=entry,
        )


def _patched(schema: Any, patch: Any, path: Path) -> Any:
    try:
        return jsonpatch.apply_patch(schema, patch)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError, IndexError) as fault:
        raise CatalogueError(f"{path}: the patch does not fit the schema: {fault}") from None


def _unwrap(schema: Any) -> Mapping[str, Any]:
    """The pages print an output schema as {"output": {...}}; what stands inside is the schema."""
    if isinstance(schema, dict) and set(schema) == {"output"} and isinstance(schema["output"], dict):
        return dict(schema["output"])
    return dict(schema) if isinstance(schema, dict) else PLAIN_OUTPUT


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as fault:
        raise CatalogueError(f"{path}: {fault}") from None


def _object(value: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise CatalogueError(f"{path}: a JSON object is expected, this is a {type(value).__name__}")
    return value
