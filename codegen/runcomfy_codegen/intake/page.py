"""Read an API page in any language: which model it is about, an example body, the input and the output schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..comparing.schemas import differences
from ..diagnostics.diagnostic import Diagnostic, quote
from ..reading.source import parse_text
from ..reading.store import ModelId, model_id_error
from .blocks import ENDS_INSIDE, TOO_DEEP, Block, find_blocks

if TYPE_CHECKING:
    from ..reading.source import Json
    from .text import PageText

INPUT_TITLE = "Input schema"

_HELP_COPY = "Save the whole page: the curl commands and the schemas below them are what is read."
_HELP_TYPOGRAPHIC = "A word processor made them out of plain quotes; copy the page into a plain text file."
_HELP_CATALOG = "A catalog reply is read with: runcomfy-codegen pull '*' --from FILE"
# The curl line names the id. Other samples (Python, JavaScript) name it in the URL alone.
_CURL_URL = re.compile(r"--url[=\s]\s*[\"']?(https?://[^\s\"'\\<>`]+)")
_ANY_URL = re.compile(r"(https?://[^\s\"'\\<>`()\[\]{},]+/v1/models/[^\s\"'\\<>`()\[\]{},]+)")
_ID_IN_URL = re.compile(r"/v1/models/([^?#]*)")
# What stands before a request body: `--data '`, `-d '`, `--data-raw '`, `--json '`.
_BODY_FOLLOWS = re.compile(r"(?:--data(?:-\w+)?|--json|-d)[=\s]\s*\$?['\"]?\s*\Z")
# Diagnostics of one kind for one page; more of them would not help.
_MAX_SHOWN = 8
_TYPOGRAPHIC = "“”„‟«»‘’"
_TYPOGRAPHIC_KEY = re.compile(rf"\{{\s*([{_TYPOGRAPHIC}])\w+[{_TYPOGRAPHIC}]\s*:")


@dataclass(frozen=True, slots=True)
class PageObject:
    """A JSON object of the page; `at` is the offset in the page's text where it begins."""

    value: dict[str, Json]
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one page says about one model."""

    text: PageText
    model_id: ModelId
    input: PageObject
    output: PageObject | None
    example: dict[str, Json] | None


def read_page(page: PageText) -> tuple[Page | None, tuple[Diagnostic, ...]]:
    """What the page says; or, all at once, why it cannot be used. Warnings may come with either."""
    blocks = tuple(find_blocks(page.text))
    model_id, id_diagnostics = _model_id(page)
    diagnostics = [*id_diagnostics, *_broken(page, blocks)]
    bodies: list[Block] = []
    schemas: list[Block] = []
    for block in blocks:
        if block.value is not None:
            (bodies if _is_body(page.text, block) else schemas).append(block)
    inputs = [block for block in schemas if block.value and _is_input(block.value)]
    outputs = [block for block in schemas if block.value and _is_output(block.value)]
    input_schema = _one_schema(page, inputs, "input schemas", diagnostics)
    output_schema = _one_schema(page, outputs, "output schemas", diagnostics)
    # A page may have several examples: the first one counts.
    example = _read_strictly(page, bodies[0], diagnostics) if bodies else None
    # A page with no JSON and no request is not an API page; one diagnostic says that.
    if not inputs and (blocks or model_id) and not any(diagnostic.code == "E074" for diagnostic in diagnostics):
        diagnostics.append(_no_schema(page, schemas))
    warnings = tuple(diagnostic for diagnostic in diagnostics if diagnostic.severity == "warning")
    if model_id is None or input_schema is None or len(warnings) < len(diagnostics):
        return None, tuple(diagnostics)
    read = Page(
        text=page,
        model_id=model_id,
        input=PageObject(_with_plain_title(input_schema.value), input_schema.at),
        output=output_schema,
        example=example.value if example else None,
    )
    return read, warnings


def _model_id(page: PageText) -> tuple[ModelId | None, list[Diagnostic]]:
    urls = [match for match in _CURL_URL.finditer(page.text) if _ID_IN_URL.search(match.group(1))]
    if not urls:
        urls = list(_ANY_URL.finditer(page.text))
    places: dict[str, tuple[int, int]] = {}
    for url in urls:
        inside = _ID_IN_URL.search(url.group(1))
        if inside:
            start, end = url.start(1) + inside.start(1), url.start(1) + inside.end(1)
            places.setdefault(inside.group(1).removesuffix("/"), (start, max(end, start + 1)))
    if not places:
        message = "no request to a model stands on this page, so its model id is not known"
        help = f"Looked for a line like: --url https://model-api.runcomfy.net/v1/models/acme/poster-1\n{_HELP_COPY}"
        if page.title:
            help += f"\nThe page's title is {quote(page.title)}."
        return None, [Diagnostic(code="E071", message=message, file=page.name, help=help)]
    diagnostics = [
        page.diagnostic(
            "E073",
            f"{quote(text)} is not a usable model id: {reason}",
            start,
            end,
            "The id is what follows /v1/models/ in the request's URL, as in acme/poster-1/text-to-image.",
        )
        for text, (start, end) in [*places.items()][:_MAX_SHOWN]
        if (reason := model_id_error(text))
    ]
    (first, at), *others = places.items()
    here = page.place(*at)
    for other, (start, end) in others[:_MAX_SHOWN]:
        diagnostics.append(
            page.diagnostic(
                "E072",
                f"the page is about two models: {quote(other)} here, {quote(first)} at {here.line}:{here.column}",
                start,
                end,
                "Save each model's API page in a file of its own.",
            )
        )
    return (None if diagnostics else ModelId(first)), diagnostics


def _is_body(text: str, block: Block) -> bool:
    return bool(_BODY_FOLLOWS.search(text, max(0, block.start - 60), block.start))


def _is_input(value: dict[str, Json]) -> bool:
    return value.get("type") == "object" or isinstance(value.get("properties"), dict)


def _is_output(value: dict[str, Json]) -> bool:
    return set(value) == {"output"} and isinstance(value["output"], dict)


def _broken(page: PageText, blocks: tuple[Block, ...]) -> list[Diagnostic]:
    """Broken blocks. One that cannot be a part of what is looked for (a sample reply with `...` in it) only warns."""
    complete = any(block.value is not None and _is_input(block.value) for block in blocks)
    diagnostics = []
    broken: dict[bool, list[Block]] = {True: [], False: []}
    for block in blocks:
        if block.value is None:
            endless = block.end == len(page.text)
            is_needed = endless or not complete or _is_body(page.text, block) or '"properties"' in block.text
            broken[is_needed].append(block)
    for is_needed, block in [(needed, block) for needed, blocks in broken.items() for block in blocks[:_MAX_SHOWN]]:
        message = f"a JSON block that begins at {_at(page, block.start)} is broken: {block.reason}"
        if not is_needed:
            message += "; it is passed over"
        char = page.text[block.broken : block.broken + 1]
        help = "The cause is here or just before: a comma, a quote. Correct it or save the page again."
        if block.reason == ENDS_INSIDE:
            help = f"The page was not saved to its end. {_HELP_COPY}"
        elif block.reason == TOO_DEEP:
            help = "No real schema is. This is not an API page as RunComfy publishes it."
        elif char in _TYPOGRAPHIC:
            help = _HELP_TYPOGRAPHIC
        code = "E074" if is_needed else "W174"
        diagnostics.append(page.diagnostic(code, message, block.broken, block.broken + 1, help))
    return diagnostics


def _one_schema(page: PageText, blocks: list[Block], what: str, diagnostics: list[Diagnostic]) -> PageObject | None:
    """The schema that all the blocks agree on; a page may show it twice."""
    first: PageObject | None = None
    distinct = list({block.text: block for block in reversed(blocks)}.values())[::-1]
    for block in distinct:
        schema = _read_strictly(page, block, diagnostics)
        if schema and first and differences(first.value, schema.value):
            message = f"the page has two {what}: one here, another at {_at(page, first.at)}"
            help = "Save each model's API page in a file of its own, with nothing of another page in it."
            diagnostics.append(page.diagnostic("E076", message, block.start, block.start + 1, help))
            break
        first = first or schema
    return first


def _read_strictly(page: PageText, block: Block, diagnostics: list[Diagnostic]) -> PageObject | None:
    """The block as the strict reader reads it."""
    document, diagnostics_of_text = parse_text(block.text, page.name)
    diagnostics.extend(page.relocate(diagnostic, block.text, block.start) for diagnostic in diagnostics_of_text)
    return PageObject(document.value, block.start) if document and isinstance(document.value, dict) else None


def _no_schema(page: PageText, schemas: list[Block]) -> Diagnostic:
    for block in schemas:
        if block.value and ("input_schema" in block.value or "models" in block.value):
            message = "no input schema stands on this page by itself; this block is a reply of the catalog"
            return page.diagnostic("E075", message, block.start, block.start + 1, _HELP_CATALOG)
    if typographic := _TYPOGRAPHIC_KEY.search(page.text):
        message = "no input schema stands on this page; here typographic quotes stand where JSON needs plain ones"
        return page.diagnostic("E075", message, typographic.start(1), typographic.start(1) + 1, _HELP_TYPOGRAPHIC)
    help = f'Looked for a block like: {{"type": "object", "properties": {{...}}}}\n{_HELP_COPY}'
    return Diagnostic(code="E075", message="no input schema stands on this page", file=page.name, help=help)


def _with_plain_title(schema: dict[str, Json]) -> dict[str, Json]:
    """The title of the whole schema is the page's heading, in the page's language; properties keep theirs."""
    return {key: INPUT_TITLE if key == "title" and isinstance(value, str) else value for key, value in schema.items()}


def _at(page: PageText, offset: int) -> str:
    place = page.place(offset, offset + 1)
    return f"{place.line}:{place.column}"
