"""Dropped files that nobody needs go after a while; one that a job, a draft or a form needs never does."""

from __future__ import annotations

import io
import os
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from PIL import Image
from runcomfy_studio.storage import KEEP_DAYS

from tests.support.studio import StudioThread

if TYPE_CHECKING:
    from pathlib import Path

    from runcomfy_simulator import Simulator

    from tests.support.studio import StudioCaller

EDIT = "bytedance/dreamina-4-0/edit"


def test_only_what_is_old_and_needed_by_nobody_is_removed(
    studio: StudioThread, caller: StudioCaller, simulator: Simulator
) -> None:
    storage = studio.studio.storage
    uploads = storage.folder / "uploads"
    held: dict[str, str] = {}
    for shade, name in enumerate(("forgotten", "sent", "used", "draft", "new")):
        content = io.BytesIO()
        Image.new("RGB", (64, 64), (shade, 0, 0)).save(content, "PNG")
        reply = caller.post("/uploads", content=content.getvalue(), headers={"X-File-Name": quote(f"{name}.png")})
        held[name] = reply.json()["reference"]

    def path_of(name: str) -> Path:
        return uploads / held[name].removeprefix("file:")

    def age(name: str) -> None:
        """Nothing has used it for long."""
        then = time.time() - (KEEP_DAYS + 1) * 24 * 3600
        for path in (path_of(name), path_of(name).parent, *uploads.glob(f"{path_of(name).parent.name}.*")):
            os.utime(path, (then, then))

    def form(name: str) -> dict[str, str]:
        key = caller.form_of(f"/models/{EDIT}")["key"]
        return {"f.0:rows": "1", "f.0.0": held[name], "f.1": "a fox", "key": key}

    caller.post(f"/run/{EDIT}", data=form("sent")).raise_for_status()
    age("used")
    caller.post(f"/form/{EDIT}", data=form("used")).raise_for_status()
    caller.post(f"/form/{EDIT}", data=form("draft")).raise_for_status()  # the draft of the model is now this one
    for name in ("forgotten", "sent", "draft"):
        age(name)
    half = uploads / "tmp12345678"
    half.write_bytes(b"half a file")
    os.utime(half, (0, 0))

    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        StudioThread(storage.folder.parent, listener, simulator.url, simulator.token, simulate=True),
    ):
        pass  # another studio on the same folder starts
    assert {name for name in held if path_of(name).is_file()} == {"sent", "used", "draft", "new"}
    assert not path_of("forgotten").parent.exists()
    assert not half.exists()
