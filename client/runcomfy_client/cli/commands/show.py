"""`show`: all about one model on a page: what it takes, within which bounds, and lines to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...describe.parameters import parameters
from ...describe.snippets import async_call, curl_submit, example_input, offline_check, run_line, sync_call
from ...schema import MISSING
from ...schema.findings import printable
from ...schema.messages import shown
from ..open_client import api_url
from ..output import console, emit_json, printable_lines
from ..package import package

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ...describe.parameters import Parameter
    from ..options import Common

# Longer lines of prose are hard to read.
_WIDEST = 110
_LONGEST_VALUE = 60


def show_model(model_id: str, common: Common) -> int:
    own = package()
    spec = own.known_spec(model_id)
    inputs = parameters(spec)
    example = example_input(spec)
    method = own.models[model_id]
    command = "runcomfy-client" if own.name == "runcomfy" else f"python -m {own.name}"
    snippets = {
        "python": sync_call(own.name, method, spec, example),
        "async": async_call(own.name, method, spec, example),
        "check": offline_check(own.name, spec, example),
        "shell": run_line(command, spec, example),
        "curl": curl_submit(api_url(common.base_url, model_id), example),
    }
    if common.json:
        emit_json(
            {
                "model_id": model_id,
                "method": f"client.{method}",
                "input_class": spec.input_class,
                "output_class": spec.output_class,
                "inputs": [one.to_dict() for one in inputs],
                "example": example,
                "snippets": snippets,
            }
        )
        return 0
    _print(console(), model_id, method, inputs, snippets)
    return 0


def _print(
    out: Console,
    model_id: str,
    method: str,
    inputs: Sequence[Parameter],
    snippets: Mapping[str, str],
) -> None:
    from rich.text import Text

    out.print(Text.assemble((model_id, "bold"), (f"\nclient.{method}(...)", "dim")))
    width = min(out.width, _WIDEST)
    out.print(_table(inputs, longest_name=width // 3), width=width)
    for name, title in (("python", "Python"), ("shell", "\nCommand line"), ("curl", "\ncurl")):
        out.print(Text(title, style="bold"))
        # As it is, to be pasted: never wrapped by us, never framed.
        out.print(Text(printable_lines(snippets[name].rstrip())), soft_wrap=True)


def _table(inputs: Sequence[Parameter], *, longest_name: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Input")
    table.add_column("Type, default, limits and meaning", ratio=1)
    for prefix, one in _rows(inputs, ""):
        default = _default(one)
        lines = [
            Text.assemble(one.type, ", ", "" if one.required else "default ", default) if default else Text(one.type)
        ]
        if one.limits:
            lines.append(Text(_limits(one)))
        if one.about:
            lines.append(Text(printable(one.about), style="dim"))
        table.add_row(_name(prefix, one, longest_name), Text("\n").join(lines))
    return table


def _rows(inputs: Sequence[Parameter], prefix: str) -> Iterator[tuple[str, Parameter]]:
    """Every input, and below it those of the objects inside, with what leads there: `keyframes[].image_url`."""
    for one in inputs:
        yield prefix, one
        for inner in one.objects:
            yield from _rows(inner.properties, f"{prefix}{one.name}{inner.mark}.")


def _limits(one: Parameter) -> str:
    return printable("; ".join(one.limits))


def _name(prefix: str, one: Parameter, longest: int) -> Text:
    from rich.text import Text

    name = Text(_split(f"{prefix}{one.name}", longest), style="bold cyan" if one.required else "cyan")
    if one.required:
        name.append(" *", style="bold red")
    if one.wire_name != one.name:
        name.append(f"\nwire: {printable(one.wire_name)}", style="dim")
    return name


def _split(name: str, longest: int) -> str:
    """A long name over several lines, broken where its words join."""
    lines = [""]
    for part in name.replace("_", "_ ").split(" "):
        if lines[-1] and len(lines[-1] + part) > longest:
            lines.append("  ")
        lines[-1] += part
    return "\n".join(lines)


def _default(one: Parameter) -> Text:
    from rich.text import Text

    if one.required:
        return Text("required", style="bold red")
    if one.default is MISSING:
        return Text("")
    text = one.default if isinstance(one.default, str) and one.default else shown(one.default)
    return Text(printable(text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."))
