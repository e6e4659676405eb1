"""The bases of the generated classes: an input is checked by its schema's nodes and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic_core import core_schema

from .errors import InvalidInputError
from .outputs import FileURL, MediaOutput, OutputModel
from .prepare import prepare_input
from .schema import AllOf, AnyOf, Array, ErrorFinding, Object, OneOf, Report
from .schema.findings import has_errors
from .schema.messages import brief
from .schema.nodes import type_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from pydantic import GetCoreSchemaHandler

    from .schema import Finding, Node

# What generated modules import from here.
__all__ = ["FileURL", "InputModel", "InputObject", "MediaOutput", "OutputModel", "bind"]

_LONGEST_SHOWN = 200

Output = TypeVar("Output", bound=OutputModel, covariant=True)


class InputObject(BaseModel):
    """Base of all classes of an input: of the input itself, and of the objects inside it.

    A constructor takes Python names or wire names, None for an argument that is not set, and paths, bytes, open files
    or PIL images where the wire has media. It raises InvalidInputError with the whole report, never pydantic's own
    error. Instances are frozen; ``to_payload()`` returns the arguments under their wire names.
    """

    model_config = ConfigDict(
        arbitrary_types_allowed=True, extra="forbid", frozen=True, populate_by_name=True, protected_namespaces=()
    )

    # The object node of the schema; `bind` sets it on every generated class.
    _bound: ClassVar[Object | None] = None

    if not TYPE_CHECKING:  # type checkers make the signature of each class from its fields

        def __init__(self, /, **arguments: object) -> None:
            self._fill(self._payload_of(arguments))

    def to_payload(self) -> dict[str, object]:
        """The arguments under their wire names, as the request carries them; local media are LocalMedia objects."""
        values = {**self.__dict__, **(self.__pydantic_extra__ or {})}
        names = {prop.name or wire: wire for wire, prop in self._node().properties.items()}
        return {names.get(name, name): _wire(value) for name, value in values.items() if name in self.model_fields_set}

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        """The arguments, with long data: URIs cut short."""
        for name, value in self.__dict__.items():
            if name in self.model_fields_set:
                yield name, _brief(value)

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Make one from a dict of wire names, such as the body of a request that a user sent. None is JSON's null.

        Raises InvalidInputError, with the whole report, for whatever does not fit: unknown and missing names too.
        """
        if not isinstance(payload, Mapping):
            raise InvalidInputError(Report(cls._title(), [type_error("an object", payload)]))
        return cls._construct(cls._prepare(payload))

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        """As the constructor, from JSON text. What pydantic offers besides does not apply: there is one check."""
        from .schema.containers import MISSING
        from .schema.json_payload import read_payload, without_schema_key

        payload, findings = read_payload(json_data)
        payload = without_schema_key(payload)
        if findings:
            errors = [] if payload is MISSING else cls._node().check(payload) or []
            raise InvalidInputError(Report(cls._title(), [*findings, *errors]))
        return cls._validate(payload)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; with ``update`` it is checked anew, since nothing unchecked may look like an input."""
        if not update:
            return super().model_copy(deep=deep)
        changed, findings = _to_wire_names(self._node(), update)
        if findings:
            raise InvalidInputError(Report(self._title(), findings))
        return self._validate({**self.to_payload(), **changed})

    @classmethod
    def _validate(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise InvalidInputError(Report(cls._title(), [type_error("an object", value)]))
        return cls._construct(cls._payload_of(value))

    @classmethod
    def _construct(cls, payload: Mapping[str, object]) -> Self:
        """An instance of what the check let pass."""
        instance = cls.__new__(cls)
        instance._fill(payload)
        return instance

    @classmethod
    def _payload_of(cls, arguments: Mapping[str, object]) -> dict[str, object]:
        """The payload of a constructor's arguments: Python or wire names, None for what is not set."""
        kept = {name: value for name, value in arguments.items() if value is not None or not cls._is_property(name)}
        renamed, findings = _to_wire_names(cls._node(), kept)
        return cls._prepare(renamed, findings)

    @classmethod
    def _prepare(cls, values: Mapping[str, object], findings: Sequence[Finding] = ()) -> dict[str, object]:
        """The payload of values under wire names, if nothing is wrong with them. Raises InvalidInputError."""
        prepared = prepare_input(cls._node(), values, name=cls._title(), findings=findings)
        if not prepared.report.ok:
            raise InvalidInputError(prepared.report)
        return prepared

    def _fill(self, payload: Mapping[str, object]) -> None:
        """Store what passed the check. pydantic's own validators are not asked: there is one check."""
        node = self._node()
        values: dict[str, object] = {}
        for wire, prop in node.properties.items():
            values[prop.name or wire] = _to_python(prop.node, payload[wire]) if wire in payload else None
        extra = {name: value for name, value in payload.items() if name not in node.properties}
        names_in_payload = {prop.name or wire for wire, prop in node.properties.items() if wire in payload}
        # The four attributes every pydantic model consists of; a frozen one takes them in this way only.
        object.__setattr__(self, "__dict__", values)
        object.__setattr__(self, "__pydantic_fields_set__", names_in_payload | extra.keys())
        object.__setattr__(self, "__pydantic_extra__", extra or None)
        object.__setattr__(self, "__pydantic_private__", None)

    @classmethod
    def _is_property(cls, name: str) -> bool:
        return name in cls._node().properties or name in cls.model_fields

    @classmethod
    def _node(cls) -> Object:
        if cls._bound is None:
            raise TypeError(f"{cls.__name__} is bound to no schema; only generated classes can be made")
        return cls._bound

    @classmethod
    def _title(cls) -> str:
        return cls._node().model_id or cls.__name__

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        # Wherever pydantic meets the class (model_validate, a field of another model), the same check is asked.
        return core_schema.no_info_wrap_validator_function(lambda value, _: cls._validate(value), handler(source))


class InputModel(InputObject, Generic[Output]):
    """Base of the input classes of models; ``Output`` is the class of the model's output.

    ``client.submit`` takes an instance by itself, since it knows its model.
    """

    @property
    def _model_id(self) -> str:
        return self._node().model_id


def bind(model: type[InputObject], node: Object) -> None:
    """Say which node of a schema checks a class, and which class stands for a node."""
    names = {prop.name or wire for wire, prop in node.properties.items()}
    if names != model.model_fields.keys():
        raise TypeError(f"{model.__name__} and its schema differ in {sorted(names ^ model.model_fields.keys())}")
    model._bound = node
    node.model = model


def _to_wire_names(node: Object, values: Mapping[str, object]) -> tuple[dict[str, object], list[Finding]]:
    """The values under wire names, and an error for each name that is set twice."""
    wires = {prop.name: wire for wire, prop in node.properties.items() if prop.name is not None}
    renamed: dict[str, object] = {}
    findings: list[Finding] = []
    for name, value in values.items():
        wire = name if name in node.properties else wires.get(name, name)
        if wire in renamed:
            message = f"is given twice, as {brief(wire)} and as {brief(node.properties[wire].name)}; leave one out"
            findings.append(ErrorFinding("both_names", message, keys=(wire,)))
        renamed[wire] = value
    return renamed, findings


def _to_python(node: Node | None, value: object) -> object:
    """A checked value as attributes hold it: objects that have a class are made into it."""
    if isinstance(node, (AnyOf, OneOf)):
        node = next((option for option in node.nodes if not has_errors(option.check(value) or [])), None)
    elif isinstance(node, AllOf):
        node = next((part for part in node.nodes if isinstance(part, (Array, Object))), None)
    if isinstance(node, Array) and isinstance(value, list):
        return [_to_python(node.items, item) for item in value]
    if isinstance(node, Object) and isinstance(value, dict) and node.model is not None:
        return node.model._construct(value)
    return value


def _brief(value: object) -> object:
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN:
        return f"{value[:_LONGEST_SHOWN]}... ({len(value)} characters)"
    return [_brief(item) for item in value] if isinstance(value, list) else value


def _wire(value: object) -> object:
    if isinstance(value, InputObject):
        return value.to_payload()
    if isinstance(value, list):
        return [_wire(item) for item in value]
    if isinstance(value, dict):
        return {key: _wire(item) for key, item in value.items()}
    return value
