"""Puts in the place of every media URL of a payload what a look at its first bytes tells."""

from __future__ import annotations

from ..media.remote import Probe, look
from .alternatives import AllOf, AnyOf, OneOf
from .containers import Array, Object
from .media_node import Media, names_host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..media.facts import RemoteMedia
    from .nodes import Node

__all__ = ["Probe", "probed"]


def probed(node: Node, payload: object, probe: Probe) -> object:
    """The payload with RemoteMedia for its good https URLs at media fields; all else is as it was."""
    urls: list[str] = []

    def note(url: str) -> object:
        urls.append(url)
        return url

    _mapped(node, payload, note)
    seen: dict[str, RemoteMedia] = look(urls, probe) if urls else {}
    return _mapped(node, payload, seen.__getitem__)


def _mapped(node: Node | None, value: object, change: Callable[[str], object]) -> object:
    if isinstance(node, (AnyOf, OneOf, AllOf)):
        # A URL is looked at if any alternative would have it as media; an object is the business of those with keys.
        for option in node.nodes:
            value = _mapped(option, value, change)
        return value
    if isinstance(node, Media) and isinstance(value, str) and value[:8].lower() == "https://":
        return change(value) if names_host(value) else value
    if isinstance(node, Array) and isinstance(value, (list, tuple)):
        return [_mapped(node.items, item, change) for item in value]
    if isinstance(node, Object) and isinstance(value, dict):
        known = node.properties
        return {key: _mapped(known[key].node, item, change) if key in known else item for key, item in value.items()}
    return value
