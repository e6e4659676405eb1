"""A generated package as the client sees it: which models it has, where their modules are, and `validate` for them.

Every generated package makes one ModelPackage in its `_index` module. Nothing is loaded but the model asked for, so
what one model costs does not depend on how many there are. Several packages work side by side in one process: each
client and each `validate` knows its own.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import ConfigurationError, UnknownModelError
from .schema.containers import MAX_DEPTH, MISSING
from .schema.findings import Report
from .schema.messages import brief
from .schema.spec import check
from .schema.suggest import rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .media.probe import Probe
    from .models import InputModel
    from .outputs import OutputModel
    from .schema.findings import Finding
    from .schema.spec import ModelSpec

# The format that the generator writes now, and those that this library reads. A change of what generated modules
# import, or of how they are found, makes a new number.
FORMAT = 1
READABLE_FORMATS = frozenset({FORMAT})


class ModelPackage:
    """The models of one generated package.

    ``name`` is the package's import name, ``format`` the number of the format it was generated in, ``models`` maps each
    model id to the place of its modules below ``specs`` and ``models``. Raises ConfigurationError for a format that
    this library does not read.
    """

    def __init__(self, name: str, *, format: int, models: Mapping[str, str]) -> None:
        if format not in READABLE_FORMATS:
            raise ConfigurationError(_unreadable(name, format))
        self.name = name
        self.models = models
        # Another import statement costs several times what a check does.
        self._specs: dict[str, ModelSpec] = {}

    def model_ids(self) -> list[str]:
        """The ids of all models of the package, sorted."""
        return sorted(self.models)

    def spec(self, model_id: str) -> ModelSpec | None:
        """What is known of a model's input, or None if the package has no model of this id."""
        spec = self._specs.get(model_id)
        if spec is None:
            place = self.models.get(model_id)
            if place is None:
                return None
            spec = self._specs[model_id] = import_module(f"{self.name}.specs.{place}").MODEL
        return spec

    def known_spec(self, model_id: str) -> ModelSpec:
        """As ``spec``, but raises UnknownModelError, which names the nearest ids, for an id without a model."""
        spec = self.spec(model_id)
        if spec is None:
            raise UnknownModelError(self._unknown_model_message(model_id), model_id=model_id)
        return spec

    def spec_named(self, name: str) -> ModelSpec | None:
        """The model whose id a text is, or ends with, as the address of its schema does; None if there is none."""
        parts = name.removesuffix(".json").split("/")
        specs = (self.spec("/".join(parts[start:])) for start in range(len(parts)))
        return next((spec for spec in specs if spec is not None), None)

    def input_class(self, model_id: str) -> type[InputModel[Any]] | None:
        """The class of a model's input, or None if the package has no model of this id."""
        spec = self.spec(model_id)
        if spec is None:
            return None
        class_: type[InputModel[Any]] = getattr(self._classes(model_id), spec.input_class)
        return class_

    def output_class(self, model_id: str) -> type[OutputModel] | None:
        """The class of a model's own output, or None if it has the output that most models share, or is not known."""
        spec = self.spec(model_id)
        if spec is None or not spec.output_class:
            return None
        class_: type[OutputModel] = getattr(self._classes(model_id), spec.output_class)
        return class_

    def validate(self, model_id: str, payload: object, probe: bool | Probe = False) -> Report:
        """Check a payload against a model's schema, without a network, and report everything that is wrong with it.

        Args:
            model_id: such as "bytedance/dreamina-4-0/edit".
            payload: the request body with wire names: a dict, JSON text (str or bytes), or the path of a JSON file
                (pathlib.Path); the "$schema" that editors read is left out of texts and files. In a dict, media fields
                take what a submit takes: URLs, data: URIs, paths, bytes, open binary files, PIL images. An instance of
                an input class stands for its payload.
            probe: also look at the media behind URLs, reading only their first bytes; a Probe says how far to go.

        Raises:
            UnknownModelError: the package has no model of this id; nothing else is raised.
        """
        return validate_spec(self.known_spec(model_id), payload, probe)

    def missing(self, place: str, name: str, names: Iterable[str]) -> str:
        """The message for a missing provider, family or endpoint: the nearest names, and what to do.

        ``place`` is where it was looked for: "" for the client, "bytedance", "bytedance.dreamina_4_0". ``names`` are
        those that are there.
        """
        near = rank(name, [candidate for candidate in names if not candidate.startswith("_")])[:3]
        hint = f"; did you mean {' or '.join(map(brief, near))}?" if near else "."
        depth = place.count(".") + 1 if place else 0
        inside = (model_id for model_id, dotted in self.models.items() if dotted.startswith(f"{place}."))
        segments = next(inside, "").split("/")[:depth] if depth else [name.replace("_", "-")]
        prefix = "/".join(segments)
        return (
            f"{f'client.{place}' if place else 'The client'} has no {brief(name)}{hint} No model of that name was"
            f' generated into {self.name}. client.submit("{prefix}/...", {{...}}) sends a job to any model by its id;'
            f" runcomfy-codegen pull '{prefix}/*' gets the schemas to generate methods from."
        )

    def _classes(self, model_id: str) -> object:
        return import_module(f"{self.name}.models.{self.models[model_id]}")

    def near(self, model_id: str) -> str:
        """The ids that ``model_id`` may be a misspelling of, "'a' or 'b'"; empty if none is near."""
        return " or ".join(map(brief, rank(model_id, self.model_ids())[:3]))

    def _unknown_model_message(self, model_id: str) -> str:
        model_ids = self.model_ids()
        if near := self.near(model_id):
            return f"no model {brief(model_id)} is known here; did you mean {near}?"
        return (
            f"no model {brief(model_id)} is known here; this client was generated for {len(model_ids)}:"
            f" {', '.join(model_ids[:5])}" + (", ..." if len(model_ids) > 5 else "")
        )

    def __repr__(self) -> str:
        return f"<ModelPackage {self.name}: {len(self.models)} models>"


def lazy_names(module: str, places: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a package that offers names of its modules and loads each on first touch.

    ``places`` maps a name to its module, relative to the package ``module``.
    """

    def __getattr__(name: str) -> object:
        place = places.get(name)
        if place is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name, obj=sys.modules[module])
        value: object = getattr(import_module(place, module), name)
        setattr(sys.modules[module], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[module]), *places})

    return __getattr__, __dir__


def validate_spec(spec: ModelSpec, payload: object, probe: bool | Probe = False) -> Report:
    """As ``validate``, for a spec that is already loaded."""
    if type(payload) is dict and not probe:
        report = check(spec, payload)
        if report.ok or _is_json(payload):
            return report
    findings: list[Finding] = []
    if isinstance(payload, (str, bytes, bytearray, os.PathLike)):
        from .schema.json_payload import read_payload, without_schema_key  # loads json

        payload, findings = read_payload(payload)
        if payload is MISSING:
            return Report(spec.model_id, findings)
        payload = without_schema_key(payload)
    elif not isinstance(payload, dict):
        payload = _to_dict(payload)
    return check_value(spec, payload, probe, findings)


def check_value(
    spec: ModelSpec, payload: object, probe: bool | Probe = False, findings: Sequence[Finding] = ()
) -> Report:
    """The report about a value that has been read; ``findings`` were found before, and join it."""
    if probe:
        from .media.probe import Probe, probe_payload  # loads what reads media

        payload = probe_payload(spec.input, payload, Probe() if probe is True else probe)
    if isinstance(payload, dict) and not _is_json(payload):
        from .prepare import prepare_input  # loads what reads media; a payload of JSON values needs none of it

        return prepare_input(spec, payload, findings=findings).report
    return Report(spec.model_id, [*findings, *(spec.input.check(payload) or ())])


def _is_json(value: object, depth: int = MAX_DEPTH) -> bool:
    """Whether a payload holds JSON values only, as one parsed from text does; values nested too deep do not count."""
    if depth == 0:
        return True
    if type(value) is dict:
        return all(type(key) is str and _is_json(item, depth - 1) for key, item in value.items())
    if type(value) is list:
        return all(_is_json(item, depth - 1) for item in value)
    return value is None or type(value) in (str, int, float, bool)


def _to_dict(payload: object) -> object:
    """The dict that another kind of mapping, or an input class's instance, stands for."""
    from collections.abc import Mapping

    to_payload = getattr(payload, "to_payload", None)
    if callable(to_payload):
        return to_payload()
    return dict(payload) if isinstance(payload, Mapping) else payload


def _unreadable(name: str, format: int) -> str:
    if format > FORMAT:
        cure = "update runcomfy-client, which reads it"
    else:
        cure = f"generate it again: runcomfy-codegen generate --package {name}"
    return f"The package {name} was generated in format {format}, and this runcomfy-client reads {FORMAT}; {cure}."
