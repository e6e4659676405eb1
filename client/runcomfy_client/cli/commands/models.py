"""`models`: the models this client was generated for, narrowed by words, each with what it wants."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ...describe.parameters import parameters
from ...schema.suggest import ranked
from ..exit_codes import CommandError
from ..output import console, emit_json, note
from ..package import package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...describe.parameters import Parameter
    from ..options import Common


def list_models(text: Sequence[str], common: Common) -> int:
    words = [word.casefold() for words in text for word in words.split()]
    known = package().model_ids()
    found = [model_id for model_id in known if all(word in model_id.casefold() for word in words)]
    if not found and not common.json:
        raise CommandError(_nothing(words, known))
    rows = [(model_id, parameters(package().known_spec(model_id))) for model_id in found]
    if common.json:
        emit_json({"models": [_facts(model_id, inputs) for model_id, inputs in rows]})
        return 0
    _print_table(rows)
    if len(found) == 1:
        note(f"More: runcomfy-client show {found[0]}")
    return 0


def _nothing(words: Sequence[str], known: Sequence[str]) -> str:
    wanted = " ".join(words)
    parts = {part for model_id in known for part in model_id.casefold().split("/")}
    near = ranked(wanted, [*known, *sorted(parts)])[:3]
    cure = (
        f"; did you mean {' or '.join(near)}?"
        if near
        else f"; there are {len(known)}, `runcomfy-client models` lists them"
    )
    return f"no model id holds {wanted!r}{cure}"


def _facts(model_id: str, inputs: Sequence[Parameter]) -> dict[str, object]:
    return {
        "model_id": model_id,
        "required": [one.wire_name for one in inputs if one.required],
        "optional": [one.wire_name for one in inputs if not one.required],
    }


def _print_table(rows: Sequence[tuple[str, Sequence[Parameter]]]) -> None:
    from rich import box
    from rich.table import Table

    if not sys.stdout.isatty():
        # For `grep` and `cut`: no frame, nothing wrapped.
        for model_id, inputs in rows:
            print(f"{model_id}\t{', '.join(one.name for one in inputs if one.required)}")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Model", style="bold", overflow="fold", ratio=None)
    table.add_column("Required", style="cyan")
    table.add_column("Optional", style="dim", justify="right", no_wrap=True)
    for model_id, inputs in rows:
        required = [one.name for one in inputs if one.required]
        table.add_row(model_id, ", ".join(required), str(len(inputs) - len(required)))
    console().print(table)
