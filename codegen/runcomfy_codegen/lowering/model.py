"""What the generator knows of a model between reading its schema and writing its code.

What the schema says is a tree of ``runcomfy_client.schema`` nodes, the same that checks payloads in the client. Here
stands what no node carries: the names of classes and constants, and words of the schema that stay on a class as data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runcomfy_client.schema import ModelSpec, Object

    from ..naming.identifiers import ClassName, ConstantName
    from ..naming.model import ModelNames
    from ..reading.source import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectClass:
    """An object with properties: the class made of it, and the constant under which it stands in the spec.

    `extras` are, by wire name of a property, the schema's words that no type of Python carries.
    """

    node: Object
    name: ClassName
    constant: ConstantName
    extras: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model, lowered.

    The classes of its input stand innermost first, the input itself last; so do those of its output, of which there
    are none if the output is the one that all models share.
    """

    spec: ModelSpec
    names: ModelNames
    input: tuple[ObjectClass, ...]
    output: tuple[ObjectClass, ...] = ()

    @property
    def model_id(self) -> str:
        return self.spec.model_id

    @property
    def input_class(self) -> str:
        return self.spec.input_class

    @property
    def output_class(self) -> str:
        return self.spec.output_class
