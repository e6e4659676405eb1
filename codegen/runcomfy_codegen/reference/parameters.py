"""What a page says of the places of an object: a table of all, and what is worth more room below it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from ..lowering import ir
from ..rendering.markdown import code, sentence, table, text, value_code
from ..rendering.words import constraints, rule_text, says_more

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PLURALS: Final[Mapping[str, str]] = {
    "any value": "any values",
    "audio": "audio files",
    "choice": "choices",
}
_HOW_MEDIA_GO_IN: Final = (
    "{kinds} go in as an `https://` URL or a `data:` URI; in Python also as a `pathlib.Path`, `bytes` or a binary file"
)
# More choices than this would make the table's last column a wall.
_WIDEST_CHOICES: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What is said of one parameter below the table, as finished Markdown."""

    heading: str
    paragraphs: tuple[str, ...]


def parameter_table(properties: Iterable[ir.Property]) -> str:
    """All properties under both their names; wire names only where they differ."""
    return table(
        ["Parameter", "Wire name", "Type", "Required", "Default", "Bounds or choices"],
        [
            [
                code(each.name),
                code(each.wire) if each.wire != each.name else "",
                type_words(each.node),
                "yes" if each.required else "",
                "" if each.default is ir.MISSING else value_code(each.default),
                "; ".join(
                    filter(None, (text("; ".join(constraints(_without_rules(each.node)))), _short_choices(each.node)))
                ),
            ]
            for each in properties
        ],
    )


def media_sentence(properties: Iterable[ir.Property]) -> str:
    """How files are given, if any are taken."""
    kinds = dict.fromkeys(
        node.kind for each in properties for node in _everywhere(each.node) if isinstance(node, ir.MediaNode)
    )
    if not kinds:
        return ""
    names = " and ".join(_PLURALS.get(kind, f"{kind}s") for kind in kinds)
    ending = ", images also as a PIL image." if "image" in kinds else "."
    return _HOW_MEDIA_GO_IN.format(kinds=names[:1].upper() + names[1:]) + ending


def output_table(properties: Iterable[ir.Property]) -> str:
    return table(
        ["Field", "Wire name", "Type", "Meaning"],
        [
            [
                code(each.name),
                code(each.wire) if each.wire != each.name else "",
                type_words(each.node),
                sentence(each.description or each.title),
            ]
            for each in properties
        ],
    )


def details(properties: Iterable[ir.Property], path: str = "") -> Iterator[Detail]:
    """The properties that a row of the table does not exhaust; those of an object inside follow it."""
    for each in properties:
        heading = f"{path}{each.name}"
        if paragraphs := tuple(filter(None, _paragraphs(each))):
            yield Detail(heading=code(heading), paragraphs=paragraphs)
        for inner, mark in objects_in(each.node):
            yield from details(inner.properties, f"{heading}{mark}.")


def objects_in(node: ir.Node | None, mark: str = "") -> Iterator[tuple[ir.ObjectNode, str]]:
    """The objects with properties that may stand at a place, each with how it is reached from there."""
    match node:
        case ir.ObjectNode():
            if node.properties:
                yield node, mark
        case ir.ArrayNode():
            yield from objects_in(node.items, f"{mark}[]")
        case ir.AlternativesNode() | ir.AllNode():
            for each in node.nodes:
                yield from objects_in(each, mark)
        case _:
            return


def type_words(node: ir.Node | None) -> str:
    """ "list of images"."""
    match node:
        case ir.StringNode():
            return "string"
        case ir.NumberNode():
            return "integer" if node.integer else "number"
        case ir.BooleanNode():
            return "boolean"
        case ir.NullNode():
            return "null"
        case ir.EnumNode():
            return "choice"
        case ir.MediaNode():
            return node.kind
        case ir.FileNode():
            return "file URL"
        case ir.ObjectNode():
            return "object"
        case ir.ArrayNode():
            inner = type_words(node.items)
            return f"list of {_PLURALS.get(inner, f'{inner}s')}"
        case ir.AlternativesNode():
            return " or ".join(dict.fromkeys(map(type_words, node.nodes)))
        case ir.AllNode():
            return type_words(node.nodes[0])
        case ir.AnyNode() | None:
            return "any value"
        case _:
            assert_never(node)


def _paragraphs(each: ir.Property) -> Iterator[str]:
    yield _about(each)
    if not _short_choices(each.node) and (values := _choices(each.node)):
        yield f"{'One of' if len(values) > 1 else 'Only'}: {', '.join(values)}."
    within = list(_within(each.node))
    # A sample of a file is an address; it stands in the calls below.
    if each.sample not in (ir.MISSING, "") and not any(isinstance(node, ir.MediaNode) for node in within):
        yield f"Sample: {value_code(each.sample)}"
    rules = [rule for node in within if isinstance(node, ir.MediaNode | ir.ArrayNode) for rule in node.rules]
    rows = [[text(rule_text(rule)), text(rule.message)] for rule in rules]
    if rows:
        yield table(["Rule for a file", "What is said if it is broken"], rows)
    for inner, mark in objects_in(each.node):
        what = f"Each of its items is an object{mark.removeprefix('[]')}" if mark else "An object"
        yield f"{what} with:"
        yield parameter_table(inner.properties)


def _about(each: ir.Property) -> str:
    """Title and description, a title that only repeats the name left out."""
    title = each.title if says_more(each.title, each.name) else ""
    return " ".join(filter(None, (sentence(title), sentence(each.description) if each.description != title else "")))


def _choices(node: ir.Node) -> list[str]:
    values = (value for each in _within(node) if isinstance(each, ir.EnumNode) for value in each.values)
    return list(dict.fromkeys(map(value_code, values)))


def _short_choices(node: ir.Node) -> str:
    """The choices for a cell of the table, if they are few."""
    line = ", ".join(_choices(node))
    return line if len(line) <= _WIDEST_CHOICES else ""


def _everywhere(node: ir.Node) -> Iterator[ir.Node]:
    """A node and all below it, objects included."""
    for each in _within(node):
        yield each
        for inner in each.properties if isinstance(each, ir.ObjectNode) else ():
            yield from _everywhere(inner.node)


def _within(node: ir.Node | None) -> Iterator[ir.Node]:
    """A node and those it is made of, up to the objects, whose properties are places of their own."""
    if node is None:
        return
    yield node
    match node:
        case ir.ArrayNode():
            yield from _within(node.items)
        case ir.AlternativesNode() | ir.AllNode():
            for each in node.nodes:
                yield from _within(each)
        case _:
            return


def _without_rules(node: ir.Node) -> ir.Node:
    """The node's bounds alone: media rules have a table of their own, with their messages."""
    match node:
        case ir.MediaNode():
            return dataclasses.replace(node, rules=())
        case ir.ArrayNode():
            return dataclasses.replace(node, rules=(), items=_without_rules(node.items) if node.items else None)
        case ir.AlternativesNode() | ir.AllNode():
            return dataclasses.replace(node, nodes=tuple(map(_without_rules, node.nodes)))
        case _:
            return node
