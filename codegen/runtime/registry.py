"""From a model id to what is known of it, through the generated index; nothing is loaded but the model asked for."""

from __future__ import annotations

from importlib import import_module

from .errors import UnknownModelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .models import InputModel, OutputModel
    from .validation import ModelSpec

__all__ = ["input_class", "known_spec", "model_ids", "output_class", "spec_for"]

# The package this file was copied into: the client's root, whatever its name.
_ROOT = __name__.rpartition(".")[0].rpartition(".")[0]

# Specs that were loaded: asking the import system again costs several times what a check does.
_loaded: dict[str, ModelSpec] = {}


def model_ids() -> list[str]:
    """The ids of all models that were generated, by alphabet."""
    return sorted(_index())


def spec_for(model_id: str) -> ModelSpec | None:
    """What is known of a model's input, or None if no model of this id was generated."""
    spec = _loaded.get(model_id)
    if spec is None:
        place = _index().get(model_id)
        if place is None:
            return None
        spec = _loaded[model_id] = import_module(f"{_ROOT}.specs.{place}").MODEL
    return spec


def known_spec(model_id: str) -> ModelSpec:
    """As ``spec_for``, for those who cannot go on without.

    Raises UnknownModelError, which names the nearest ids.
    """
    spec = spec_for(model_id)
    if spec is None:
        raise UnknownModelError(_unknown(model_id), model_id=model_id)
    return spec


def input_class(model_id: str) -> type[InputModel] | None:
    """The class of a model's input, or None if no model of this id was generated."""
    spec = spec_for(model_id)
    if spec is None:
        return None
    found: type[InputModel] = getattr(import_module(f"{_ROOT}.models.{_index()[model_id]}"), spec.input_class)
    return found


def output_class(model_id: str) -> type[OutputModel]:
    """The class of a model's output; the common one for an id that was not generated."""
    spec = spec_for(model_id)
    if spec is None or not spec.output_class:
        return import_module(".models", __package__).MediaOutput  # type: ignore[no-any-return]  # loads pydantic, so late
    found: type[OutputModel] = getattr(import_module(f"{_ROOT}.models.{_index()[model_id]}"), spec.output_class)
    return found


def _index() -> dict[str, str]:
    models: dict[str, str] = import_module(f"{_ROOT}._index").MODELS
    return models


def _unknown(model_id: str) -> str:
    from .validation.suggest import ranked
    from .validation.words import shown

    known = model_ids()
    near = ranked(model_id, known)[:3]
    if near:
        return f"no model {shown(model_id)} is known here; did you mean {' or '.join(map(shown, near))}?"
    return (
        f"no model {shown(model_id)} is known here; this client was generated for {len(known)}: {', '.join(known[:5])}"
        + (", ..." if len(known) > 5 else "")
    )
