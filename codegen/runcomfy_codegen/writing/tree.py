"""The generated package as a map from path to text: what belongs to one model, and what all models share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runcomfy_client.describe.errors import ERROR_CLASSES

from .. import __version__
from ..naming.model import input_class, output_class
from ..rendering.imports import Imports
from ..rendering.literals import docstring, string
from ..rendering.templating import render
from .endpoints import client_module, resource_modules
from .manifest import MANIFEST, manifest_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..building.unit import Unit

MARKER = "py.typed"
# What runcomfy_client.packages reads; it changes with what generated modules import and how they are found.
FORMAT: Final = 1
# What `import runcomfy` offers, and where it lies.
_EXPORTS: Final[Mapping[str, tuple[str, ...]]] = {
    "._client": ("AsyncRunComfy", "RunComfy"),
    "runcomfy_client.errors": ERROR_CLASSES,
    "runcomfy_client.batch.batch": ("AsyncBatch", "Batch"),
    "runcomfy_client.batch.folder": ("BatchFailure", "BatchItem", "BatchReport"),
    "runcomfy_client.batch.plan": ("BatchCheck", "ModelEstimate", "RowProblem"),
    "runcomfy_client.batch.items": ("BatchStatus",),
    "runcomfy_client.jobs": ("AsyncJob", "Job"),
    "runcomfy_client.transport.hooks": ("EventHooks", "HttpEvent"),
    "runcomfy_client.api.catalog": ("Balance", "CatalogEntry"),
    "runcomfy_client.catalog": ("AsyncCatalog", "Catalog"),
    "runcomfy_client.media": ("AudioInput", "ImageInput", "VideoInput"),
    "runcomfy_client.models": ("InputModel",),
    "runcomfy_client.journal": ("Budget", "Journal", "JournalEntry"),
    "runcomfy_client.outputs": ("FileURL", "MediaOutput", "OutputModel"),
    "runcomfy_client.api.submit": ("RequestOptions",),
    "runcomfy_client.api.values": ("Cancellation", "DownloadProgress", "JobUpdate", "PollState"),
    "runcomfy_client.result_store": ("AsyncResultStore", "ResultStore", "StoredFile", "StoredResult"),
    "runcomfy_client.results": ("AsyncFile", "AsyncResult", "File", "Result"),
    "runcomfy_client.transport.config": ("Timeouts",),
    "._index": ("validate",),
    "runcomfy_client.media.probe": ("Probe",),
    "runcomfy_client.schema.findings": ("Finding", "Report"),
}


def package_tree(units: Sequence[Unit], package: str) -> dict[str, bytes]:
    """Every file of the package, path below its folder -> content."""
    texts: dict[str, str] = {
        "__init__.py": _root(package),
        "_client.py": client_module(units),
        "_index.py": _index(units),
        "__main__.py": render("main.py", docstring=docstring([f"The command line for the models of {package}."], 0)),
        MARKER: "",
        MANIFEST: manifest_text(units),
    }
    for unit in units:
        assert unit.rendered is not None
        path = "/".join(unit.names.parts)
        texts[f"models/{path}.py"] = unit.rendered.models
        texts[f"specs/{path}.py"] = unit.rendered.spec
    texts |= resource_modules(units)
    texts |= _packages(units)
    return {path: text.encode() for path, text in texts.items()}


def is_ignored(name: str) -> bool:
    """Caches and hidden files are not generated code: they are neither compared nor changed."""
    return name == "__pycache__" or name.startswith(".")


def _root(package: str) -> str:
    imports = Imports({module: set(names) for module, names in _EXPORTS.items()})
    names = sorted(name for exports in _EXPORTS.values() for name in exports)
    modules = {name: module for module, exports in _EXPORTS.items() for name in exports}
    return render(
        "root.py",
        docstring=docstring(["A typed client for RunComfy's Model API: RunComfy, AsyncRunComfy and validate."], 0),
        version=string(__version__),
        imports=imports.text("    "),
        names=map(string, names),
        package=package,
        lines=[f"{string(name)}: {string(modules[name])}" for name in names],
    )


def _index(units: Iterable[Unit]) -> str:
    lines = [f"{string(unit.model_id)}: {string(unit.names.dotted)}" for unit in units]
    return render("index.py", lines=lines, format=FORMAT)


def _packages(units: Iterable[Unit]) -> dict[str, str]:
    """The __init__ modules of models/, specs/ and resources/; those of models offer the classes of the models below."""
    texts = {
        "models": _package("The input and output classes of all models.", guard=True),
        "specs": _package("What all models take, as the offline check reads it."),
        "resources": _package("The endpoint methods of all models."),
    }
    classes: dict[str, dict[str, str]] = {}
    for unit in units:
        *folders, module = unit.names.parts
        for depth in range(1, len(folders) + 1):
            classes.setdefault("/".join(folders[:depth]), {})
        own = (input_class(unit.names), output_class(unit.names))
        classes["/".join(folders)] |= dict.fromkeys(own, f".{module}")
    for path, modules in classes.items():
        dotted = path.replace("/", ".")
        texts[f"models/{path}"] = _package(f"The input and output classes of {dotted}.", modules)
        texts[f"specs/{path}"] = _package(f"What the models of {dotted} take.")
    return {f"{path}/__init__.py": text for path, text in texts.items()}


def _package(text: str, modules: Mapping[str, str] | None = None, guard: bool = False) -> str:
    """An __init__ module: it offers names of its modules, each loaded on first touch."""
    imports = Imports()
    for name, module in (modules or {}).items():
        imports.add(module, name)
    return render(
        "package.py",
        docstring=docstring([text], 0),
        guard=guard,
        imports=imports.text("    "),
        lines=[f"{string(name)}: {string(module)}" for name, module in sorted((modules or {}).items())],
        names=map(string, sorted(modules or {})),
    )
