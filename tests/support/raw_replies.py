"""A catalog of replies as bytes and pauses: what servers, proxies and attackers send."""

from __future__ import annotations

import contextlib
import gzip
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.support.fault_proxy import Wire

BODY = b'{"request_id": "job-1", "status": "in_queue"}'


class RawReply(NamedTuple):
    """``parts``: bytes to send and seconds to pause. Then the connection is closed, unless ``stays`` open."""

    name: str
    parts: tuple[bytes | float, ...]
    stays: bool = False

    def send(self, wire: Wire) -> None:
        """The API did its work; this is what comes of its reply."""
        wire.forward()
        with contextlib.suppress(OSError):
            for part in self.parts:
                if isinstance(part, bytes):
                    wire.send(part)
                else:
                    time.sleep(part)
            if not self.stays:
                wire.connection.shutdown(socket.SHUT_RDWR)


def reply(
    name: str, *headers: str, status: str = "HTTP/1.1 200 OK", body: bytes = BODY, stays: bool = True
) -> RawReply:
    """A whole reply; ``headers`` replace the length."""
    lines = [status, "Content-Type: application/json", *(headers or [f"Content-Length: {len(body)}"])]
    return RawReply(name, ("\r\n".join([*lines, "", ""]).encode("latin-1") + body,), stays)


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end


OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
HALF = len(BODY) // 2
PACKED = gzip.compress(BODY, mtime=0)
CHUNKED = "Transfer-Encoding: chunked"

STATUS_LINES = [
    reply("a status without a reason", status="HTTP/1.1 200"),
    reply("a status line in lower case", status="http/1.1 200 ok"),
    reply("HTTP/1.0", status="HTTP/1.0 200 OK"),
    reply("HTTP/2.0 in a status line", status="HTTP/2.0 200 OK"),
    reply("status 099", status="HTTP/1.1 099 Odd"),
    reply("status 101", status="HTTP/1.1 101 Switching Protocols"),
    reply("status 199", status="HTTP/1.1 199 Odd"),
    reply("status 299", status="HTTP/1.1 299 Odd"),
    reply("status 600", status="HTTP/1.1 600 Odd"),
    reply("status 999", status="HTTP/1.1 999 Odd"),
    reply("status 2000", status="HTTP/1.1 2000 Odd"),
    reply("status -1", status="HTTP/1.1 -1 Odd"),
    reply("no status", status="HTTP/1.1"),
    RawReply("100 Continue, then the reply", (b"HTTP/1.1 100 Continue\r\n\r\n", 0.02, WHOLE), stays=True),
    RawReply("103 Early Hints, then the reply", (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", WHOLE), stays=True),
    RawReply("100 Continue without end", (b"HTTP/1.1 100 Continue\r\n\r\n", 0.1) * 20),
    reply("204 with a body", status="HTTP/1.1 204 No Content"),
    reply("304 with a body", status="HTTP/1.1 304 Not Modified"),
]
FRAMES = [
    reply("no length, closed at the end", "X: y", stays=False),
    reply("no length, closed in the middle", "X: y", body=BODY[:HALF], stays=False),
    reply("a length that is too long", "Content-Length: 500", stays=False),
    reply("a length that is too short", f"Content-Length: {HALF}"),
    reply("two lengths, equal", f"Content-Length: {len(BODY)}", f"Content-Length: {len(BODY)}"),
    reply("two lengths, different", f"Content-Length: {len(BODY)}", f"Content-Length: {HALF}"),
    reply("a negative length", "Content-Length: -1", stays=False),
    reply("a length that is no number", "Content-Length: many", stays=False),
    reply("a length of thirty digits", f"Content-Length: {10**30}", stays=False),
    reply("chunks", CHUNKED, body=chunked(BODY[:HALF], BODY[HALF:])),
    reply("chunks, with extensions and trailers", CHUNKED, body=b"2d;x=y\r\n" + BODY + b"\r\n0\r\nX: y\r\n\r\n"),
    reply("chunks, cut", CHUNKED, body=chunked(BODY[:HALF], end=b""), stays=False),
    reply("chunks, the last one missing", CHUNKED, body=chunked(BODY, end=b""), stays=False),
    reply("chunks, a size that is no number", CHUNKED, body=b"zz\r\n" + BODY + b"\r\n0\r\n\r\n", stays=False),
    reply("chunks, a size of thirty digits", CHUNKED, body=b"f" * 30 + b"\r\n" + BODY, stays=False),
    reply("chunks and a length", CHUNKED, f"Content-Length: {len(BODY)}", body=chunked(BODY)),
    RawReply("the reply twice at once", (WHOLE + WHOLE,), stays=True),
    RawReply("the reply and then garbage", (WHOLE + b"\0\1\2",), stays=True),
]
HEADERS = [
    reply("a header without a colon", "broken", f"Content-Length: {len(BODY)}"),
    reply("a header with a NUL", "X: a\0b", f"Content-Length: {len(BODY)}"),
    reply("a header with a lone CR", "X: a\rContent-Length: 3", f"Content-Length: {len(BODY)}"),
    reply("a header over two lines", "X: a", " b", f"Content-Length: {len(BODY)}"),
    reply("a header in Latin-1", "X: \xe9\xff", f"Content-Length: {len(BODY)}"),
    reply("a header of 200 kB", "X: " + "a" * 200_000, f"Content-Length: {len(BODY)}"),
    reply("20,000 headers", *(f"X-{n}: y" for n in range(20_000)), f"Content-Length: {len(BODY)}"),
    RawReply("lines that end in LF alone", (WHOLE.replace(b"\r\n", b"\n"),), stays=True),
    RawReply("a head that drips", (OK, *((b"X: y\r\n", 0.1) * 20))),
    RawReply("half a status line", (b"HTTP/1.1 2",)),
    RawReply("line ends only", (b"\r\n\r\n\r\n",)),
]
BODIES = [
    reply("JSON with a BOM", body=b"\xef\xbb\xbf" + BODY),
    reply("JSON in UTF-16", body=BODY.decode().encode("utf-16")),
    reply("JSON, half of it", body=BODY[:HALF]),
    reply("JSON and more after it", body=BODY + b"<!-- served by x -->"),
    reply("JSON with NaN", body=BODY[:-1] + b', "cost": NaN}'),
    reply("JSON nested 100,000 deep", body=b"[" * 100_000),
    reply("JSON with a number of 10,000 digits", body=b'{"request_id": "job-1", "n": ' + b"9" * 10_000 + b"}"),
    reply("the id twice, different", body=b'{"request_id": "job-9", "request_id": "job-1", "status": "in_queue"}'),
    reply("an id that leaves its path", body=b'{"request_id": "../../v1/x", "status": "in_queue"}'),
    reply("an id of 10 kB", body=b'{"request_id": "' + b"x" * 10_000 + b'", "status": "in_queue"}'),
    reply("an empty id", body=b'{"request_id": "", "status": "in_queue"}'),
    reply("gzip", "Content-Encoding: gzip", f"Content-Length: {len(PACKED)}", body=PACKED),
    reply("gzip, cut", "Content-Encoding: gzip", f"Content-Length: {len(PACKED) - 9}", body=PACKED[:-9]),
    reply("gzip that is none", "Content-Encoding: gzip", f"Content-Length: {len(BODY)}"),
    reply("gzip twice", "Content-Encoding: gzip, gzip", f"Content-Length: {len(PACKED)}", body=PACKED),
    reply("brotli", "Content-Encoding: br", f"Content-Length: {len(BODY)}"),
]
STRANGERS = [
    RawReply("no HTTP but the JSON alone", (BODY,)),
    RawReply("an SSH server", (b"SSH-2.0-OpenSSH_9.6\r\n",)),
    RawReply("a mail server", (b"220 mail ready\r\n",)),
    RawReply("a TLS alert", (b"\x15\x03\x03\x00\x02\x02\x28",)),
    RawReply("a megabyte of noise", (bytes(range(256)) * 4096,)),
]
RAW_REPLIES = [*STATUS_LINES, *FRAMES, *HEADERS, *BODIES, *STRANGERS]
