"""A process that validates loads what it needs and no more."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "pydantic",
    "httpx",
    "dataclasses",
    "inspect",
    "PIL",
    "asyncio",
    "ssl",
    "sqlite3",
    "difflib",
    "tinytag",
    "http",
}
GOOD = '{"image_urls": ["https://example.com/a.png"], "prompt": "x"}'


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh process has loaded after some code."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


@pytest.mark.parametrize(
    "payload",
    [
        "{'image_urls': ['https://example.com/a.png'], 'prompt': 'x', 'scale': 0.5}",
        "{'image_urls': ['cat.png'], 'promt': 'x', 'width×height': '2048', 'scale': 7, 'force_single': 1}",
    ],
)
def test_a_dict_needs_next_to_nothing(payload: str) -> None:
    bare = loaded_by("import runcomfy")
    loaded = loaded_by(
        "from runcomfy import validate\n"
        f"report = validate('bytedance/dreamina-4-0/edit', {payload})\nstr(report), report.ok, report.errors"
    )
    assert not {name.partition(".")[0] for name in loaded - bare} & (HEAVY | {"json", "re", "typing"})
    assert not {name for name in loaded if name.startswith("runcomfy.models")}


def test_json_text_needs_json_only() -> None:
    bare = loaded_by("import json, runcomfy")
    loaded = loaded_by(f"import runcomfy\nassert runcomfy.validate('bytedance/dreamina-4-0/edit', {GOOD!r}).ok")
    assert not {name.partition(".")[0] for name in loaded - bare} & HEAVY


def test_one_model_of_many_is_loaded() -> None:
    loaded = loaded_by(f"import runcomfy\nruncomfy.validate('bytedance/dreamina-4-0/edit', {GOOD!r})")
    assert [name for name in sorted(loaded) if name.startswith("runcomfy.specs.") and name.count(".") == 4] == [
        "runcomfy.specs.bytedance.dreamina_4_0.edit"
    ]
