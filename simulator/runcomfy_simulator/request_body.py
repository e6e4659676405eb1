"""A request's body as strict JSON: one object, no duplicate keys, nothing that JSON cannot express."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Never

if TYPE_CHECKING:
    from starlette.requests import Request

# What RunComfy's own nodes allow themselves for a whole body; the server's limit is not known.
LARGEST = 64 * 1024 * 1024


class InvalidBody(ValueError):
    """The body is no usable JSON object; the message says why."""


async def read(request: Request, limit: int | None = None) -> bytes | None:
    """The whole body of a request; None if it has more than `limit` bytes (by default LARGEST)."""
    most = LARGEST if limit is None else limit
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)


def parse(raw: bytes) -> dict[str, Any]:
    """The object that `raw` holds.

    Raises:
        InvalidBody: no UTF-8, no JSON, no object, a duplicate key, NaN, infinity, a number beyond a double, a lone
            surrogate.
    """
    try:
        body = json.loads(raw, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int)
        # A lone surrogate can hide in an escape; it has no UTF-8 form.
        json.dumps(body, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidBody("the text holds half of a surrogate pair") from None
    except UnicodeDecodeError:
        raise InvalidBody("the body is not UTF-8") from None
    except RecursionError:
        raise InvalidBody("the body is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise InvalidBody(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise InvalidBody(f"the body must be a JSON object, this is {type(body).__name__}")
    return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidBody(f"the key {key[:100]!r} is there twice in one object")
            seen.add(key)
    return result


def _constant(word: str) -> Never:
    raise InvalidBody(f"{word} is not JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidBody(f"{text[:40]} is beyond what a number can hold")
    return number


def _int(text: str) -> int:
    # Refused as a double first: Python turns very many digits into an integer slowly, or not at all.
    _float(text)
    return int(text)
