"""Schemas of the simulator tests' own, and a caller that speaks plain HTTP to a simulator."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Protocol

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runcomfy_simulator import Simulator

IMAGE = "acme/draw-1/text-to-image"
EDIT = "acme/draw-1/edit"
VIDEO = "acme/film-1/text-to-video"
AUDIO = "acme/hum-1/text-to-audio"

RULES = [
    {"validation_rule": "width_pixels<=", "validation_value": 400, "validation_error": "At most 400 wide."},
    {"validation_rule": "width/height≥", "validation_value": "0.5", "validation_error": "Too narrow."},
    {"validation_rule": "file_size_mb<", "validation_value": 0.5, "validation_error": "Under half a megabyte."},
    {"validation_rule": "smells<", "validation_value": 1, "validation_error": "Nobody knows this rule."},
]
MODELS: Mapping[str, Mapping[str, Any]] = {
    IMAGE: {
        "input": {
            "type": "object",
            "title": "Input schema",
            "required": ["prompt"],
            "properties": {
                "prompt": {"type": "string", "maxLength": 400, "default": "A sample, never sent unasked"},
                "width×height": {
                    "type": "string",
                    "enum": ["64x64(1:1)", "320x180(16:9)", "1024x1024(1:1)"],
                    "default": "320x180(16:9)",
                },
                "scale": {"type": "float", "minimum": 0, "maximum": 1, "default": 0.5},
                "steps": {"type": "integer", "enum": [1, 2, 4]},
                "num_images": {"type": "integer", "minimum": 1, "maximum": 8, "default": 1},
                "output_format": {"type": "string", "enum": ["png", "jpeg", "webp"], "default": "png"},
                "lora": {"type": "object", "required": ["path"], "properties": {"path": {"type": "string"}}},
            },
        },
        "model": {"categories": ["text-to-image"], "base_price_usd": 0.25, "price_unit": "output"},
    },
    EDIT: {
        "input": {
            "type": "object",
            "required": ["images"],
            "properties": {
                "images": {"type": "array", "format": "image_uris", "minItems": 1, "maxItems": 3, "validations": RULES},
                "clip": {"type": "string", "format": "video_uri"},
                "prompt": {"type": "string"},
            },
        },
    },
    VIDEO: {
        "input": {
            "type": "object",
            "required": ["prompt"],
            "properties": {
                "prompt": {"type": "string"},
                "duration": {"type": "integer", "enum": [1, 2, 5], "default": 1},
                "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"},
                "resolution": {"type": "string", "enum": ["180p", "720P"], "default": "180p"},
                "generate_audio": {"type": "boolean", "default": False},
            },
        },
        "model": {"categories": ["text-to-video"], "base_price_usd": 0.1, "price_unit": "second"},
    },
    AUDIO: {
        "input": {
            "type": "object",
            "required": ["tags"],
            "properties": {
                "tags": {"type": "string"},
                "music_length_ms": {"type": "integer", "default": 1500},
                "output_format": {
                    "type": "string",
                    "enum": ["wav_16khz", "mp3_standard", "ogg_opus"],
                    "default": "wav_16khz",
                },
            },
        },
        "output": {"output": {"type": "object", "properties": {"audio": {"type": "string", "format": "uri"}}}},
        "model": {"categories": ["text-to-audio"]},
    },
}


def write_schemas(folder: Path) -> None:
    """Lay the models out as a schemas folder."""
    for model_id, files in MODELS.items():
        home = folder / model_id
        home.mkdir(parents=True)
        for name, content in files.items():
            (home / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")


class Start(Protocol):
    def __call__(self, **options: Any) -> Simulator: ...


class Caller(httpx.Client):
    """Speaks to one simulator with one token."""

    def __init__(self, simulator: Simulator, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token or simulator.token}"}
        # Reading the public certificates takes 26 ms, and no test speaks to a public server.
        super().__init__(base_url=simulator.url, headers=headers, timeout=10, trust_env=False, verify=False)

    def submit(self, model_id: str, **body: Any) -> httpx.Response:
        return self.post(f"/v1/models/{model_id}", json=body)

    def accepted(self, model_id: str, **body: Any) -> str:
        """Submit what must be accepted; gives the request id."""
        reply = self.submit(model_id, **body)
        assert reply.status_code in (200, 202), reply.text
        return str(reply.json()["request_id"])

    def status(self, request_id: str) -> dict[str, Any]:
        return dict(self.get(f"/v1/requests/{request_id}/status").json())

    def result(self, request_id: str, **query: str) -> dict[str, Any]:
        return dict(self.get(f"/v1/requests/{request_id}/result", params=query).json())

    def output(self, model_id: str, **body: Any) -> dict[str, Any]:
        """The output of a job, run to its end."""
        request_id = self.accepted(model_id, **body)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            result = self.result(request_id)
            if result.get("status") in ("succeeded", "completed"):
                return dict(result["output"])
        raise AssertionError(f"no result after 5 s: {result}")


class Call(Protocol):
    def __call__(self, simulator: Simulator, token: str | None = None) -> Caller: ...
