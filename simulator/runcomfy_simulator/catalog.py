"""What is served: a `Model` for each folder below schemas/ with an input.json, or for each entry of a saved reply."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jsonpatch
import jsonpointer

from .dialect import InputValidator
from .guess import GUESSED_PRICES, Kind, guess_category, guess_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

# The output of every model if schemas/ has no output.json at all.
DEFAULT_OUTPUT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "image": {"type": "string", "format": "uri"},
        "video": {"type": "string", "format": "uri"},
        "images": {"type": "array", "items": {"type": "string", "format": "uri"}},
        "videos": {"type": "array", "items": {"type": "string", "format": "uri"}},
    },
}
_NOT_LISTED = ("input_schema", "output_schema", "example", "title")


class CatalogError(Exception):
    """The schemas cannot be served; the message says where and why."""


@dataclass(frozen=True, eq=False)
class Model:
    """One model: its schemas as served, and what model.json or a saved catalog entry says of it."""

    model_id: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    example: Mapping[str, Any] | None = None

    @cached_property
    def validator(self) -> InputValidator:
        return InputValidator(self.input_schema)

    @cached_property
    def kind(self) -> Kind:
        listed = self.metadata.get("categories") or ()
        return guess_kind(self.model_id, tuple(map(str, listed)), self.input_schema, self.output_schema)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        listed = self.metadata.get("categories") or (guess_category(self.model_id, self.kind, self.input_schema),)
        return tuple(map(str, listed))

    @property
    def price(self) -> float:
        """US dollars for each `price_unit`."""
        price = self.metadata.get("base_price_usd")
        return GUESSED_PRICES[self.kind][0] if price is None else float(price)

    @property
    def price_unit(self) -> str:
        return str(self.metadata.get("price_unit") or GUESSED_PRICES[self.kind][1])

    def entry(self, *, include_schema: bool) -> dict[str, Any]:
        """The model as the catalog's reply shows it. `"base_price_usd": null` in model.json leaves the price out."""
        entry: dict[str, Any] = {
            "model_id": self.model_id,
            "display_name": self.metadata.get("title") or self.model_id.partition("/")[2],
            "description": "",
            "kind": "model",
            "base_price_usd": self.price,
            "price_unit": self.price_unit,
            "pricing_note": "",
            "inputs": sorted(self.input_schema.get("properties") or {}),
            "required_inputs": list(self.input_schema.get("required") or ()),
            **{key: value for key, value in self.metadata.items() if key not in _NOT_LISTED},
            "categories": [*self.categories],
        }
        if entry["base_price_usd"] is None:
            del entry["base_price_usd"], entry["price_unit"]
        if include_schema:
            entry["input_schema"] = self.input_schema
        return entry


class Catalog:
    """All models, by id; and the output schema of those that have none of their own."""

    def __init__(self, models: Iterable[Model], common_output: Mapping[str, Any] = DEFAULT_OUTPUT) -> None:
        self._models = {model.model_id: model for model in sorted(models, key=lambda model: model.model_id)}
        self.common_output = common_output

    def __len__(self) -> int:
        return len(self._models)

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def get(self, model_id: str) -> Model | None:
        return self._models.get(model_id)

    def search(self, *, text: str = "", category: str = "", kind: str = "") -> list[Model]:
        """The models that hold every word of `text`, in `category`, of catalog kind `kind`; empty matches all."""
        words = text.casefold().split()
        matches = []
        for model in self:
            entry = model.entry(include_schema=False)
            searched = f"{model.model_id} {entry['display_name']} {entry['description']}".casefold()
            if (
                all(word in searched for word in words)
                and (not category or category in entry["categories"])
                and (not kind or kind == entry["kind"])
            ):
                matches.append(model)
        return matches

    def categories(self) -> list[str]:
        return sorted({name for model in self for name in model.categories})


def load(source: Path) -> Catalog:
    """Read a schemas folder, or a saved catalog reply (one JSON file).

    Raises:
        CatalogError: a file is no JSON object, a patch does not fit, or an entry is incomplete.
    """
    if source.is_file():
        return Catalog(_from_reply(source))
    path = source / "output.json"
    common = _unwrap(_read(path)) if path.is_file() else DEFAULT_OUTPUT
    return Catalog(_from_folder(source, common), common)


def _from_folder(folder: Path, common_output: Mapping[str, Any]) -> Iterator[Model]:
    for path in sorted(folder.rglob("*/input.json")):
        home = path.parent
        names = ("output", "patch", "example", "model")
        files = {name: _read(home / f"{name}.json") for name in names if (home / f"{name}.json").is_file()}
        schema = _read(path)
        if "patch" in files:
            schema = _apply_patch(schema, files["patch"], home / "patch.json")
        yield Model(
            model_id=home.relative_to(folder).as_posix(),
            input_schema=_object(schema, path),
            output_schema=_unwrap(files["output"]) if "output" in files else common_output,
            metadata=_metadata(files.get("model", {}), home / "model.json"),
            example=_object(files["example"], home / "example.json") if "example" in files else None,
        )


def _from_reply(path: Path) -> Iterator[Model]:
    models = _object(_read(path), path).get("models") or ()
    for number, entry in enumerate(models):
        where = f"{path}: models/{number}"
        if not (isinstance(entry, dict) and isinstance(entry.get("model_id"), str)):
            raise CatalogError(f"{where}: an object with a model_id is expected")
        if not isinstance(entry.get("input_schema"), dict):
            raise CatalogError(f"{where}: there is no input_schema; was the reply saved with include_schema=true?")
        yield Model(
            model_id=entry["model_id"],
            input_schema=entry["input_schema"],
            output_schema=_unwrap(entry.get("output_schema") or DEFAULT_OUTPUT),
            metadata=_metadata(entry, where),
        )


def _metadata(value: Any, where: Path | str) -> Mapping[str, Any]:
    metadata = _object(value, where)
    price = metadata.get("base_price_usd")
    if isinstance(price, bool) or not isinstance(price, int | float | None):
        raise CatalogError(f"{where}: base_price_usd is {price!r}; a number or null is expected")
    if not isinstance(metadata.get("categories", []), list | None):
        raise CatalogError(f"{where}: categories is {metadata['categories']!r}; a list is expected")
    return metadata


def _apply_patch(schema: Any, patch: Any, path: Path) -> Any:
    try:
        return jsonpatch.apply_patch(schema, patch)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError, IndexError) as error:
        raise CatalogError(f"{path}: the patch does not fit the schema: {error}") from None


def _unwrap(schema: Any) -> Mapping[str, Any]:
    """The pages print an output schema as {"output": {...}}; the value is the schema."""
    if isinstance(schema, dict) and set(schema) == {"output"} and isinstance(schema["output"], dict):
        return dict(schema["output"])
    return dict(schema) if isinstance(schema, dict) else DEFAULT_OUTPUT


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise CatalogError(f"{path}: {error}") from None


def _object(value: Any, where: Path | str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise CatalogError(f"{where}: a JSON object is expected, this is a {type(value).__name__}")
    return value
