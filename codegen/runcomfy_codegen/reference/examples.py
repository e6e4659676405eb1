"""An input that passes, to show a call with: the page's own example, else samples, else values made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from ..checking.plain import validator
from ..lowering import ir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..checking.dialect import MediaKind
    from ..reading.source import Json

_FILES: Final[Mapping[MediaKind, str]] = {"image": "image.png", "video": "video.mp4", "audio": "audio.mp3"}
_WORDS: Final = "a red fox in the snow"


def example_input(model: ir.Model, schema: Json) -> dict[str, Json]:
    """The example by wire names. `schema` is the input as the store has it, patched."""
    if isinstance(model.example, dict) and validator(schema).is_valid(model.example):
        return model.example
    return {each.wire: _value(each, schema) for each in model.input.properties if each.required}


def _value(each: ir.Property, schema: Json) -> Json:
    properties = schema["properties"] if isinstance(schema, dict) else {}
    own = properties[each.wire] if isinstance(properties, dict) else {}
    sample = each.sample
    # An empty text is how schemas say that there is no sample.
    if sample is ir.MISSING or sample == "" or not validator(own).is_valid(sample):
        return made_up(each.node)
    return sample


def made_up(node: ir.Node | None) -> Json:
    """A small value that a node lets pass; patterns and media rules are not looked at."""
    match node:
        case ir.EnumNode():
            return node.values[0]
        case ir.StringNode():
            return _WORDS.ljust(node.min_length or 0, ".")[: node.max_length]
        case ir.NumberNode():
            return _number(node)
        case ir.BooleanNode():
            return True
        case ir.NullNode():
            return None
        case ir.MediaNode():
            return f"https://example.com/{_FILES[node.kind]}"
        case ir.FileNode():
            return "https://example.com/file"
        case ir.ArrayNode():
            return [made_up(node.items) for _ in range(max(node.min_items or 1, 1))]
        case ir.ObjectNode():
            return {
                each.wire: made_up(each.node) if each.sample is ir.MISSING else each.sample
                for each in node.properties
                if each.required
            }
        case ir.AlternativesNode() | ir.AllNode():
            return made_up(node.nodes[0])
        case ir.AnyNode() | None:
            return "..."
        case _:
            assert_never(node)


def _number(node: ir.NumberNode) -> int | float:
    step = node.multiple_of or 1
    low = node.minimum if node.minimum is not None else node.exclusive_minimum
    if low is None:
        high = node.maximum if node.maximum is not None else node.exclusive_maximum
        return 0 if high is None or high > 0 else high - (step if node.exclusive_maximum is not None else 0)
    return low if node.minimum is not None else low + step
