"""Texts that want to be markup, and a model of which every text is one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.codegen import HOSTILE, input_of, write_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from runcomfy_codegen.reading.source import Json

MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</td></tr></table><h1>",
    "<!-- hidden",
    "<http://evil.example>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "[x]: https://evil.example",
    "[^1]",
    "| a | b |",
    "|",
    "a\\|b",
    "`code`",
    "`` ` ``",
    "`",
    "ends with `",
    "```",
    "```{raw} html",
    "{raw}`html`",
    "{include}`/etc/passwd`",
    "{{ 7 * 7 }}",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "1) item",
    "> quote",
    "---",
    "===",
    "+++",
    "% comment",
    "(target)=",
    ":::{note}",
    "term\n: definition",
    "$x$",
    "&lt;b&gt; &copy; &#124;",
    "**bold** _em_ ~~s~~",
    "two  \nlines\\\nmore",
    "    indented",
    "https://evil.example and me@evil.example",
)
TEXTS = tuple(dict.fromkeys((*MARKUP, *HOSTILE)))


def hostile_store(folder: Path, texts: Sequence[str] = TEXTS) -> Path:
    """A model of which every text is hostile, in every place that texts have."""
    properties: dict[str, Json] = {}
    for number, given in enumerate(texts):
        properties[f"text {number} {given}"] = {
            "type": "string",
            "title": given,
            "description": given,
            "default": given,
        }
        properties[f"enum {number}"] = {"type": "string", "enum": [given, f"{given}{given}?"], "default": given}
        properties[f"sample {number}"] = {"type": "string", "default": given}
        properties[f"media {number}"] = {
            "type": "array",
            "items": {"type": "string", "format": "image_uri"},
            "validations": [
                {"validation_rule": "file_size_mb<", "validation_value": 1, "validation_error": given},
                {"validation_rule": f"x{given}", "validation_value": given, "validation_error": given},
            ],
        }
        properties[f"object {number}"] = {
            "type": "object",
            "properties": {f"inner {given}": {"type": "string", "description": given}},
        }
    required = [name for name in properties if name.startswith("sample")]
    schema = input_of(properties, required)
    schema["description"] = MARKUP[0]
    return write_store(folder, {"acme/hostile/task": schema})
