"""What tests of the generator share: stores in temporary folders, hostile texts, generated code brought to life."""

from __future__ import annotations

import importlib
import json
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from runcomfy_codegen.building.unit import Task, Unit
from runcomfy_codegen.naming.lock import Lock
from runcomfy_codegen.naming.names import model_names
from runcomfy_codegen.reading import store
from runcomfy_codegen.reading.load import ModelSource
from runcomfy_codegen.reading.store import ModelId
from runcomfy_codegen.writing.tree import package_tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runcomfy_codegen.reading.source import Json

# Names and texts that want to be code, to close a string, to hide, or to be something else in Python.
HOSTILE = (
    "",
    " ",
    "_",
    "__class__",
    "__init__",
    "__import__('os').system('touch /tmp/owned')",
    "class",
    "None",
    "self",
    "options",
    "model_config",
    "model_fields",
    "copy",
    "json",
    "schema",
    "validate",
    "str",
    "list",
    "input",
    "INPUT",
    "MODEL",
    "Field",
    "to_payload",
    "prompt",
    "Prompt",
    "num-steps",
    "143_image",
    "width×height",
    "宽度",
    "été",
    "\u212a",  # the Kelvin sign, a k in lower case
    "'",
    '"',
    '"""',
    "'''",
    'ends with "',
    "ends with \\",
    "\\",
    "\\N{BULLET}",
    "\\x",
    '""" + __import__("os").system("true") + """',
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{}",
    "%s",
    "# noqa",
    "# type: ignore",
    "\n",
    "a\nb",
    "\r\n",
    "\t",
    "\0",
    "\x1b[31m",
    "\u2028",
    "\u2029",
    "\x85",
    "\u202eabc",
    "\ufeff",
    "😀",
    "../../etc/passwd",
    "/absolute",
    "a.b.c",
    "a/b~1c",
    "$ref",
    "x" * 300,
    "word " * 40,
)


class Package:
    """A package that generated modules can be imported into, one model after the other."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        (self.folder / "__init__.py").write_text("", encoding="utf-8")
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()

    def close(self) -> None:
        sys.path.remove(str(self.folder.parent))
        for module in [each for each in sys.modules if each.partition(".")[0] == self.name]:
            del sys.modules[module]

    def load(self, unit: Unit) -> Mapping[str, ModuleType]:
        """Import what was generated for a model: its modules by their path."""
        tree = package_tree([unit], self.name)
        modules: dict[str, ModuleType] = {}
        rooms = ("_index.py", "specs", "models", "resources")
        ours = [path for path in tree if path.endswith(".py") and path.split("/")[0] in rooms]
        for path in sorted(ours, key=lambda path: (rooms.index(path.split("/")[0]), path)):
            dotted = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            module = ModuleType(f"{self.name}.{dotted}")
            is_package = path.endswith("__init__.py")
            module.__package__ = module.__name__ if is_package else module.__name__.rpartition(".")[0]
            if is_package:
                module.__path__ = []
            sys.modules[module.__name__] = module
            exec(compile(tree[path], path, "exec"), module.__dict__)  # noqa: S102 - that it runs is what is tested
            modules[path] = module
        return modules


def write_store(folder: Path, models: Mapping[str, Json]) -> Path:
    """A schema store with an input.json for each model id."""
    for model_id, schema in models.items():
        store.write_json(folder / model_id / store.INPUT, schema)
    return folder


def task(data: bytes, model_id: str = "acme/family/task") -> Task:
    """The task of one model, from the bytes of its input.json."""
    names, _ = model_names([ModelId(model_id)], Lock())
    source = ModelSource(model_id=ModelId(model_id), input=data)
    return Task(source=source, names=names[ModelId(model_id)], lock=Lock().model(ModelId(model_id)))


def input_of(properties: Mapping[str, Json], required: list[str] | None = None) -> dict[str, Json]:
    """An input schema of these properties."""
    schema: dict[str, Json] = {"type": "object", "title": "Input schema", "properties": dict(properties)}
    return {**schema, "required": [*required]} if required else schema


def encoded(schema: Json) -> bytes:
    return json.dumps(schema, ensure_ascii=False).encode()
