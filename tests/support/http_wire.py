"""HTTP/1.1 by hand, as little as the fault proxy needs: it must be able to send what no library would."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Mapping

REASONS = {200: "OK", 202: "Accepted", 206: "Partial Content", 302: "Found", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def operation(self) -> str:
        """What the API calls this: submit, status, result, cancel, balance, catalog or file."""
        path = self.path.partition("?")[0]
        for name in ("status", "result", "cancel"):
            if path.startswith("/v1/requests/") and path.endswith("/" + name):
                return name
        if path.startswith("/v1/models"):
            return "submit" if self.method == "POST" else "catalog"
        return "balance" if path.endswith("/balance") else "file"


@dataclass(frozen=True)
class Response:
    status: int = 200
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        headers = {"Content-Length": str(len(self.content)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.content


def json_response(body: object, status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Response(status, json.dumps(body).encode(), {"Content-Type": "application/json", **named})


def read_head(stream: BinaryIO) -> Request | None:
    """The request line and headers, or None if the connection ended."""
    first = stream.readline()
    if not first.strip():
        return None
    method, path, _ = first.decode("latin-1").split(" ", 2)
    if path.startswith("http://"):  # as a proxy is asked
        path = "/" + path.split("/", 3)[3]
    headers: dict[str, str] = {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return Request(method, path, headers)


def read_body(stream: BinaryIO, head: Request) -> Request:
    assert "transfer-encoding" not in head.headers, "the length of a body is known before it is sent"
    return Request(head.method, head.path, head.headers, stream.read(int(head.headers.get("content-length", "0"))))
