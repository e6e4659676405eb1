"""Say what a schema is made of, in facts that need no language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..faults.diagnostics import quote, visible

if TYPE_CHECKING:
    from ..reading.source import Json

_MEDIA_FORMATS = ("image_uri", "video_uri", "audio_uri", "image_uris", "video_uris", "audio_uris")


def described(schema: Json) -> str:
    """ "5 properties; required: image_urls, prompt; media: image_urls (image)"."""
    if not isinstance(schema, dict):
        return "no object"
    properties = schema.get("properties")
    names = properties if isinstance(properties, dict) else {}
    parts = [plural(len(names), "property", "properties")]
    required = schema.get("required")
    if isinstance(required, list) and required:
        parts.append("required: " + ", ".join(_name(each) for each in required))
    if media := [f"{_name(name)} ({kind})" for name, each in names.items() if (kind := _media_kind(each))]:
        parts.append("media: " + ", ".join(media))
    return "; ".join(parts)


def plural(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _media_kind(node: Json) -> str:
    if not isinstance(node, dict):
        return ""
    for each in (node, node.get("items")):
        if isinstance(each, dict) and each.get("format") in _MEDIA_FORMATS:
            return str(each["format"]).partition("_")[0]
    return ""


def _name(name: Json) -> str:
    # Names are shown bare unless that could be misread.
    text = str(name)
    return text if text and visible(text) == text and not set(text) & set(' ,;()"') else quote(text)
