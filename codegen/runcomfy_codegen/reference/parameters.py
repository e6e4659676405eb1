"""What a page says of the places of an object: a table of all, and what is worth more room below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runcomfy_client.describe.parameters import rule_words, within
from runcomfy_client.schema import MISSING, Media, Object

from ..rendering.markdown import code, table, text, value_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runcomfy_client.describe.parameters import Parameter
    from runcomfy_client.schema import Node

_PLURALS: Final = {"audio": "audio files"}
_HOW_MEDIA_GO_IN: Final = (
    "{kinds} go in as an `https://` URL or a `data:` URI; in Python also as a `pathlib.Path`, `bytes` or a binary file"
)
# More choices than this would make the table's last column a wall.
_WIDEST_CHOICES: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What stands of one parameter below the table, as finished Markdown."""

    heading: str
    paragraphs: tuple[str, ...]


def parameter_table(parameters: Iterable[Parameter]) -> str:
    """All parameters under both their names; wire names only where they differ."""
    return table(
        ["Parameter", "Wire name", "Type", "Required", "Default", "Bounds or choices"],
        [
            [
                code(each.name),
                code(each.wire_name) if each.wire_name != each.name else "",
                each.type,
                "yes" if each.required else "",
                "" if each.default is MISSING else value_code(each.default),
                "; ".join(filter(None, (text("; ".join(each.bounds)), _short_choices(each)))),
            ]
            for each in parameters
        ],
    )


def media_sentence(parameters: Iterable[Parameter]) -> str:
    """How files are passed, if any are taken."""
    kinds = dict.fromkeys(
        node.kind for each in parameters for node in _everywhere(each.node) if isinstance(node, Media)
    )
    if not kinds:
        return ""
    names = " and ".join(_PLURALS.get(kind, f"{kind}s") for kind in kinds)
    ending = ", images also as a PIL image." if "image" in kinds else "."
    return _HOW_MEDIA_GO_IN.format(kinds=names[:1].upper() + names[1:]) + ending


def output_table(parameters: Iterable[Parameter]) -> str:
    return table(
        ["Field", "Wire name", "Type", "Meaning"],
        [
            [
                code(each.name),
                code(each.wire_name) if each.wire_name != each.name else "",
                each.type,
                text(each.about or each.title),
            ]
            for each in parameters
        ],
    )


def details(parameters: Iterable[Parameter], path: str = "") -> Iterator[Detail]:
    """The parameters that a row of the table does not exhaust; those of an object inside follow it."""
    for each in parameters:
        heading = f"{path}{each.name}"
        if paragraphs := tuple(filter(None, _paragraphs(each))):
            yield Detail(heading=code(heading), paragraphs=paragraphs)
        for inner in each.objects:
            yield from details(inner.properties, f"{heading}{inner.mark}.")


def _paragraphs(each: Parameter) -> Iterator[str]:
    yield text(each.about)
    if not _short_choices(each) and each.choices:
        yield f"{'One of' if len(each.choices) > 1 else 'Only'}: {', '.join(map(value_code, each.choices))}."
    # A sample of a file is an address; it stands in the calls below.
    if each.sample not in (MISSING, "") and not each.is_media:
        yield f"Sample: {value_code(each.sample)}"
    if each.rules:
        rows = [[text(rule_words(rule)), text(rule.message)] for rule in each.rules]
        yield table(["Rule for a file", "What is said if it is broken"], rows)
    for inner in each.objects:
        what = f"Each of its items is an object{inner.mark.removeprefix('[]')}" if inner.mark else "An object"
        yield f"{what} with:"
        yield parameter_table(inner.properties)


def _short_choices(each: Parameter) -> str:
    """The choices for a cell of the table, if they are few."""
    line = ", ".join(map(value_code, each.choices))
    return line if len(line) <= _WIDEST_CHOICES else ""


def _everywhere(node: Node) -> Iterator[Node]:
    """A node and all below it, objects included."""
    for each in within(node):
        yield each
        for inner in each.properties.values() if isinstance(each, Object) else ():
            yield from _everywhere(inner.node)
