"""Fifth step: datamodel-code-generator makes the pydantic classes; their fields are read off its text, not executed."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datamodel_code_generator import InputFileType, LiteralType, PythonVersion, generate
from datamodel_code_generator.enums import DataModelType

from ..naming.identifiers import ClassName, PythonName
from .normalise import CLIENT, definition, to_json_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runcomfy_client.schema import Object

    from ..lowering.model import ObjectClass

_BASE = "Base"
# What a type may be made of; anything else in the text of a field is a bug in the generator.
_TYPE_NODES = (ast.Name, ast.Constant, ast.Subscript, ast.BinOp, ast.BitOr, ast.Tuple, ast.Load, ast.UnaryOp, ast.USub)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field as datamodel-code-generator wrote it: its type, without the None of an optional one, and its bounds."""

    name: PythonName
    type: ast.expr
    bounds: tuple[tuple[str, int | float], ...]
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """A class and the object it was made from; its fields by the wire names of their properties."""

    source: ObjectClass
    fields: Mapping[str, Field]

    @property
    def name(self) -> ClassName:
        return self.source.name

    @property
    def node(self) -> Object:
        return self.source.node


def make_classes(sources: Sequence[ObjectClass]) -> tuple[Class, ...]:
    """The classes of objects of which each stands after those it uses."""
    if not any(source.node.properties for source in sources):
        return tuple(Class(source=source, fields={}) for source in sources)
    names = {definition(source.name): str(source.name) for source in sources}
    module = ast.parse(_generate_module(sources))
    classes = {statement.name: statement for statement in module.body if isinstance(statement, ast.ClassDef)}
    if classes.keys() != names.keys():
        raise AssertionError(f"datamodel-code-generator made the classes {sorted(classes)}, expected {sorted(names)}")
    for node in ast.walk(module):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
    return tuple(
        _class(source, {field.name: field for field in _fields(classes[definition(source.name)])}) for source in sources
    )


def _generate_module(sources: Sequence[ObjectClass]) -> str:
    text = generate(
        json.dumps(to_json_schema(sources)),
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType.PydanticV2BaseModel,
        formatters=[],
        enum_field_as_literal=LiteralType.All,
        field_constraints=True,
        use_annotated=True,
        target_python_version=PythonVersion.PY_311,
        use_standard_collections=True,
        use_union_operator=True,
        base_class=f"{CLIENT}.{_BASE}",
        disable_timestamp=True,
        class_name=str(sources[-1].name),
    )
    if not isinstance(text, str):
        raise AssertionError(f"datamodel-code-generator returned a {type(text).__name__}, expected text")
    return text


def _class(source: ObjectClass, fields: dict[PythonName, Field]) -> Class:
    names = {wire: PythonName(property_.name or wire) for wire, property_ in source.node.properties.items()}
    if fields.keys() != set(names.values()):
        expected = sorted(names.values())
        raise AssertionError(f"datamodel-code-generator named the fields {sorted(fields)}, expected {expected}")
    return Class(source=source, fields={wire: fields[name] for wire, name in names.items()})


def _fields(definition: ast.ClassDef) -> list[Field]:
    return [_field(statement) for statement in definition.body if isinstance(statement, ast.AnnAssign)]


def _field(statement: ast.AnnAssign) -> Field:
    assert isinstance(statement.target, ast.Name)
    annotation, call, alias = _unpack_annotated(statement.annotation)
    for node in ast.walk(annotation):
        if not isinstance(node, _TYPE_NODES):
            raise AssertionError(f"no type of ours: {ast.unparse(annotation)}")
    required = statement.value is None
    return Field(
        # It renames a few (`copy`, `list`) and keeps the original as the alias; our own base class allows these names.
        name=PythonName(alias or statement.target.id),
        type=annotation if required else _without_none(annotation),
        bounds=call,
        required=required,
    )


def _unpack_annotated(annotation: ast.expr) -> tuple[ast.expr, tuple[tuple[str, int | float], ...], str | None]:
    """`Annotated[T, Field(...)]` as T, the bounds, the alias."""
    if not (isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated"):
        return annotation, (), None
    assert isinstance(annotation.slice, ast.Tuple)
    type_, call = annotation.slice.elts
    assert isinstance(call, ast.Call)
    keywords = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    alias = keywords.pop("alias", None)
    return type_, tuple((name, bound) for name, bound in keywords.items()), alias


def _without_none(annotation: ast.expr) -> ast.expr:
    """`T | None` as T."""
    if isinstance(annotation, ast.BinOp) and ast.unparse(annotation.right) == "None":
        return annotation.left
    return annotation
