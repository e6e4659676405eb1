"""The modules that lead to the endpoint methods: the client, a package for each provider, a module for each family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..naming.model import family_class, provider_class
from ..rendering.imports import Imports
from ..rendering.literals import docstring
from ..rendering.templating import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..building.unit import Unit
    from ..naming.identifiers import PythonName


def client_module(units: Sequence[Unit]) -> str:
    providers = {unit.names.provider: provider_class(unit.names) for unit in units}
    imports = Imports()
    imports.add("typing", "TYPE_CHECKING")
    imports.add("runcomfy_client.client", "AsyncClient", "SyncClient")
    imports.add("._index", "PACKAGE")
    lazy = Imports()
    classes = []
    for prefix, base in (("", "SyncClient"), ("Async", "AsyncClient")):
        members = ["    _package = PACKAGE\n"]
        for provider, own in sorted(providers.items()):
            name = f"{prefix}{own}"
            lazy.add(f".resources.{provider}", name)
            members.append(_lazy(provider, name, f"resources.{provider}", "self", f"The models of {provider}."))
        text = (
            f"RunComfy's Model API{', asynchronously' if prefix else ''}, with a property for each provider of models."
        )
        classes.append(_class(f"{prefix}RunComfy", base, text, members))
    return _module("The client: runcomfy_client's, with a property for each provider.", imports, lazy, classes)


def resource_modules(units: Sequence[Unit]) -> dict[str, str]:
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
    imports.add("runcomfy_client.resources", "AsyncResource", "Resource")
    for unit in units:
        assert unit.rendered is not None
        lazy.merge(unit.rendered.imports)
    if lazy.names:
        lazy.add("runcomfy_client.jobs", "AsyncJob", "Job")
        lazy.add("runcomfy_client.api.submit", "RequestOptions")
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
