"""--skip-faulty leaves a faulty model as it was: its unit is read back from the package that was generated before."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..building.unit import Unit
from ..naming.model import ModelNames
from ..rendering.rendered import Rendered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..reading.store import ModelId


def recover(folder: Path, model_id: ModelId, published: Mapping[str, object]) -> Unit | None:
    """The unit of a model as the package holds it, or None if the model was not there."""
    entry = published.get(model_id)
    if not isinstance(entry, dict):
        return None
    names = ModelNames.of(str(entry.get("name")))
    if names is None:
        return None
    path = "/".join(names.parts)
    resource = "/".join(names.parts[:-1]) + ("" if names.family else "/__init__")
    try:
        spec = (folder / f"specs/{path}.py").read_text(encoding="utf-8")
        models = (folder / f"models/{path}.py").read_text(encoding="utf-8")
        text = (folder / f"resources/{resource}.py").read_text(encoding="utf-8")
        methods = list(_methods(text, names.method))
        imports = _imports(ast.parse(text), [node for _, node in methods])
    except (OSError, SyntaxError, ValueError):
        return None
    if len(methods) != 2:
        return None
    return Unit(
        model_id=model_id,
        names=names,
        diagnostics=(),
        properties=_texts(entry.get("properties")),
        objects={name: _texts(texts) for name, texts in _mapping(entry.get("objects")).items()},
        rendered=Rendered(spec=spec, models=models, method=methods[0][0], async_method=methods[1][0], imports=imports),
    )


def _methods(text: str, name: str) -> Iterator[tuple[str, ast.AST]]:
    lines = text.split("\n")
    for definition in ast.parse(text).body:
        if isinstance(definition, ast.ClassDef):
            for node in definition.body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                    yield "\n".join(lines[node.lineno - 1 : node.end_lineno]), node


def _imports(module: ast.Module, methods: list[ast.AST]) -> dict[str, tuple[str, ...]]:
    """Those imports of the module that the methods' annotations use; the module's own come with every module."""
    used = {node.id for method in methods for node in ast.walk(method) if isinstance(node, ast.Name)}
    used -= {"Job", "AsyncJob", "RequestOptions", "TYPE_CHECKING"}
    objects: dict[str, tuple[str, ...]] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            names = tuple(sorted({name.name for name in node.names} & used))
            if names:
                objects["." * node.level + (node.module or "")] = names
    return objects


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> dict[str, str]:
    return {name: str(text) for name, text in _mapping(value).items()}
