"""Summarize a schema: the number of properties, which are required, which take media."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runcomfy_client.schema.dialect import MEDIA_FORMATS
from runcomfy_client.schema.messages import amount

from ..diagnostics.diagnostic import quote, visible

if TYPE_CHECKING:
    from ..reading.source import Json


def summarize(schema: Json) -> str:
    """ "5 properties; required: image_urls, prompt; media: image_urls (image)"."""
    if not isinstance(schema, dict):
        return "no object"
    properties = schema.get("properties")
    names = properties if isinstance(properties, dict) else {}
    parts = [amount(len(names), "property", "properties")]
    required = schema.get("required")
    if isinstance(required, list) and required:
        parts.append("required: " + ", ".join(_name(name) for name in required))
    if media := [f"{_name(name)} ({kind})" for name, prop in names.items() if (kind := _media_kind(prop))]:
        parts.append("media: " + ", ".join(media))
    return "; ".join(parts)


def _media_kind(node: Json) -> str:
    if not isinstance(node, dict):
        return ""
    for place in (node, node.get("items")):
        if isinstance(place, dict) and (kind := MEDIA_FORMATS.get(str(place.get("format")))):
            return kind
    return ""


def _name(name: Json) -> str:
    # Names are shown without quotes unless that could be misread.
    text = str(name)
    return text if text and visible(text) == text and not set(text) & set(' ,;()"') else quote(text)
