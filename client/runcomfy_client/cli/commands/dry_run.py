"""`--dry-run`: the request as it would leave, with the token hidden and media told by kind and size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ...media import encode_body
from ...media.sources import LocalMedia
from ..open_client import api_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..options import Common

_SHOWN = 48


def request_facts(model_id: str, payload: Mapping[str, object], common: Common) -> dict[str, object]:
    """The request for scripts. ``content_length`` is that of the body as it would be sent, media and all."""
    return {
        "method": "POST",
        "url": api_url(common.base_url, model_id),
        "headers": {"Authorization": "Bearer [hidden]", "Content-Type": "application/json"},
        "content_length": encode_body(payload).length,
        "body": _shortened(payload),
    }


def request_text(model_id: str, payload: Mapping[str, object], common: Common) -> str:
    facts = request_facts(model_id, payload, common)
    headers = facts["headers"]
    assert isinstance(headers, dict)
    lines = [f"{facts['method']} {facts['url']}", *[f"{name}: {value}" for name, value in headers.items()]]
    lines += [f"Content-Length: {facts['content_length']}", "", json.dumps(facts["body"], indent=2, ensure_ascii=False)]
    return "\n".join(lines)


def _shortened(value: object) -> object:
    if isinstance(value, LocalMedia):
        return f"data:{value.info.mime};base64,[{value.info.summary}]"
    if isinstance(value, str) and value[:5].lower() == "data:" and len(value) > _SHOWN:
        return f"{value[:_SHOWN]}...[{len(value)} characters]"
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    return value
