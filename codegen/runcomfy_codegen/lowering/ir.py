"""What the generator knows of a model between reading its schema and writing its code: frozen values, nothing else."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from ..checking.dialect import MediaKind
    from ..naming.identifiers import ClassName, ConstantName, PythonName
    from ..naming.model import ModelNames
    from ..reading.source import Json
    from ..reading.store import ModelId


class Missing(enum.Enum):
    """The absence of a JSON value; None is one."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A media rule. One that is not known has no operand and operator, but `raw`, its own spelling."""

    operand: str | None
    operator: str | None
    value: Json
    message: str
    raw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StringNode:
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberNode:
    """A number, or an integer."""

    integer: bool
    minimum: int | float | None = None
    maximum: int | float | None = None
    exclusive_minimum: int | float | None = None
    exclusive_maximum: int | float | None = None
    multiple_of: int | float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanNode:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class NullNode:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyNode:
    """No word about the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumNode:
    """The values that the schema lists and that fit what else it says."""

    values: tuple[Json, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaNode:
    kind: MediaKind
    rules: tuple[Rule, ...] = ()
    min_length: int | None = None
    max_length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayNode:
    items: Node | None
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool = False
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectNode:
    """An object. One with properties has a class and stands in the spec under a constant of its own."""

    properties: tuple[Property, ...] = ()
    required: tuple[str, ...] = ()
    extra: bool
    class_name: ClassName | None = None
    constant: ConstantName | None = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNode:
    """The URL of a result file; stands in outputs only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativesNode:
    """At least one of the nodes fits, or exactly one."""

    exactly_one: bool
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllNode:
    nodes: tuple[Node, ...]


Node: TypeAlias = (
    "StringNode | NumberNode | BooleanNode | NullNode | AnyNode | EnumNode | MediaNode | ArrayNode | ObjectNode | "
    "FileNode | AlternativesNode | AllNode"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A property under both its names. `default` is what the server applies, `sample` a required property's example.

    `extras` are the schema's words that no type of Python carries; they stay on the class as data. `rules` are
    validations of what is no media: nothing can measure them, and the check says so.
    """

    wire: str
    name: PythonName
    node: Node
    rules: tuple[Rule, ...] = ()
    required: bool
    title: str = ""
    description: str = ""
    default: Json | Missing = MISSING
    sample: Json | Missing = MISSING
    extras: tuple[tuple[str, Json], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model, lowered. `output` is None if it is the output that all models share."""

    model_id: ModelId
    names: ModelNames
    input: ObjectNode
    input_class: ClassName
    output: ObjectNode | None
    output_class: ClassName
    example: Json | Missing = MISSING
