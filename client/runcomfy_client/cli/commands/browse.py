"""`models`, `show`, `schema`: which models there are, what one takes, and lines to paste. All offline."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ...describe.json_schema import file_schema
from ...describe.parameters import parameters
from ...describe.prices import base_price
from ...describe.search import ids_with, near_names
from ...describe.snippets import async_call, curl_submit, example_input, offline_check, run_line, sync_call
from ...schema import MISSING
from ...schema.findings import printable
from ...schema.messages import amount, brief
from ..errors import CommandError
from ..options import COMMON, OFFLINE, Common, ModelId, command
from ..output import console, emit_json, note, write, write_row
from ..package import api_url, package, program
from ..text import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ...describe.parameters import Parameter as ModelParameter
    from ...schema import ModelSpec

# Longer lines of prose are hard to read.
_WIDEST = 110
_LONGEST_VALUE = 60
# Characters of a list of choices; about four lines.
_LONGEST_CHOICES = 400
# What the other columns of a list of models need beside the ids.
_REQUIRED_WIDTH = 20
_PRICE_WIDTH = 14
_OPTIONAL_WIDTH = 12


@command(group=OFFLINE, order=1, example=("{program} models text-to-image",))
def models(*text: Annotated[str, Parameter(help="Words that the id must contain.")], common: Common = COMMON) -> int:
    """List the models this client was generated for."""
    words = [word.casefold() for argument in text for word in argument.split()]
    model_ids = package().model_ids()
    matches = ids_with(words, model_ids)
    if not matches and not common.json:
        raise CommandError(_no_model(words, model_ids))
    specs = [package().known_spec(model_id) for model_id in matches]
    if common.json:
        emit_json({"models": [_model_facts(spec) for spec in specs]})
        return 0
    _print_models(specs)
    if len(matches) == 1:
        note(f"More: {program()} show {matches[0]}")
    return 0


@command(group=OFFLINE, order=2, example=("{program} show bytedance/dreamina-4-0/edit",))
def show(model: ModelId, /, *, common: Common = COMMON) -> int:
    """Show what a model takes, and ready lines to call it."""
    own = package()
    spec = own.known_spec(model)
    inputs = parameters(spec)
    example = example_input(spec)
    method = own.models[model]
    snippets = {
        "python": sync_call(own.name, method, spec, example),
        "async": async_call(own.name, method, spec, example),
        "check": offline_check(own.name, spec, example),
        "shell": run_line(program(), spec, example),
        "curl": curl_submit(api_url(common.base_url, model), example),
    }
    if common.json:
        emit_json(
            {
                "model_id": model,
                "display_name": spec.display_name,
                "categories": list(spec.categories),
                "base_price_usd": spec.base_price_usd,
                "price_unit": spec.price_unit or None,
                "method": f"client.{method}",
                "input_class": spec.input_class,
                "output_class": spec.output_class,
                "inputs": [parameter.to_dict() for parameter in inputs],
                "example": example,
                "snippets": snippets,
            }
        )
        return 0
    _print_model(console(), spec, method, inputs, snippets)
    return 0


@command(
    group=OFFLINE,
    order=3,
    example=("{program} schema bytedance/dreamina-4-0/edit > edit.schema.json",),
)
def schema(model: ModelId, /, *, common: Common = COMMON) -> int:
    """Print the standard JSON Schema (2020-12) of a model's payload files, for editors and other checkers."""
    schema = file_schema(package().known_spec(model))
    if common.json:
        emit_json({"model_id": model, "schema": schema})
    else:
        write(json_text(schema))
    return 0


def _no_model(words: Sequence[str], model_ids: Sequence[str]) -> str:
    text = " ".join(words)
    near = near_names(text, model_ids)[:3]
    cure = (
        f"; did you mean {' or '.join(near)}?"
        if near
        else f"; there are {len(model_ids)}, `{program()} models` lists them"
    )
    return f"no model id holds {text!r}{cure}"


def _model_facts(spec: ModelSpec) -> dict[str, object]:
    inputs = parameters(spec)
    return {
        "model_id": spec.model_id,
        "required": [parameter.wire_name for parameter in inputs if parameter.required],
        "optional": [parameter.wire_name for parameter in inputs if not parameter.required],
        "base_price_usd": spec.base_price_usd,
        "price_unit": spec.price_unit or None,
    }


def _print_models(specs: Sequence[ModelSpec]) -> None:
    rows = [(spec.model_id, parameters(spec), printable(str(base_price(spec) or ""))) for spec in specs]
    if not sys.stdout.isatty():
        # For `grep` and `cut`: no frame, nothing wrapped.
        for model_id, inputs, price in rows:
            write_row(
                [
                    model_id,
                    ", ".join(parameter.name for parameter in inputs if parameter.required),
                    *filter(None, [price]),
                ]
            )
        return
    from rich.text import Text

    out = console()
    # Ids are there to be copied: in a narrow terminal the other columns go, before an id is cut.
    room = out.width - max((len(model_id) for model_id, *_ in rows), default=0) - _REQUIRED_WIDTH
    priced = any(price for *_, price in rows) and room >= _PRICE_WIDTH
    if room < 0:
        for model_id, *_ in rows:
            out.print(Text(printable(model_id), style="bold"), soft_wrap=True)
    else:
        optional = room >= _OPTIONAL_WIDTH + (_PRICE_WIDTH if priced else 0)
        out.print(_model_table(rows, optional=optional, priced=priced))
    note(amount(len(rows), "model") + ("; a base price is not a quote" if priced else ""))


def _model_table(rows: Sequence[tuple[str, Sequence[ModelParameter], str]], *, optional: bool, priced: bool) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Model", style="bold", no_wrap=True)
    table.add_column("Required", style="cyan", overflow="fold")
    if optional:
        table.add_column("Optional", style="dim", justify="right", no_wrap=True)
    if priced:
        table.add_column("Base price", overflow="fold")
    for model_id, inputs, price in rows:
        required = [parameter.name for parameter in inputs if parameter.required]
        cells = [model_id, ", ".join(required)]
        cells += [str(len(inputs) - len(required))] if optional else []
        cells += [price] if priced else []
        table.add_row(*map(Text, cells))
    return table


def _print_model(
    out: Console,
    spec: ModelSpec,
    method: str,
    inputs: Sequence[ModelParameter],
    snippets: Mapping[str, str],
) -> None:
    from rich.text import Text

    out.print(Text.assemble((spec.model_id, "bold"), (f"\nclient.{method}(...)", "dim")))
    if facts := _catalog_facts(spec):
        out.print(Text(facts, style="dim"))
    width = min(out.width, _WIDEST)
    out.print(_input_table(inputs, longest_name=width // 3), width=width)
    for name, title in (("python", "Python"), ("shell", "\nCommand line"), ("curl", "\ncurl")):
        out.print(Text(title, style="bold"))
        # As it is, to be pasted: never wrapped by us, never framed.
        out.print(Text(snippets[name].rstrip()), soft_wrap=True)


def _catalog_facts(spec: ModelSpec) -> str:
    """Categories and base price, as the catalog had them when the package was generated."""
    price = base_price(spec)
    facts = (", ".join(spec.categories), f"base price {price}, not a quote" if price else "")
    return printable(" · ".join(filter(None, facts)))


def _input_table(inputs: Sequence[ModelParameter], *, longest_name: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Input")
    table.add_column("Type, default, limits and meaning", ratio=1)
    for prefix, parameter in _rows(inputs, ""):
        default = _default(parameter)
        lines = [
            (
                Text.assemble(parameter.type, ", ", "" if parameter.required else "default ", default)
                if default
                else Text(parameter.type)
            )
        ]
        if parameter.choices:
            lines.append(Text(f"one of: {_choices(parameter)}"))
        if parameter.limits:
            lines.append(Text(printable("; ".join(parameter.limits))))
        if parameter.about:
            lines.append(Text(printable(parameter.about), style="dim"))
        table.add_row(_name(prefix, parameter, longest_name), Text("\n").join(lines))
    return table


def _rows(inputs: Sequence[ModelParameter], prefix: str) -> Iterator[tuple[str, ModelParameter]]:
    """Every input, and below it those of the objects inside, with their path: `keyframes[].image_url`."""
    for parameter in inputs:
        yield prefix, parameter
        for inner in parameter.objects:
            yield from _rows(inner.properties, f"{prefix}{parameter.name}{inner.mark}.")


def _name(prefix: str, parameter: ModelParameter, longest: int) -> Text:
    from rich.text import Text

    name = Text(_split(f"{prefix}{parameter.name}", longest), style="bold cyan" if parameter.required else "cyan")
    if parameter.required:
        name.append(" *", style="bold red")
    if parameter.wire_name != parameter.name:
        name.append(f"\nwire: {printable(parameter.wire_name)}", style="dim")
    return name


def _split(name: str, longest: int) -> str:
    """A long name over several lines, broken where its words join."""
    lines = [""]
    for part in name.replace("_", "_ ").split(" "):
        if lines[-1] and len(lines[-1] + part) > longest:
            lines.append("  ")
        lines[-1] += part
    return "\n".join(lines)


def _choices(parameter: ModelParameter) -> str:
    """The choices; of a long list as many as fit, and the number of the others."""
    texts = [choice if isinstance(choice, str) and choice else brief(choice) for choice in parameter.choices]
    listed = texts
    while len(", ".join(listed)) > _LONGEST_CHOICES and len(listed) > 1:
        listed = listed[:-1]
    more = f", ... and {len(texts) - len(listed)} more: all of them with --json" if len(listed) < len(texts) else ""
    return printable(", ".join(listed) + more)


def _default(parameter: ModelParameter) -> Text:
    from rich.text import Text

    if parameter.required:
        return Text("required", style="bold red")
    if parameter.default is MISSING:
        return Text("")
    text = parameter.default if isinstance(parameter.default, str) and parameter.default else brief(parameter.default)
    return Text(printable(text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."))
