"""Small clients as other people write them, each with one habit. None shares code with the project's own client.

A client gives the outcome of one job in the words of the table in docs/simulator.md.
"""

from __future__ import annotations

import base64
import io
import time
from typing import TYPE_CHECKING, Any

import httpx
from PIL import Image

from tests.support.simulator import EDIT, IMAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PAUSE, MOST_POLLS = 0.02, 100
WORKS, WAITS = "works", "never ends"


class StopError(Exception):
    """The client gives up; the message is the outcome."""


class Http:
    """What every client has: a base URL and a token."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._client = httpx.Client(base_url=url, headers=headers, trust_env=False, verify=False)

    def get(self, path: str) -> httpx.Response:
        return self._client.get(path)

    def submit(self, model_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        reply = self._client.post(f"/v1/models/{model_id}", json=body)
        if reply.status_code not in (200, 202):
            raise StopError("is refused")
        return dict(reply.json())

    def close(self) -> None:
        self._client.close()


def poll(read: Callable[[], str | None]) -> str:
    """Ask again until `read` gives an outcome."""
    for _ in range(MOST_POLLS):
        if outcome := read():
            return outcome
        time.sleep(PAUSE)
    return WAITS


def wait_on_result(http: Http, request_id: str, good: tuple[str, ...] = ("succeeded", "completed")) -> dict[str, Any]:
    """Poll /result, which must answer 200 with a state all along."""
    found: dict[str, Any] = {}

    def read() -> str | None:
        reply = http.get(f"/v1/requests/{request_id}/result")
        if reply.status_code != 200:
            raise StopError(f"stops at error {reply.json().get('error_code')}")
        found.update(reply.json())
        return "over" if found["status"] in (*good, "failed", "cancelled") else None

    outcome = poll(read)
    if outcome == WAITS:
        raise StopError(WAITS)
    return found


def polls_only_result(http: Http) -> str:
    result = wait_on_result(http, http.submit(IMAGE, {"prompt": "A boat"})["request_id"])
    return WORKS if result["output"] else "finds no files"


def polls_only_status(http: Http, prompt: str = "A boat") -> str:
    """Takes `completed` for success, and reads /result for the files alone."""
    request_id = http.submit(IMAGE, {"prompt": prompt})["request_id"]

    def read() -> str | None:
        status = http.get(f"/v1/requests/{request_id}/status").json()["status"]
        return status if status in ("completed", "failed", "cancelled") else None

    status = poll(read)
    if status == WAITS:
        return WAITS
    if status == "failed":
        return "sees the failure"
    output = http.get(f"/v1/requests/{request_id}/result").json().get("output")
    return WORKS if output else "misses the failure"


def polls_only_status_of_a_failing_job(http: Http) -> str:
    return polls_only_status(http, "A boat #fail nsfw")


def reads_images_only(http: Http) -> str:
    request_id = http.submit(IMAGE, {"prompt": "A boat"})["request_id"]

    def read() -> str | None:
        reply = http.get(f"/v1/requests/{request_id}/result")
        over = reply.status_code == 200 and reply.json()["status"] in ("succeeded", "completed")
        return None if not over else WORKS if reply.json()["output"].get("images") else "finds no images"

    return poll(read)


def knows_only_completed_on_result(http: Http) -> str:
    result = wait_on_result(http, http.submit(IMAGE, {"prompt": "A boat"})["request_id"], good=("completed",))
    return WORKS if result["output"] else "finds no files"


def needs_a_price(http: Http) -> str:
    """As RunComfy's ComfyUI nodes: no price, no submit; and the result must not name another model."""
    entry = http.get(f"/v1/models/{EDIT}").json()
    if not (entry.get("base_price_usd") and entry.get("price_unit")):
        return "is refused"
    result = wait_on_result(http, http.submit(IMAGE, {"prompt": "A boat"})["request_id"])
    return WORKS if result.get("model_id", IMAGE) == IMAGE else "stops at another model"


def sends_data_uris(http: Http) -> str:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "teal").save(file, "PNG")
    uri = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    http.submit(EDIT, {"images": [uri]})
    return WORKS


def sends_undeclared_keys(http: Http) -> str:
    http.submit(EDIT, {"images": ["https://example.org/a.png"], "lora": {"path": "x"}, "quality_mode": "best"})
    return WORKS


CLIENTS: Mapping[str, Callable[[Http], str]] = {
    "polls only /result": polls_only_result,
    "polls only /status": polls_only_status,
    "polls only /status, and the job fails": polls_only_status_of_a_failing_job,
    "reads `images` only": reads_images_only,
    "knows only `completed` on /result": knows_only_completed_on_result,
    "needs a price, compares `model_id`": needs_a_price,
    "sends `data:` URIs": sends_data_uris,
    "sends undeclared keys": sends_undeclared_keys,
}
