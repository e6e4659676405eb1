"""One model's page: a pure function of the lowered model, its schema and what the catalogue says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..rendering.markdown import block, code, sentence, text
from ..rendering.templating import render
from .examples import example_input
from .parameters import details, media_sentence, output_table, parameter_table
from .snippets import API, async_call, curl_lines, offline_check, sync_call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..lowering import ir
    from ..reading.source import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model to write about. `schema` is its input as the store has it, patched; `facts` the catalogue's entry."""

    model: ir.Model
    schema: Json
    # The output that is described: the model's own, or the one that all models share.
    output: ir.ObjectNode | None
    facts: Mapping[str, Json]


def model_page(subject: Subject, header: str) -> str:
    """The page as Markdown."""
    model = subject.model
    given = example_input(model, subject.schema)
    required_first = sorted(model.input.properties, key=lambda each: not each.required)
    page = render(
        "reference_model.md",
        first_line=header,
        title=text(model.model_id),
        about=sentence(_word(subject.facts, "description") or model.input.description),
        facts=_facts(subject),
        parameters=parameter_table(required_first),
        media=media_sentence(required_first),
        details=list(details(required_first)),
        sync_call=block("python", sync_call(model, given)),
        async_call=block("python", async_call(model, given)),
        curl=block("sh", curl_lines(model, given)),
        offline_check=block("python", offline_check(model, given)),
        command=block("sh", f"runcomfy-client validate {model.model_id} payload.json"),
        output_class=code(model.output_class),
        output=output_table(subject.output.properties) if subject.output else "",
    )
    return page.rstrip() + "\n"


def _facts(subject: Subject) -> list[tuple[str, str]]:
    """What the page's first table says, in order."""
    model = subject.model
    module = f"runcomfy.models.{model.names.dotted}"
    rows = [
        ("Model id", code(model.model_id)),
        ("Python", f"{code(f'client.{model.names.dotted}(...)')} gives a {code(f'Job[{model.output_class}]')}"),
        ("Classes", f"{code(model.input_class)} and {code(model.output_class)} in {code(module)}"),
        ("HTTP", code(f"POST {API}/models/{model.model_id}")),
    ]
    if categories := categories_of(subject.facts):
        rows.append(("Categories", ", ".join(map(text, categories))))
    price, unit = subject.facts.get("base_price_usd"), _word(subject.facts, "price_unit")
    if isinstance(price, int | float) and not isinstance(price, bool):
        rows.append(("Base price", f"{price} USD{f' per {text(unit)}' if unit else ''} when the catalogue was read"))
    return rows


def categories_of(facts: Mapping[str, Json]) -> tuple[str, ...]:
    """A model's categories, as the catalogue names them."""
    found = facts.get("categories")
    return tuple(str(each) for each in found) if isinstance(found, list) else ()


def _word(facts: Mapping[str, Json], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""
