"""Changes the text of a true reply: cut short, duplicate keys, fields removed, another state."""

from __future__ import annotations

import json
from typing import Any


def corrupt(data: bytes, corruption: tuple[str, ...]) -> bytes:
    """`data`, a JSON object as text, changed in the way that `corruption` names; other data is only cut or broken."""
    how, *words = corruption
    if how == "bad":
        return data[:-1] + b", oops"
    if how == "cut":
        return data[: len(data) // 2]
    try:
        body = json.loads(data)
    except ValueError:
        return data
    if not isinstance(body, dict):
        return data
    if how == "duplicate":
        return _with_duplicate_keys(body)
    if how == "set":
        body[words[0]] = _value(words[1])
    else:
        for path in words:
            _change(body, path.split("."), remove=how == "without")
    return json.dumps(body, ensure_ascii=False).encode("utf-8")


def _with_duplicate_keys(body: dict[str, Any]) -> bytes:
    """Each key twice: first with a value of the same kind that is not true, then with the true one."""
    wrong = {"status": "in_queue", "request_id": "0" * 32}
    pairs = []
    for key, value in body.items():
        first = wrong.get(key, value)
        pairs += [
            f"{json.dumps(key)}: {json.dumps(first)}",
            f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}",
        ]
    return ("{" + ", ".join(pairs) + "}").encode("utf-8")


def _value(text: str) -> Any:
    """JSON if it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _change(body: Any, path: list[str], *, remove: bool) -> None:
    for step in path[:-1]:
        body = body.get(step) if isinstance(body, dict) else None
    if isinstance(body, dict) and path[-1] in body:
        if remove:
            del body[path[-1]]
        else:
            body[path[-1]] = None
