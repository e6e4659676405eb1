"""The Python names of one model, and the classes that are called after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import reserved
from .identifiers import ClassName, PythonName, class_name, is_python_name

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNames:
    """The Python names of one model. `family` is None for an id of two segments, whose method is the provider's own."""

    provider: PythonName
    family: PythonName | None
    method: PythonName

    @classmethod
    def of(cls, dotted: str) -> ModelNames | None:
        """The names that make up `provider.family.method`, or `provider.method`; None if they are none."""
        parts = [PythonName(part) for part in dotted.split(".")]
        if len(parts) not in (2, 3) or not all(map(is_python_name, parts)):
            return None
        return cls(provider=parts[0], family=parts[1] if len(parts) == 3 else None, method=parts[-1])

    @property
    def parts(self) -> tuple[PythonName, ...]:
        return (self.provider, *((self.family,) if self.family else ()), self.method)

    @property
    def dotted(self) -> str:
        return ".".join(self.parts)


def input_class(names: ModelNames) -> ClassName:
    return class_name(names.method, suffix="Input")


def output_class(names: ModelNames) -> ClassName:
    return class_name(names.method, suffix="Output")


def nested_class(names: ModelNames, path: Iterable[str]) -> ClassName:
    """The class of an object inside the input, after the Python names that lead to it."""
    return class_name(names.method, *path, reserved=dict.fromkeys((input_class(names), output_class(names)), ""))


def provider_class(names: ModelNames) -> ClassName:
    return class_name(names.provider, reserved=reserved.CLASSES)


def family_class(names: ModelNames) -> ClassName:
    """With the provider's name in front: some providers have a family of their own name."""
    assert names.family is not None
    return class_name(names.provider, names.family, reserved=reserved.CLASSES)
