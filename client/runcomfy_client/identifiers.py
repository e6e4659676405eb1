"""Validates model ids and request ids: an id in a URL path must not lead to another path."""

from __future__ import annotations

from .errors import UnknownModelError

LONGEST_REQUEST_ID = 256


def check_model_id(model_id: object) -> str:
    """Refuse a value that is not a string, and an id that would lead to another path."""
    if not isinstance(model_id, str):
        raise UnknownModelError(f"A model id is a text such as bytedance/dreamina-4-0/edit, and not {model_id!r:.80}.")
    if not all(part.strip(".") and part.isprintable() and " " not in part for part in model_id.split("/")):
        raise UnknownModelError(f"{model_id!r:.80} is not a model id; one looks like bytedance/dreamina-4-0/edit.")
    return model_id


def request_id_in(body: dict[str, object] | None) -> str | None:
    """An id as opaque text. A text that cannot be one segment of a path is not an id."""
    request_id = body.get("request_id") if body else None
    if isinstance(request_id, int) and not isinstance(request_id, bool):
        request_id = str(request_id)
    if not isinstance(request_id, str) or not 0 < len(request_id) <= LONGEST_REQUEST_ID or not request_id.strip("."):
        return None
    return (
        request_id if all("!" <= character <= "~" and character not in "/?#%\\" for character in request_id) else None
    )
