"""Third step: every Python name of a model, of a property and of a class is made here.

The rule is in `identifiers.py`: lower case, a run of other characters becomes one `_`, a leading digit gets a prefix, a
reserved name a trailing `_`. What the rule makes can be overridden in schemas/names.json, the *lock*:

- Every run of `generate` writes the names it used into the lock. So a published name stays what it is, also when the
  rule, the list of reserved names or the schema's key order changes.
- A name that somebody writes there by hand is used, too. That is the cure of every clash.

What can go wrong:

- Two properties of one object become one name (E031), or a property leaves no name (E034).
- Two models become one method, a model becomes a family, two families or two methods become one class (E032).
- Two ids differ only by case (E033): one folder on many file systems.

A clash is always refused and never resolved by a number. A silent `_2` would depend on the order of files that others
write, and a program would call another model, or send another property, after an update. Published names come first:
in a clash the model that is not in the lock has to change, and the help prints the line for names.json.

The classes of objects inside an input are named in `object_names.py`, with `property_names` of this module.
"""

from __future__ import annotations

import keyword
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import Diagnostic, json_text, quote
from ..reading.store import INPUT, ModelId
from . import reserved
from .identifiers import ClassName, PythonName, class_name, python_name
from .lock import ModelLock
from .model import ModelNames, family_class, output_class, provider_class
from .reserved import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..reading.source import Json
    from .lock import Lock

# What a leading digit gets in front: in a model's name, in a property's.
_MODEL_PREFIX = "v"
_PROPERTY_PREFIX = "field_"


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyClash:
    """A property that gets no name of its own. The caller knows its place in the schema and makes the diagnostic."""

    code: str
    wire: str
    message: str
    help: str


def model_names(ids: Iterable[ModelId], lock: Lock) -> tuple[dict[ModelId, ModelNames], tuple[Diagnostic, ...]]:
    """The names of all models, and the clashes among them."""
    names: dict[ModelId, ModelNames] = {}
    # Published models first: in a clash the new model has to change.
    for model_id in sorted(ids, key=lambda known_id: (known_id not in lock.models, known_id)):
        names[model_id] = lock.model(model_id).name or _derive_names(model_id)
    diagnostics = (*_case_clashes(names), *_clashes(names))
    reported = {diagnostic.file for diagnostic in diagnostics}
    return names, (
        *diagnostics,
        *(diagnostic for diagnostic in _merged_names(names, lock) if diagnostic.file not in reported),
    )


def property_names(
    wires: Iterable[str], locked: Mapping[str, PythonName], reserved_names: Mapping[str, str], cure: Cure
) -> tuple[dict[str, PythonName], tuple[PropertyClash, ...]]:
    """The names of one object's properties. `cure` says where in names.json a name of this object stands."""
    names: dict[str, PythonName] = {}
    diagnostics: list[PropertyClash] = []
    owners: dict[PythonName, str] = {}
    for wire in wires:
        name = locked.get(wire) or python_name(wire, _PROPERTY_PREFIX, reserved_names)
        if name is None:
            message = f"{quote(wire)} leaves no Python name: a name is made of the letters a to z, digits and _"
            diagnostics.append(PropertyClash(code="E034", wire=wire, message=message, help=cure.text(wire, "a_name")))
        elif name in owners:
            message = f"{quote(owners[name])} and {quote(wire)} both become {quote(name)}"
            diagnostics.append(
                PropertyClash(code="E031", wire=wire, message=message, help=cure.text(wire, f"{name}_2"))
            )
        else:
            owners[name] = wire
            names[wire] = name
    return names, tuple(diagnostics)


def deviations(names: ModelNames, lock: ModelLock) -> ModelLock:
    """The locked names that the rule would not make: all that a model depends on.

    So what is published for the first time, by rule, changes nothing about the model.
    """

    def chosen(locked: Mapping[str, PythonName], reserved_names: Mapping[str, str]) -> dict[str, PythonName]:
        return {
            wire: name for wire, name in locked.items() if name != python_name(wire, _PROPERTY_PREFIX, reserved_names)
        }

    def reserved_of(name: ClassName) -> Mapping[str, str]:
        return reserved.OUTPUT_PROPERTIES if name.startswith(output_class(names)) else reserved.PROPERTIES

    objects = {name: chosen(object_, reserved_of(name)) for name, object_ in lock.objects.items()}
    return ModelLock(
        properties=chosen(lock.properties, reserved.PROPERTIES),
        objects={name: object_ for name, object_ in objects.items() if object_},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cure:
    """Where the names of one object stand in names.json; `class_name` is None for the input itself."""

    model_id: ModelId
    class_name: ClassName | None = None

    def text(self, wire: str, name: str) -> str:
        """The ready line, as help."""
        line: Json = {wire: name}
        entry: Json = {"objects": {self.class_name: line}} if self.class_name else {"properties": line}
        return names_cure({self.model_id: entry})


def names_cure(lines: dict[str, Json]) -> str:
    """Help that prints lines for names.json."""
    return f"Choose a name, and put it into schemas/names.json (beside what is there):\n{json_text(lines, indent=2)}"


def _derive_names(model_id: ModelId) -> ModelNames:
    provider, *middle = model_id.split("/")
    family, rest = (middle[0], middle[1:]) if len(middle) > 1 else (None, middle)
    return ModelNames(
        provider=_name(provider, reserved.CLIENT),
        family=_name(family, reserved.RESOURCES) if family else None,
        method=_name("_".join(rest), reserved.RESOURCES),
    )


def _name(segment: str, reserved_names: Mapping[str, str]) -> PythonName:
    name = python_name(segment, _MODEL_PREFIX, reserved_names)
    # The store lets only ids pass whose segments begin with a letter or a digit.
    assert name is not None
    return name


def _case_clashes(names: Mapping[ModelId, ModelNames]) -> Iterable[Diagnostic]:
    """Folders that are one folder on a file system that ignores case."""
    seen: dict[str, ModelId] = {}
    for model_id in names:
        other = seen.setdefault(model_id.lower(), model_id)
        if other != model_id:
            yield Diagnostic(
                code="E033",
                message=f"{quote(other)} and {quote(model_id)} differ only by case",
                file=f"{model_id}/{INPUT}",
                help="On many file systems the two are one folder. Keep the one that the API knows.",
            )


def _clashes(names: Mapping[ModelId, ModelNames]) -> Iterable[Diagnostic]:
    owners: dict[tuple[str, ...], ModelId] = {}
    families: dict[tuple[str, ...], ModelId] = {}
    classes: dict[tuple[str | None, ...], ModelId] = {}
    for model_id, model in names.items():
        other = owners.setdefault(model.parts, model_id)
        if other != model_id:
            # Ids that differ only by case are reported already.
            if other.lower() != model_id.lower():
                yield _clash(model_id, model, f"{quote(other)} and {quote(model_id)} both become {quote(model.dotted)}")
            continue
        if model.family:
            families.setdefault((model.provider, model.family), model_id)
        # The methods of one family stand in one module, and so do the names of their classes.
        key = (model.provider, model.family, class_name(model.method))
        twin = classes.setdefault(key, model_id)
        if twin != model_id:
            yield _clash(
                model_id, model, f"the classes of {quote(twin)} and {quote(model_id)} both become {quote(key[2])}…"
            )
    for model_id, model in names.items():
        if model.family is None and model.parts in families:
            other = families[model.parts]
            message = (
                f"{quote(model_id)} becomes the method {quote(model.dotted)}, which is the family of {quote(other)}"
            )
            yield _clash(model_id, model, message)
    yield from _family_class_clashes(names)


def _merged_names(names: Mapping[ModelId, ModelNames], lock: Lock) -> Iterable[Diagnostic]:
    """Different segments that would become one provider or one family without a name in names.json that says so."""
    seen: dict[tuple[str, ...], tuple[str, ModelId]] = {}
    for model_id, model in names.items():
        provider, *middle = model_id.split("/")
        levels: list[tuple[tuple[str, ...], str]] = [((model.provider,), provider)]
        if model.family:
            levels.append(((model.provider, model.family), f"{provider}/{middle[0]}"))
        for key, segment in levels:
            other, owner = seen.setdefault(key, (segment, model_id))
            if other != segment and lock.model(model_id).name is None and other.lower() != segment.lower():
                message = f"{quote(other)} (of {quote(owner)}) and {quote(segment)} both become {quote('.'.join(key))}"
                yield _clash(model_id, model, message, len(key) - 1)
                break


def _family_class_clashes(names: Mapping[ModelId, ModelNames]) -> Iterable[Diagnostic]:
    """Two providers, or two families of one provider, whose classes would have one name in one module."""
    seen: dict[tuple[str, str], tuple[PythonName, ModelId]] = {}
    for model_id, model in names.items():
        levels = [("", provider_class(model), model.provider)]
        if model.family:
            levels.append((model.provider, family_class(model), model.family))
        for part, (module, own, name) in enumerate(levels):
            for class_ in (own, f"Async{own}"):
                other, owner = seen.setdefault((module, class_), (name, model_id))
                if other != name:
                    message = f"{quote(other)} (of {quote(owner)}) and {quote(name)} both get the class {quote(class_)}"
                    yield _clash(model_id, model, message, part)
                    break


def _clash(model_id: ModelId, names: ModelNames, message: str, part: int = -1) -> Diagnostic:
    """`part` is the name to change, of those in `names.parts`."""
    parts = [str(part) for part in names.parts]
    parts[part] = parts[part].rstrip("_") + "_2"
    help = _model_cure(model_id, ".".join(parts))
    return Diagnostic(code="E032", message=message, file=f"{model_id}/{INPUT}", help=help)


def _model_cure(model_id: ModelId, name: str) -> str:
    return names_cure({model_id: {"name": name}})


def package_name_error(name: str, output: str) -> str | None:
    """Why a package below the folder `output` cannot have this name, and what to write instead where that is known."""
    *parents, last = name.split(".")
    if parents and all(part.isidentifier() and part.isascii() for part in (*parents, last)):
        folder = "/".join((*(() if output == "." else (output,)), *parents))
        return (
            f"{quote(name)} is not a name for a package: it is a path to one. For a package that is imported as "
            f"{name}, write --output {folder} --package {last}"
        )
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name) or name.startswith("__"):
        return f"{quote(name)} is not a name for a package"
    reason = "is a module of Python itself" if name in sys.stdlib_module_names else PACKAGES.get(name)
    if reason is None:
        return None
    return f"{quote(name)} is not a name for the package: it {reason}, and would be hidden; choose another"
