"""The gallery: what it finds, what it shows of hostile files, and how it filters."""

from __future__ import annotations

import io
import json
import time
from html import unescape
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.studio import StudioCaller, StudioThread

    Keep = Callable[..., Path]

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def keep(studio: StudioThread) -> Keep:
    """Puts a result into the store, as a studio or anybody else may have left it there."""

    def kept(request_id: str, files: dict[str, bytes], **facts: object) -> Path:
        folder = studio.settings.results / request_id
        folder.mkdir(parents=True, exist_ok=True)
        entries = []
        for name, data in files.items():
            (folder / name).write_bytes(data)
            entries.append(
                {"name": name, "kind": "image", "mime": "image/png", "size": len(data), "url": "https://x.y/z"}
            )
        record = {
            "format": 1,
            "request_id": request_id,
            "model_id": "acme/kept",
            "job_key": None,
            "cost": 0.5,
            "output": {},
            "warnings": [],
            "input": {"prompt": "a fox"},
            "files": entries,
            "saved_at": time.time(),
            **facts,
        }
        (folder / "result.json").write_text(json.dumps(record), encoding="utf-8")
        return folder

    return kept


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (900, 600), "teal").save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "shown"),
    [
        ("a.png", b"<html><script>alert(1)</script>", False),
        ("a.png", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', False),
        ("a.html", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, True),
        ("a.bin", b"\x7fELF" + b"\0" * 40, False),
        ("weird\r\nname\";x=.png", png(), True),
    ],
)  # fmt: skip
def test_files_go_out_as_what_their_content_is_and_nothing_in_them_runs(
    keep: Keep, caller: StudioCaller, name: str, data: bytes, shown: bool
) -> None:
    keep("hostile-1", {name: data})
    reply = caller.get("/results/hostile-1/1")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("image/png" if shown else "application/octet-stream")
    assert reply.headers["content-disposition"].startswith("inline" if shown else "attachment")
    assert reply.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.content == data


def test_hostile_records_are_text(keep: Keep, caller: StudioCaller) -> None:
    keep("hostile-2", {"a.png": png()}, model_id=EVIL, cost=EVIL, input={EVIL: EVIL, "prompt": EVIL}, warnings=[EVIL])
    keep("hostile-3", {}, model_id=None, cost=None, input=[EVIL], output={EVIL: EVIL})
    for path in ("/gallery", "/results/hostile-2", "/results/hostile-3", "/compare?id=hostile-2&id=hostile-3"):
        reply = caller.get(path)
        assert reply.status_code == 200, path
        assert EVIL not in reply.text


def test_a_record_that_names_a_file_elsewhere_is_none(keep: Keep, caller: StudioCaller, studio: StudioThread) -> None:
    folder = keep("hostile-4", {"a.png": png()})
    record = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    record["files"][0]["name"] = "../../state/secret"
    (folder / "result.json").write_text(json.dumps(record), encoding="utf-8")
    assert caller.get("/results/hostile-4/1").status_code == 404
    assert studio.studio.keys.cookie not in caller.get("/gallery").text


def test_filters_by_model_cost_and_date(keep: Keep, caller: StudioCaller) -> None:
    keep("filter-1", {"a.png": png()}, model_id="acme/filter", cost=0.1, saved_at=1_700_000_000)
    keep("filter-2", {"a.png": png()}, model_id="acme/filter", cost=3)

    def found(query: str) -> set[str]:
        text = caller.get(f"/gallery?model=acme/filter&{query}").text
        return {name for name in ("filter-1", "filter-2") if f"/results/{name}" in text}

    assert found("") == {"filter-1", "filter-2"}
    assert found("most=0.5") == {"filter-1"}
    assert found("since=2026-01-01") == {"filter-2"}
    assert found("until=2024-01-01") == {"filter-1"}
    assert found("most=nonsense") == {"filter-1", "filter-2"}
    assert "No result fits" in caller.get("/gallery?model=acme/other").text


def test_settings_show_files_by_name_and_not_where_they_lay(keep: Keep, caller: StudioCaller) -> None:
    medium = {"name": "/home/somebody/secret/cat.png", "type": "image/png", "bytes": 9, "sha256": "0" * 64}
    keep("named-1", {"a.png": png()}, input={"image": medium, "images": [medium]})
    text = unescape(caller.get("/results/named-1").text)
    assert "cat.png" in text
    assert "/home/somebody" not in text


def test_a_video_can_be_sought_in(keep: Keep, caller: StudioCaller) -> None:
    data = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40
    keep("video-1", {"a.mp4": data})
    reply = caller.get("/results/video-1/1", headers={"Range": "bytes=100-199"})
    assert reply.status_code == 206
    assert reply.headers["content-type"] == "video/mp4"
    assert reply.content == data[100:200]
    assert "<video" in caller.get("/results/video-1").text
