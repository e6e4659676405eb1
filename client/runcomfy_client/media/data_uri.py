"""data: URIs (RFC 2397): taken apart to see what they carry, and made from bytes."""

from __future__ import annotations

import binascii

# Percent-encoding triples the size and takes seconds to read for large data; no client sends media that way.
_LONGEST_PERCENT_ENCODED = 4 * 1024 * 1024


_WHITE_SPACE = b" \t\n\r\f\v"


class BadDataURI(ValueError):
    """The text is no data: URI that a server could read; the message says why."""


def read_data_uri(text: str) -> tuple[str, bytes, bool]:
    """The label (MIME type, lower case, may be empty) and bytes of a data: URI, and whether it is RFC 2397 strictly.

    White space within base64 and missing padding are accepted, as browsers do. Raises BadDataURI.
    """
    comma = text.find(",", 5, 1024)
    if comma < 0:
        raise BadDataURI("has no comma between its head and its data")
    head = text[5:comma].split(";")
    label = head[0].strip().lower()
    packed = text[comma + 1 :]
    if head[-1].strip().lower() != "base64":
        from urllib.parse import unquote_to_bytes

        if len(packed) > _LONGEST_PERCENT_ENCODED:
            raise BadDataURI("is percent-encoded and too long for that; encode it as base64")
        return label, unquote_to_bytes(packed), True
    try:
        return label, binascii.a2b_base64(packed, strict_mode=True), True
    except ValueError:
        pass
    try:
        dense = packed.encode("ascii").translate(None, _WHITE_SPACE)
        return label, binascii.a2b_base64(dense + b"=" * (-len(dense) % 4), strict_mode=True), False
    except binascii.Error as error:
        raise BadDataURI(f"is not valid base64: {str(error)[:1].lower()}{str(error)[1:]}") from None
    except ValueError:
        raise BadDataURI("holds characters that are not base64") from None


def prefix(mime: str) -> str:
    """What stands before the data."""
    return f"data:{mime};base64,"


def uri_length(mime: str, size: int) -> int:
    """The length of the data: URI that carries ``size`` bytes."""
    return len(prefix(mime)) + (size + 2) // 3 * 4
