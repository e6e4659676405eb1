"""A Model API in a page: each job goes through the states it is told, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.support.http_wire import Request, Response, json_response

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00\x00\x0c"
    b"IDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82"
)
QUEUED = {"status": "in_queue", "queue_position": 1}
RUNNING = {"status": "in_progress"}
COMPLETED = {"status": "completed"}


@dataclass
class TinyApi:
    """Serves `statuses` in turn, the last of them for ever, then `result`."""

    statuses: list[dict[str, Any]] = field(default_factory=lambda: [QUEUED, RUNNING, COMPLETED])
    result: dict[str, Any] = field(default_factory=lambda: {"status": "succeeded", "cost": 0.04})
    output: dict[str, Any] | None = None
    cancel: dict[str, Any] = field(default_factory=lambda: {"outcome": "cancelled", "status": "cancelled"})
    files: dict[str, bytes] = field(default_factory=lambda: {"/files/one.png": PNG})
    submits: list[dict[str, Any]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request) -> Response:
        with self.lock:
            return self._answer(request)

    def _answer(self, request: Request) -> Response:
        operation = request.operation
        if operation == "submit":
            self.submits.append(json.loads(request.body))
            return json_response({"request_id": f"job-{len(self.submits)}"})
        if operation == "file":
            return self._file(request)
        if operation == "balance":
            return json_response({"balance_usd": 12.5, "balance_microdollars": 12_500_000, "currency": "USD"})
        if operation == "catalog":
            return json_response({"models": [{"model_id": "any/model"}], "total": 1})
        request_id = request.path.split("/")[3]
        if operation == "cancel":
            return json_response({"request_id": request_id, **self.cancel}, 202)
        if operation == "status":
            turn = self.asked[request_id]
            self.asked[request_id] += 1
            return json_response({"request_id": request_id, **self.statuses[min(turn, len(self.statuses) - 1)]})
        output = {"images": [f"{self.url}{path}" for path in self.files]} if self.output is None else self.output
        return json_response({"request_id": request_id, "output": output, **self.result})

    def _file(self, request: Request) -> Response:
        data = self.files.get(request.path.partition("?")[0])
        if data is None:
            return Response(404)
        tag = f'"{zlib.crc32(data):x}"'
        mark = {"ETag": tag, "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        wanted = request.headers.get("range", "")
        if wanted and request.headers.get("if-range", tag) == tag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            where = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
            return Response(206, data[start:], {**mark, **where})
        return Response(200, data, mark)
