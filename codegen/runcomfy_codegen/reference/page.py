"""One model's page: a pure function of the lowered model, its schema and what the catalog says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runcomfy_client.describe.parameters import parameters, rule_words, sentence, within
from runcomfy_client.describe.prices import base_price
from runcomfy_client.describe.snippets import (
    async_call,
    curl_follow,
    curl_submit,
    example_input,
    offline_check,
    sync_call,
)
from runcomfy_client.schema import MISSING, Media, Object

from ..openapi.common import API_SERVER
from ..rendering.markdown import block, code, table, text, value_code
from ..rendering.templating import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from runcomfy_client.describe.parameters import Parameter
    from runcomfy_client.schema import Node

    from ..lowering.model import Model
    from ..reading.source import Json

API = f"{API_SERVER}/v1"
PACKAGE = "runcomfy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model to write about. `listing` is the catalog's entry."""

    model: Model
    # The output that is described: the model's own, or the one that all models share.
    output: Object | None
    listing: Mapping[str, Json]


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
        about=text(sentence(_word(subject.listing, "description") or spec.input.description)),
        overview=_overview(subject),
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


def _overview(subject: Subject) -> list[tuple[str, str]]:
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
    if categories := categories_of(subject.listing):
        rows.append(("Categories", ", ".join(map(text, categories))))
    if price := base_price(model.spec):
        rows.append(("Base price", f"{text(str(price))} when the catalog was read; not a quote"))
    return rows


def categories_of(listing: Mapping[str, Json]) -> tuple[str, ...]:
    """A model's categories, as the catalog names them."""
    categories = listing.get("categories")
    return tuple(str(category) for category in categories) if isinstance(categories, list) else ()


def _word(listing: Mapping[str, Json], name: str) -> str:
    value = listing.get(name)
    return value if isinstance(value, str) else ""


_PLURALS: Final = {"audio": "audio files"}
_MEDIA_SENTENCE: Final = (
    "{kinds} go in as an `https://` URL or a `data:` URI; in Python also as a `pathlib.Path`, `bytes` or a binary file"
)
# With more choices the table's last column would be too wide.
_MAX_CHOICES_WIDTH: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The section of one parameter below the table, as finished Markdown."""

    heading: str
    paragraphs: tuple[str, ...]


def parameter_table(parameters: Iterable[Parameter]) -> str:
    """All parameters under both their names; wire names only where they differ."""
    return table(
        ["Parameter", "Wire name", "Type", "Required", "Default", "Bounds or choices"],
        [
            [
                code(parameter.name),
                code(parameter.wire_name) if parameter.wire_name != parameter.name else "",
                parameter.type,
                "yes" if parameter.required else "",
                "" if parameter.default is MISSING else value_code(parameter.default),
                "; ".join(filter(None, (text("; ".join(parameter.bounds)), _short_choices(parameter)))),
            ]
            for parameter in parameters
        ],
    )


def media_sentence(parameters: Iterable[Parameter]) -> str:
    """How files are passed, if any are taken."""
    kinds = dict.fromkeys(
        node.kind for parameter in parameters for node in _all_nodes(parameter.node) if isinstance(node, Media)
    )
    if not kinds:
        return ""
    names = " and ".join(_PLURALS.get(kind, f"{kind}s") for kind in kinds)
    ending = ", images also as a PIL image." if "image" in kinds else "."
    return _MEDIA_SENTENCE.format(kinds=names[:1].upper() + names[1:]) + ending


def output_table(parameters: Iterable[Parameter]) -> str:
    return table(
        ["Field", "Wire name", "Type", "Meaning"],
        [
            [
                code(parameter.name),
                code(parameter.wire_name) if parameter.wire_name != parameter.name else "",
                parameter.type,
                text(parameter.about or parameter.title),
            ]
            for parameter in parameters
        ],
    )


def details(parameters: Iterable[Parameter], path: str = "") -> Iterator[Detail]:
    """The parameters that need more than a row of the table; those of an object inside follow it."""
    for parameter in parameters:
        heading = f"{path}{parameter.name}"
        if paragraphs := tuple(filter(None, _paragraphs(parameter))):
            yield Detail(heading=code(heading), paragraphs=paragraphs)
        for inner in parameter.objects:
            yield from details(inner.properties, f"{heading}{inner.mark}.")


def _paragraphs(parameter: Parameter) -> Iterator[str]:
    yield text(parameter.about)
    if not _short_choices(parameter) and parameter.choices:
        yield f"{'One of' if len(parameter.choices) > 1 else 'Only'}: {', '.join(map(value_code, parameter.choices))}."
    # A sample of a file is an address; it stands in the calls below.
    if parameter.sample not in (MISSING, "") and not parameter.is_media:
        yield f"Sample: {value_code(parameter.sample)}"
    if parameter.rules:
        rows = [[text(rule_words(rule)), text(rule.message)] for rule in parameter.rules]
        yield table(["Rule for a file", "Message if it is broken"], rows)
    for inner in parameter.objects:
        what = f"Each of its items is an object{inner.mark.removeprefix('[]')}" if inner.mark else "An object"
        yield f"{what} with:"
        yield parameter_table(inner.properties)


def _short_choices(parameter: Parameter) -> str:
    """The choices for a cell of the table, if they are few."""
    line = ", ".join(map(value_code, parameter.choices))
    return line if len(line) <= _MAX_CHOICES_WIDTH else ""


def _all_nodes(node: Node) -> Iterator[Node]:
    """A node and all below it, objects included."""
    for part in within(node):
        yield part
        for inner in part.properties.values() if isinstance(part, Object) else ():
            yield from _all_nodes(inner.node)
