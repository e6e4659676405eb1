"""The generated package as a map from path to text: what belongs to one model, and what all models share."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from .. import __version__
from ..naming.model import family_class, provider_class
from ..places import runtime_folder
from ..rendering.imports import Imports, relative
from ..rendering.literals import docstring, string
from ..rendering.templating import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..building.unit import Unit
    from ..naming.identifiers import PythonName
    from ..reading.source import Json

RUNTIME = "_runtime"
MANIFEST = "_manifest.json"
MARKER = "py.typed"
# What the generator's output depends on beside the schemas and its own text; pinned exactly in pyproject.toml.
TOOLS = ("black", "datamodel-code-generator", "jinja2")

# What `import runcomfy` offers, and where it lies.
_EXPORTS: Final[Mapping[str, tuple[str, ...]]] = {
    "._client": ("AsyncRunComfy", "RunComfy"),
    "._runtime.errors": (
        "APIError",
        "AuthenticationError",
        "ConfigurationError",
        "DownloadError",
        "InsufficientBalanceError",
        "InvalidInputError",
        "JobCancelledError",
        "JobError",
        "JobFailedError",
        "JobNotReadyError",
        "JobTimeoutError",
        "JournalError",
        "NotFoundError",
        "PermissionDeniedError",
        "RateLimitError",
        "RejectedInputError",
        "RunComfyError",
        "ServerError",
        "SubmissionUnknownError",
        "TransportError",
        "UnknownModelError",
    ),
    "._runtime.jobs": ("AsyncJob", "Job"),
    "._runtime.hooks": ("HttpEvent",),
    "._runtime.journal": ("Journal", "JournalEntry"),
    "._runtime.models": ("MediaOutput",),
    "._runtime.options": ("RequestOptions",),
    "._runtime.results": ("AsyncResult", "Cancellation", "DownloadProgress", "File", "JobUpdate", "Result"),
    "._runtime.transport.config": ("Timeouts",),
    "._runtime.validation.offline": ("validate",),
    "._runtime.validation.probe": ("Probe",),
    "._runtime.validation.report": ("Finding", "Report"),
}


def package_tree(units: Sequence[Unit], package: str) -> dict[str, bytes]:
    """Every file of the package, path below its folder -> content."""
    texts: dict[str, str] = {
        "__init__.py": _root(package),
        "_client.py": _client(units),
        "_index.py": _index(units),
        MARKER: "",
        MANIFEST: _manifest(units),
    }
    for unit in units:
        assert unit.rendered is not None
        path = "/".join(unit.names.parts)
        texts[f"models/{path}.py"] = unit.rendered.models
        texts[f"specs/{path}.py"] = unit.rendered.spec
    texts |= _resources(units)
    texts |= _packages(units)
    tree = {path: text.encode() for path, text in texts.items()}
    return tree | _runtime()


def _runtime() -> dict[str, bytes]:
    """The hand-written half, verbatim."""
    folder = runtime_folder()
    return {
        f"{RUNTIME}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def _manifest(units: Iterable[Unit]) -> str:
    """The one file that knows versions; the names in it are those that are published."""
    runtime: list[Json] = [*sorted(_runtime())]
    content: dict[str, Json] = {
        "generator": f"runcomfy-codegen {__version__}",
        "tools": {tool: version(tool) for tool in TOOLS},
        "runtime": runtime,
        "names": {unit.model_id: names_entry(unit) for unit in units},
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def names_entry(unit: Unit) -> dict[str, Json]:
    """A model's published names, as names.json has them."""
    entry: dict[str, Json] = {"name": unit.names.dotted, "properties": dict(unit.properties)}
    if unit.objects:
        entry["objects"] = {name: dict(names) for name, names in sorted(unit.objects.items())}
    return entry


def _root(package: str) -> str:
    imports = Imports({module: set(names) for module, names in _EXPORTS.items()})
    names = sorted(name for each in _EXPORTS.values() for name in each)
    modules = {name: module for module, each in _EXPORTS.items() for name in each}
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
    return render("index.py", lines=lines)


def _client(units: Sequence[Unit]) -> str:
    providers = {unit.names.provider: provider_class(unit.names) for unit in units}
    imports = Imports()
    imports.add("typing", "TYPE_CHECKING")
    imports.add("._runtime.client", "AsyncClient", "SyncClient")
    lazy = Imports()
    if providers:
        imports.add("functools", "cached_property")
    classes = []
    for prefix, base in (("", "SyncClient"), ("Async", "AsyncClient")):
        members = []
        for provider, own in sorted(providers.items()):
            name = f"{prefix}{own}"
            lazy.add(f".resources.{provider}", name)
            members.append(_lazy(provider, name, f"resources.{provider}", "self", f"The models of {provider}."))
        text = "RunComfy's Model API" + (", asynchronously." if prefix else ".")
        classes.append(_class(f"{prefix}RunComfy", base, text, members))
    return _module(
        "The client: what the runtime does for all models, and a property for each provider.", imports, lazy, classes
    )


def _resources(units: Sequence[Unit]) -> dict[str, str]:
    """A package for each provider, and in it a module for each family."""
    texts: dict[str, str] = {}
    providers: dict[PythonName, dict[PythonName | None, list[Unit]]] = {}
    for unit in units:
        providers.setdefault(unit.names.provider, {}).setdefault(unit.names.family, []).append(unit)
    for provider, families in providers.items():
        texts[f"resources/{provider}/__init__.py"] = _provider(provider, families)
        for family, members in families.items():
            if family:
                texts[f"resources/{provider}/{family}.py"] = _family(provider, family, members)
    return texts


def _provider(provider: PythonName, families: Mapping[PythonName | None, Sequence[Unit]]) -> str:
    own = families.get(None, ())
    imports, lazy = _method_imports(own)
    named = {family: family_class(units[0].names) for family, units in families.items() if family}
    own_class = provider_class(next(iter(families.values()))[0].names)
    if named:
        imports.add("functools", "cached_property")
    classes = []
    for prefix in ("", "Async"):
        members = []
        for family, family_name in sorted(named.items()):
            name = f"{prefix}{family_name}"
            lazy.add(f".{family}", name)
            text = f"The models of {provider}.{family}."
            members.append(_lazy(family, name, family, "self._client", text))
        members += _methods(own, prefix)
        classes.append(_class(f"{prefix}{own_class}", f"{prefix}Resource", f"The models of {provider}.", members))
    return _module(f"The endpoints of {provider}.", imports, lazy, classes)


def _family(provider: PythonName, family: PythonName, units: Sequence[Unit]) -> str:
    imports, lazy = _method_imports(units)
    text = f"The models of {provider}.{family}."
    classes = [
        _class(f"{prefix}{family_class(units[0].names)}", f"{prefix}Resource", text, _methods(units, prefix))
        for prefix in ("", "Async")
    ]
    return _module(f"The endpoints of {provider}.{family}.", imports, lazy, classes)


def _methods(units: Iterable[Unit], prefix: str) -> list[str]:
    ordered = sorted(units, key=lambda unit: unit.names.method)
    texts = [(unit.rendered.async_method if prefix else unit.rendered.method) for unit in ordered if unit.rendered]
    return [text + "\n" for text in texts]


def _method_imports(units: Iterable[Unit]) -> tuple[Imports, Imports]:
    """What a module of methods imports when it runs, and what only its annotations need."""
    imports, lazy = Imports(), Imports()
    imports.add("typing", "TYPE_CHECKING")
    imports.add(relative(2, "_runtime.resource"), "AsyncResource", "Resource")
    for unit in units:
        assert unit.rendered is not None
        lazy.merge(unit.rendered.imports)
    if lazy.names:
        lazy.add(relative(2, "_runtime.jobs"), "AsyncJob", "Job")
        lazy.add(relative(2, "_runtime.options"), "RequestOptions")
        typing = lazy.names.pop("typing", set())
        imports.add("typing", *typing)
    return imports, lazy


def _lazy(name: str, class_: str, module: str, argument: str, text: str) -> str:
    values = {"name": name, "class": class_, "module": module, "argument": argument}
    return render("lazy_property.py", docstring=docstring([text], 8), **values)


def _class(name: str, base: str, text: str, members: list[str]) -> dict[str, object]:
    return {"name": name, "base": base, "docstring": docstring([text], 4), "members": members}


def _module(text: str, imports: Imports, lazy: Imports, classes: list[dict[str, object]]) -> str:
    """A module of classes. Its methods come formatted; all that is added here keeps black's form by itself."""
    block = imports.text()
    if lazy.names:
        block += "\n\nif TYPE_CHECKING:\n" + lazy.text("    ")
    return render("family.py", docstring=docstring([text], 0), imports=block, classes=classes)


def _packages(units: Iterable[Unit]) -> dict[str, str]:
    """The __init__ modules of models/, specs/ and resources/: a docstring each."""
    texts = {
        "models": "The input and output classes of all models.",
        "specs": "What all models take, as the offline check reads it.",
        "resources": "The endpoint methods of all models.",
    }
    for unit in units:
        *folders, _ = unit.names.parts
        for depth in range(1, len(folders) + 1):
            dotted = ".".join(folders[:depth])
            texts[f"models/{'/'.join(folders[:depth])}"] = f"The input and output classes of {dotted}."
            texts[f"specs/{'/'.join(folders[:depth])}"] = f"What the models of {dotted} take."
    return {f"{path}/__init__.py": render("package.py", docstring=docstring([text], 0)) for path, text in texts.items()}
