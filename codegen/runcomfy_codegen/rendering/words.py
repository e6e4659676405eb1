"""What people read about a parameter: its bounds, its media rules and the server's default, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from ..lowering import ir
from .literals import prose, quoted

if TYPE_CHECKING:
    from ..reading.source import Json

# A default that is a whole prompt says nothing more by its end.
_LONGEST_VALUE = 80
_OPERANDS = {
    "file_size_mb": ("file size", " MB"),
    "width_pixels": ("width", " px"),
    "height_pixels": ("height", " px"),
    "shortest_side_pixels": ("shorter side", " px"),
    "width/height": ("width/height", ""),
}
_OPERATORS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}


def parameter_text(each: ir.Property) -> str:
    """Everything worth saying about a property, as sentences."""
    sentences = [_sentence(prose(each.title)) if says_more(each.title, each.name) else ""]
    if each.description != each.title:
        sentences.append(_sentence(prose(each.description)))
    sentences += [_sentence(text) for text in constraints(each.node)]
    if each.name != each.wire:
        sentences.append(f"Sent as {_value(each.wire)}.")
    if each.default is not ir.MISSING:
        sentences.append(f"Server default: {_value(each.default)}.")
    # Better the bare title than nothing.
    return " ".join(filter(None, sentences)) or _sentence(prose(each.title))


def constraints(node: ir.Node) -> list[str]:
    """What a node asks for beyond its type; enums are left out, the type lists them."""
    match node:
        case ir.StringNode():
            texts = [_range(node.min_length, node.max_length, "character")]
            return _filled(*texts, f"Matches {prose(node.pattern)}" if node.pattern else "")
        case ir.NumberNode():
            return _filled(_bounds(node), f"A multiple of {node.multiple_of}" if node.multiple_of else "")
        case ir.MediaNode():
            return _filled(_range(node.min_length, node.max_length, "character"), _media(node.kind, node.rules))
        case ir.ArrayNode():
            texts = [_range(node.min_items, node.max_items, "item"), "No item twice" if node.unique_items else ""]
            if isinstance(node.items, ir.MediaNode):
                texts.append(_media(f"each {node.items.kind}", (*node.rules, *node.items.rules)))
            elif node.items and (inner := constraints(node.items)):
                texts.append(f"Each item: {'; '.join(text[:1].lower() + text[1:] for text in inner)}")
            return _filled(*texts)
        case ir.AlternativesNode():
            return list(dict.fromkeys(text for each in node.nodes for text in constraints(each)))
        case ir.AllNode():
            return [text for each in node.nodes for text in constraints(each)]
        case ir.BooleanNode() | ir.NullNode() | ir.AnyNode() | ir.EnumNode() | ir.ObjectNode() | ir.FileNode():
            return []
        case _:
            assert_never(node)


def says_more(title: str, name: str) -> bool:
    """Is a title more than the name again?"""
    return "".join(filter(str.isalnum, title)).lower() != name.replace("_", "")


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?:…。！？" else text + "."


def _filled(*texts: str) -> list[str]:
    return [text for text in texts if text]


def _range(low: int | None, high: int | None, unit: str) -> str:
    low = low or None
    if low is None and high is None:
        return ""
    if low == high:
        return f"Exactly {low} {unit}{'s' if low != 1 else ''}"
    if low is None:
        return f"At most {high} {unit}{'s' if high != 1 else ''}"
    if high is None:
        return f"At least {low} {unit}{'s' if low != 1 else ''}"
    return f"{low} to {high} {unit}s"


def _bounds(node: ir.NumberNode) -> str:
    if node.minimum is not None and node.maximum is not None:
        return f"{node.minimum} to {node.maximum}"
    parts = [
        ("at least", node.minimum),
        ("above", node.exclusive_minimum),
        ("at most", node.maximum),
        ("below", node.exclusive_maximum),
    ]
    text = " and ".join(f"{word} {bound}" for word, bound in parts if bound is not None)
    return text[:1].upper() + text[1:]


def _media(what: str, rules: tuple[ir.Rule, ...]) -> str:
    if not rules:
        return ""
    texts = dict.fromkeys(map(rule_text, rules))
    return f"{what[:1].upper()}{what[1:]}: {', '.join(texts)}"


def rule_text(rule: ir.Rule) -> str:
    """ "file size ≤ 15 MB"."""
    if rule.operand is None or rule.operator is None:
        return f"{prose(rule.raw or '')} {_value(rule.value)} (not checked by this client)"
    name, unit = _OPERANDS[rule.operand]
    return f"{name} {_OPERATORS[rule.operator]} {_value(rule.value)}{unit}"


def _value(value: Json) -> str:
    """A value as Python writes it."""
    text = quoted(value) if isinstance(value, str) else repr(value)
    return prose(text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…")
