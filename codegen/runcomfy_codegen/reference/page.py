"""One model's page: a pure function of the lowered model, its schema and what the catalog says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runcomfy_client.describe.parameters import parameters, sentence
from runcomfy_client.describe.snippets import (
    async_call,
    curl_follow,
    curl_submit,
    example_input,
    offline_check,
    sync_call,
)

from ..openapi.common import API_SERVER
from ..rendering.markdown import block, code, text
from ..rendering.templating import render
from .parameters import details, media_sentence, output_table, parameter_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runcomfy_client.schema import Object

    from ..lowering.model import Model
    from ..reading.source import Json


API = f"{API_SERVER}/v1"
PACKAGE = "runcomfy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model to write about. `facts` is the catalog's entry."""

    model: Model
    # The output that is described: the model's own, or the one that all models share.
    output: Object | None
    facts: Mapping[str, Json]


def model_page(subject: Subject, header: str) -> str:
    """The page as Markdown."""
    model, spec = subject.model, subject.model.spec
    method, values, inputs = model.names.dotted, example_input(spec), parameters(spec)
    curl = f"""\
{curl_submit(f"{API}/models/{model.model_id}", values)}

# with the request_id of the reply:
{curl_follow(f"{API}/requests")}"""
    page = render(
        "reference_model.md",
        first_line=header,
        title=text(model.model_id),
        about=text(sentence(_word(subject.facts, "description") or spec.input.description)),
        facts=_facts(subject),
        parameters=parameter_table(inputs),
        media=media_sentence(inputs),
        details=list(details(inputs)),
        sync_call=block("python", sync_call(PACKAGE, method, spec, values)),
        async_call=block("python", async_call(PACKAGE, method, spec, values)),
        curl=block("sh", curl),
        offline_check=block("python", offline_check(PACKAGE, spec, values)),
        command=block("sh", f"runcomfy-client validate {model.model_id} payload.json"),
        output_class=code(model.output_class),
        output=output_table(parameters(subject.output)) if subject.output else "",
    )
    return page.rstrip() + "\n"


def _facts(subject: Subject) -> list[tuple[str, str]]:
    """What the page's first table says, in order."""
    model = subject.model
    # The package of a family offers the classes of its models.
    module = f"{PACKAGE}.models.{model.names.dotted.rpartition('.')[0]}"
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
        rows.append(("Base price", f"{price} USD{f' per {text(unit)}' if unit else ''} when the catalog was read"))
    return rows


def categories_of(facts: Mapping[str, Json]) -> tuple[str, ...]:
    """A model's categories, as the catalog names them."""
    found = facts.get("categories")
    return tuple(str(each) for each in found) if isinstance(found, list) else ()


def _word(facts: Mapping[str, Json], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""
