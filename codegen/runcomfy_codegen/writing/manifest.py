"""_manifest.json: the one file of the package that knows versions and the published names."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING

from .. import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ..building.unit import Unit
    from ..reading.source import Json

MANIFEST = "_manifest.json"
_GENERATOR = "runcomfy-codegen "
# What the generator's output depends on beside the schemas and its own text; pinned exactly in pyproject.toml.
_TOOLS = ("black", "datamodel-code-generator", "jinja2")


def manifest_text(units: Iterable[Unit]) -> str:
    """The manifest of a package of these units."""
    content: dict[str, Json] = {
        "generator": f"{_GENERATOR}{__version__}",
        "tools": {tool: version(tool) for tool in _TOOLS},
        "names": {unit.model_id: names_entry(unit) for unit in units},
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def names_entry(unit: Unit) -> dict[str, Json]:
    """A model's published names, as names.json has them."""
    entry: dict[str, Json] = {"name": unit.names.dotted, "properties": dict(unit.properties)}
    if unit.objects:
        entry["objects"] = {name: dict(names) for name, names in sorted(unit.objects.items())}
    return entry


def is_manifest(content: bytes) -> bool:
    """Does a file begin as a manifest of ours does?"""
    return content.startswith(f'{{\n "generator": "{_GENERATOR}'.encode())


def published_names(folder: Path) -> Mapping[str, object]:
    """The names of the package as it was generated last; empty if there is none."""
    names = _manifest(folder).get("names")
    return names if isinstance(names, dict) else {}


def _manifest(folder: Path) -> dict[str, object]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}
