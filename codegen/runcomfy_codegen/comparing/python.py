"""What changed for Python programs between two generated packages: methods, parameters, fields of results.

Read off the modules of the classes, by `ast`: they say all that the methods' signatures say, and the bounds besides.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from .schemas import (
    GONE,
    MORE,
    NEW_OPTIONAL,
    NEW_REQUIRED,
    NOW_OPTIONAL,
    NOW_REQUIRED,
    OTHER_TYPE,
    VALUE_GONE,
    Effect,
    keyword_changes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..reading.source import Json

Step = Literal["major", "minor", "none"]
Status = Literal["added", "changed", "gone"]

_RENAMED = Effect(True, "Calls by the old name are refused.")
_FIELD_NEW = Effect(False, "Code that reads results stays as it is.")
_FIELD_GONE = Effect(True, "Code that reads it fails.")
_FIELD_TYPE = Effect(True, "Code that reads it gets another type.")
# pydantic's names of the bounds, and those of schemas. The generator writes no other bounds.
_BOUNDS = {
    "ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum", "multiple_of": "multipleOf",
}  # fmt: skip
# Texts, and what the annotation says already.
_IGNORED = ("enum", "examples")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """One model of a package: its method below the client, and the text of the module with its classes."""

    method: str
    module: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterChange:
    """One change of a method. `place` is a parameter, a field of an object below one, or `output.` and a field."""

    place: str
    text: str
    breaking: bool
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodChange:
    """A method that is new, changed or gone. `method` is its name below the client now, or before it was gone."""

    model_id: str
    method: str
    status: Status
    signature: str = ""
    changes: tuple[ParameterChange, ...] = ()

    @property
    def breaking(self) -> bool:
        return self.status == "gone" or any(change.breaking for change in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonDifference:
    """All changes, by method."""

    methods: tuple[MethodChange, ...]

    @property
    def step(self) -> Step:
        """The version step that a package with these changes needs, by semantic versioning."""
        if any(method.breaking for method in self.methods):
            return "major"
        return "minor" if self.methods else "none"


def python_difference(old: Mapping[str, Generated], new: Mapping[str, Generated]) -> PythonDifference:
    """Compare two packages, each by model id. A difference in texts only does not count."""
    methods: list[MethodChange] = []
    for model_id in sorted(old.keys() | new.keys()):
        before, after = old.get(model_id), new.get(model_id)
        if before is None and after is not None:
            methods.append(
                MethodChange(model_id=model_id, method=after.method, status="added", signature=_signature(after.module))
            )
        elif after is None and before is not None:
            methods.append(MethodChange(model_id=model_id, method=before.method, status="gone"))
        elif before and after and (changes := tuple(_model(before, after))):
            methods.append(MethodChange(model_id=model_id, method=after.method, status="changed", changes=changes))
    return PythonDifference(methods=tuple(methods))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """A field of a class. `wire` is what is sent; `keywords` are bounds and more, in the words of schemas."""

    name: str
    wire: str
    annotation: ast.expr
    required: bool
    keywords: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Class:
    fields: Mapping[str, _Field]
    is_output: bool


def _model(before: Generated, after: Generated) -> Iterator[ParameterChange]:
    if before.method != after.method:
        yield _change("", f"client.{before.method} is now client.{after.method}", _RENAMED)
    if before.module == after.module:
        return
    old, new = _classes(before.module), _classes(after.module)
    root = _input_class(after.module)
    for name, class_ in new.items():
        earlier = old.get(name)
        if earlier is None:
            # The field that leads to it has another type, and says so.
            continue
        prefix = _prefix(name, root, class_)
        for change in _fields(earlier, class_):
            yield replace(change, place=f"{prefix}{change.place}")
    yield from _output_changes(before.module, after.module)


def _input_class(module: str) -> str:
    """The class of the input itself: `bind(EditInput, INPUT)`."""
    match = re.search(r"^bind\((\w+), INPUT\)$", module, re.MULTILINE)
    return match[1] if match else ""


def _prefix(name: str, root: str, class_: _Class) -> str:
    if class_.is_output:
        return "output." if name == f"{root.removesuffix('Input')}Output" else f"output {name}."
    return "" if name == root else f"{name}."


def _fields(old: _Class, new: _Class) -> Iterator[ParameterChange]:
    """By wire name: a field keeps it when its Python name changes."""
    for wire, field in new.fields.items():
        earlier = old.fields.get(wire)
        if earlier is None:
            required = field.required and not new.is_output
            effect = _FIELD_NEW if new.is_output else NEW_REQUIRED if required else NEW_OPTIONAL
            kind = "" if new.is_output else ", required" if required else ", optional"
            yield _change(field.name, f"new{kind}: {_annotation_text(field.annotation)}", effect)
            continue
        if earlier.name != field.name:
            yield _change(field.name, f"was called {earlier.name}", _RENAMED)
        if new.is_output:
            if _annotation_text(earlier.annotation) != _annotation_text(field.annotation):
                yield _change(
                    field.name,
                    f"{_annotation_text(earlier.annotation)} -> {_annotation_text(field.annotation)}",
                    _FIELD_TYPE,
                )
            continue
        yield from _parameter(earlier, field)
    for wire, field in old.fields.items():
        if wire not in new.fields:
            yield _change(field.name, "gone", _FIELD_GONE if new.is_output else GONE)


def _parameter(old: _Field, new: _Field) -> Iterator[ParameterChange]:
    if old.required != new.required:
        text = "now required" if new.required else "no longer required"
        yield _change(new.name, text, NOW_REQUIRED if new.required else NOW_OPTIONAL)
    before, after = _members(old.annotation), _members(new.annotation)
    if before != after:
        gone, more = before - after, after - before
        refused = frozenset(model_id for model_id in gone if not _types_of(model_id) & after)
        words = [f"takes {', '.join(sorted(more))}"] if more else []
        words += [f"no longer takes {', '.join(sorted(refused))}"] if refused else []
        effect = MORE if not refused else VALUE_GONE if all(map(_is_value, refused)) else OTHER_TYPE
        yield _change(new.name, "; ".join(words), effect)
    for change in keyword_changes(dict(old.keywords), dict(new.keywords)):
        yield ParameterChange(place=new.name, text=change.text, breaking=change.breaking, meaning=change.meaning)


def _output_changes(before: str, after: str) -> Iterator[ParameterChange]:
    """A result may change from the common class to one of its own, and back."""
    old, new = _output_bases(before), _output_bases(after)
    for name in new.keys() & old.keys():
        if old[name] != new[name]:
            yield _change("output", f"{old[name]} -> {new[name]}", _FIELD_TYPE)


def _output_bases(module: str) -> dict[str, str]:
    """What each `...Output` is made of: `EditOutput = MediaOutput`, or `class EditOutput(OutputModel)`."""
    fields = {}
    for node in ast.parse(module).body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("Output"):
            fields[node.name] = "a class of its own"
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            fields[node.targets[0].id] = ast.unparse(node.value)
    return fields


def _classes(module: str) -> dict[str, _Class]:
    """The classes of a module by name."""
    return {
        node.name: _Class(
            fields={
                field.wire: field
                for statement in node.body
                if isinstance(statement, ast.AnnAssign) and (field := _field(statement))
            },
            is_output=any(_is_output(base) for base in node.bases),
        )
        for node in ast.parse(module).body
        if isinstance(node, ast.ClassDef)
    }


def _is_output(base: ast.expr) -> bool:
    # The class of an input names that of its output: `InputModel[DrawOutput]`.
    return not isinstance(base, ast.Subscript) and ast.unparse(base).endswith("OutputModel")


def _field(statement: ast.AnnAssign) -> _Field | None:
    if not isinstance(statement.target, ast.Name):
        return None
    annotation, call = statement.annotation, None
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated":
        inner = annotation.slice
        assert isinstance(inner, ast.Tuple)
        annotation, call = inner.elts[0], inner.elts[-1]
    arguments = (
        {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg} if isinstance(call, ast.Call) else {}
    )
    wire = _literal(arguments.get("alias"))
    return _Field(
        name=statement.target.id,
        wire=wire if isinstance(wire, str) else statement.target.id,
        annotation=annotation,
        required=statement.value is None,
        keywords=_keywords(arguments, annotation),
    )


def _keywords(arguments: Mapping[str, ast.expr], annotation: ast.expr) -> dict[str, Json]:
    """What a Field says about values, in the words of schemas."""
    keywords: dict[str, Json] = {}
    kind = "Items" if any(member.startswith("list[") for member in _members(annotation)) else "Length"
    names = {**_BOUNDS, "min_length": f"min{kind}", "max_length": f"max{kind}"}
    for name, value in arguments.items():
        if name in names:
            keywords[names[name]] = _literal(value)
    extra = _literal(arguments.get("json_schema_extra"))
    if isinstance(extra, dict):
        keywords |= {key: value for key, value in extra.items() if key not in _IGNORED}
    return keywords


def _literal(node: ast.expr | None) -> Json:
    """The value of a literal node; None for any other node, since no keyword of a schema is None."""
    if node is None:
        return None
    try:
        value: Json = ast.literal_eval(node)
    except (ValueError, TypeError):
        return None
    return value


def _members(annotation: ast.expr) -> frozenset[str]:
    """What a type takes: the members of a union, the values of a Literal; None only says that it may be left out."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _members(annotation.left) | _members(annotation.right)
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Literal":
        values = annotation.slice
        listed = values.elts if isinstance(values, ast.Tuple) else [values]
        return frozenset(ast.unparse(value) for value in listed)
    text = ast.unparse(annotation)
    return frozenset() if text == "None" else frozenset((text,))


def _types_of(member: str) -> frozenset[str]:
    """The types that take all that a member of a type takes: `'a'` is a str, an int a float, all is Any."""
    if member in ("True", "False"):
        own = {"bool"}
    elif member[:1] in "'\"":
        own = {"str"}
    elif _is_value(member) or member == "int":
        own = {"int", "float"}
    else:
        own = set()
    return frozenset(own | {"Any"})


def _is_value(member: str) -> bool:
    """Is a member of a type a value of a Literal, and no type?"""
    return member[:1] in "'\"-0123456789" or member in ("True", "False")


def _annotation_text(annotation: ast.expr) -> str:
    text = ast.unparse(annotation)
    # Whether it is optional is reported beside it.
    return text.removesuffix(" | None")


def _signature(module: str) -> str:
    """The parameters of a method, required ones first: `prompt, seed=None`."""
    class_ = _classes(module).get(_input_class(module))
    ordered = sorted(class_.fields.values() if class_ else (), key=lambda field: not field.required)
    return ", ".join(field.name if field.required else f"{field.name}=None" for field in ordered)


def _change(place: str, text: str, effect: Effect) -> ParameterChange:
    return ParameterChange(place=place, text=text, breaking=effect.breaking, meaning=effect.meaning)
