"""Sixth step, per model: its two modules and its two methods as text.

A model becomes three pieces, which `writing/` puts into the package's files:

- the *spec*, `specs/<model>.py`: the tree of nodes as Python calls. The offline check reads it, without pydantic;
- the *models*, `models/<model>.py`: the pydantic classes of input and output;
- the *method*, sync and async, for the module of its family in `resources/`.

There is one mapping from schema to Python types: datamodel-code-generator makes the classes (`models.py`), their fields
are read by `ast`, and fields and parameters alike are written from that. A parameter differs from its field in two
ways only: it takes any sequence where the field is a list, and a mapping where the field is an object.

Where a method's docstring is made: `_method_docs`, from the same description of parameters that the command line and
the reference pages use.

A schema's text is hostile until it has passed one of two filters: `literals.literal` for values, `literals.docstring`
with `literals.prose` for text. No template and no f-string takes it in another way.

Generated code has black's form. black itself runs on one method a model; modules are laid out by `layout.py`, because
black would take two thirds of a run. Tests compare both with black's own result.
"""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, Final

from runcomfy_client.describe.parameters import Parameter, parameters, sentence
from runcomfy_client.describe.prices import base_price
from runcomfy_client.schema import MISSING

from .expressions import Expressions
from .imports import LINE_LENGTH, Imports, relative
from .layout import format_code, layout_field, layout_statement
from .literals import call, docstring, literal, prose, quote_string, string, wrap
from .models import make_classes
from .rendered import Rendered
from .templating import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runcomfy_client.schema import Property

    from ..lowering.model import Model
    from ..naming.identifiers import ClassName
    from ..reading.source import Json
    from .models import Class, Field

_MEDIA: Final = frozenset({"ImageInput", "VideoInput", "AudioInput"})
_TYPING: Final = frozenset({"Any", "Literal"})
_MEDIA_MODULE: Final = "runcomfy_client.media"
_MODELS_MODULE: Final = "runcomfy_client.models"
_FILE: Final = "FileURL"
_LIST: Final = "SequenceNotStr"
_COMMON_OUTPUT: Final = "MediaOutput"
# The beginning of a long default, such as a prompt, is enough.
_MAX_VALUE_LENGTH: Final = 80


def render_model(model: Model) -> Rendered:
    """Make and format all text that belongs to one model alone."""
    inputs = make_classes(model.input)
    outputs = make_classes(model.output)
    method, async_method, imports = _methods(model, inputs)
    return Rendered(
        spec=_spec(model),
        models=_models(model, inputs, outputs),
        method=method,
        async_method=async_method,
        imports=imports,
    )


def _spec(model: Model) -> str:
    spec = model.spec
    expressions = Expressions({class_.node: class_.constant for class_ in model.input})
    constants = [layout_statement(f"{class_.constant} = {expressions.write(class_.node)}") for class_ in model.input]
    imports = Imports()
    imports.add("runcomfy_client.schema", "ModelSpec", *expressions.used)
    expression = call(
        "ModelSpec",
        string(spec.model_id),
        "INPUT",
        input_class=string(spec.input_class),
        output_class=string(spec.output_class),
        example=literal(spec.example) if spec.example is not None else None,
        display_name=string(spec.display_name) if spec.display_name != spec.model_id.partition("/")[2] else None,
        categories=literal(spec.categories) if spec.categories else None,
        base_price_usd=literal(spec.base_price_usd) if spec.base_price_usd is not None else None,
        price_unit=string(spec.price_unit) if spec.price_unit else None,
    )
    return render(
        "spec.py",
        docstring=docstring([f"What {model.model_id} takes, as the offline check reads it."], 0),
        imports=imports.text(),
        constants=constants,
        model=layout_statement(f"MODEL = {expression}"),
    )


def _models(model: Model, inputs: tuple[Class, ...], outputs: tuple[Class, ...]) -> str:
    depth = len(model.names.parts)
    imports = Imports()
    views = []
    # The input names the class of its output, which therefore comes first.
    for base, classes in (("OutputModel", outputs), ("InputObject", inputs[:-1]), ("InputModel", inputs[-1:])):
        for class_ in classes:
            imports.add(_MODELS_MODULE, base)
            views.append(_class_view(model, class_, base, imports))
    bindings = [f"bind({class_.name}, {class_.source.constant})" for class_ in inputs]
    constants = [str(class_.source.constant) for class_ in inputs]
    imports.add(relative(depth, f"specs.{model.names.dotted}"), *constants)
    imports.add(_MODELS_MODULE, "bind", *([] if outputs else [_COMMON_OUTPUT]))
    _import_types(imports, depth, [field.type for class_ in (*inputs, *outputs) for field in class_.fields.values()])
    return render(
        "models.py",
        docstring=docstring([f"Input and output of {model.model_id}."], 0),
        imports=imports.text(),
        classes=views,
        output_alias="" if outputs else f"{model.output_class} = {_COMMON_OUTPUT}",
        bindings=bindings,
    )


def _class_view(model: Model, class_: Class, base: str, imports: Imports) -> dict[str, object]:
    if class_.node.description:
        text = prose(class_.node.description)
    elif class_.name in (model.input_class, model.output_class):
        text = f"What {model.model_id} {'takes' if base == 'InputModel' else 'returns'}."
    else:
        text = f"An object in the {'input' if base == 'InputObject' else 'output'} of {model.model_id}."
    return {
        "name": class_.name,
        "base": f"InputModel[{model.output_class}]" if base == "InputModel" else base,
        "docstring": docstring(wrap(text, LINE_LENGTH - 8), 4),
        "fields": [
            _field_line(field, wire, class_.node.properties[wire], class_.source.extras.get(wire, {}), imports)
            for wire, field in class_.fields.items()
        ],
    }


def _field_line(field: Field, wire: str, source: Property, extras: Mapping[str, Json], imports: Imports) -> str:
    type_ = _source(field.type) + ("" if field.required else " | None")
    keywords = {
        "alias": string(wire) if wire != field.name else None,
        "title": string(source.title) if source.title else None,
        "description": string(source.description) if source.description else None,
        **{name: repr(bound) for name, bound in field.bounds},
        "json_schema_extra": literal(dict(extras)) if extras else None,
    }
    if any(keywords.values()):
        imports.add("typing", "Annotated")
        imports.add("pydantic", "Field")
        type_ = f"Annotated[{type_}, {call('Field', **keywords)}]"
    return layout_field(field.name, type_, None if field.required else "None", 4).lstrip()


def _import_types(imports: Imports, depth: int, types: Iterable[ast.expr]) -> set[str]:
    """Import what the types name; the names that are classes of the model itself are left over."""
    names = {node.id for type_ in types for node in ast.walk(type_) if isinstance(node, ast.Name)}
    imports.add("typing", *(names & _TYPING))
    imports.add("collections.abc", *(names & {"Mapping", "Sequence"}))
    imports.add(_MEDIA_MODULE, *(names & _MEDIA))
    imports.add(_MODELS_MODULE, *(names & {_FILE}))
    imports.add("runcomfy_client.typing", *(names & {_LIST}))
    return {name for name in names if name[:1].isupper()} - _TYPING - _MEDIA - {"Mapping", "Sequence", _FILE, _LIST}


def _methods(model: Model, inputs: tuple[Class, ...]) -> tuple[str, str, dict[str, tuple[str, ...]]]:
    """The method, sync and async, and what its annotations import."""
    root = inputs[-1]
    nested = {class_.name for class_ in inputs[:-1]}
    fields = sorted(root.fields.values(), key=lambda field: not field.required)
    types = {field.name: _Parameter(nested).visit(copy.deepcopy(field.type)) for field in fields}
    parameters = [
        f"{field.name}: {_source(types[field.name])}{'' if field.required else ' | None = None'}" for field in fields
    ]
    # Resources lie in a package of their provider; a method of the provider itself stands in its __init__.
    depth = 2
    imports = Imports()
    classes = _import_types(imports, depth, types.values())
    imports.add(relative(depth, f"models.{model.names.dotted}"), model.output_class, *classes)
    payload = [f"{string(wire)}: {field.name}" for wire, field in root.fields.items()]
    source = render(
        "method.py",
        name=model.names.method,
        parameters=[*parameters, "options: RequestOptions | None = None"],
        returns=f"Job[{model.output_class}]",
        docstring=docstring(_method_docs(model), 8),
        model_id=string(model.model_id),
        payload=payload,
    )
    method = format_code(f"class First:\n{source}").removeprefix("class First:\n").strip("\n")
    return method, _asynchronous(method), imports.frozen()


def _asynchronous(method: str) -> str:
    """The same method, awaited. It differs in three lines only, so it need not be formatted again."""
    head, start, rest = method.partition("    def ")
    signature, arrow, rest = rest.partition("\n    ) -> ")
    body, submit, end = rest.rpartition("\n        return self._submit(")
    if not (start and arrow and submit):
        raise AssertionError(f"not a method of ours: {method}")
    return f"{head}    async def {signature}{arrow}Async{body}\n        return await self._submit({end}"


def _source(type_: ast.expr) -> str:
    """A type as text, its strings spelt as all others are."""
    return ast.unparse(_Quoted().visit(copy.deepcopy(type_)))


class _Quoted(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Name(quote_string(node.value)) if isinstance(node.value, str) else node


class _Parameter(ast.NodeTransformer):
    """A field's type as a parameter takes it: any sequence, and a mapping for an object."""

    def __init__(self, nested: set[ClassName]) -> None:
        self._nested = nested

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        # To type checkers a string is a sequence of strings, which is never intended.
        of_text = _takes_text(node.slice)
        self.generic_visit(node)
        if of_text and isinstance(node.value, ast.Name) and node.value.id == "Sequence":
            node.value.id = _LIST
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == "list":
            return ast.Name("Sequence")
        if node.id == "dict":
            return ast.Name("Mapping")
        if node.id in self._nested:
            mapping: ast.expr = ast.parse("Mapping[str, Any]", mode="eval").body
            return ast.BinOp(node, ast.BitOr(), mapping)
        return node


def _takes_text(type_: ast.expr) -> bool:
    """Whether a string is a value of this type."""
    if isinstance(type_, ast.BinOp):
        return _takes_text(type_.left) or _takes_text(type_.right)
    return isinstance(type_, ast.Name) and type_.id in {"str", "Any", *_MEDIA}


def _method_docs(model: Model) -> list[str]:
    width = LINE_LENGTH - 12
    lines = [f"Submit a job to {model.model_id}."]
    if model.spec.input.description:
        lines += ["", *wrap(prose(model.spec.input.description), width)]
    if price := base_price(model.spec):
        lines += ["", *wrap(prose(f"Base price: {price} when this was generated; not a quote."), width)]
    lines += ["", "Args:"]
    for parameter in parameters(model.spec):
        text = f"{parameter.name}: {_parameter_docs(parameter)}".rstrip()
        lines += ["    " + line for line in wrap(text, width - 4, hanging="    ")]
    lines += [
        "    options: How to send it: timeout, extra_input, job_key, budget.",
        "",
        "Raises:",
        "    InvalidInputError: The input does not fit; nothing was sent.",
        "    SubmissionUnknownError: The reply was lost; the job may run.",
        "    TypeError: No such argument, or one is missing. client.submit(model_id, body) reports that for any dict.",
    ]
    return lines


def _parameter_docs(parameter: Parameter) -> str:
    """Everything worth saying about a parameter that its type does not say, as sentences."""
    limits = [prose(limit) for limit in parameter.limits]
    sentences = [prose(parameter.about), *(sentence(limit[:1].upper() + limit[1:]) for limit in limits)]
    if parameter.name != parameter.wire_name:
        sentences.append(f"Sent as {_short(parameter.wire_name)}.")
    if parameter.default is not MISSING:
        sentences.append(f"Server default: {_short(parameter.default)}.")
    # The bare title is better than nothing.
    return " ".join(filter(None, sentences)) or sentence(prose(parameter.title))


def _short(value: object) -> str:
    """A value as Python writes it, cut if it is long."""
    text = quote_string(value) if isinstance(value, str) else repr(value)
    return prose(text if len(text) <= _MAX_VALUE_LENGTH else text[:_MAX_VALUE_LENGTH] + "…")
