"""`make demo` tells the whole story, names a real picture and leaves the tree as it was."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


def tree_state() -> str:
    done = subprocess.run(
        ["git", "status", "--porcelain", "--ignored=no"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout


@pytest.fixture(scope="module")
def story() -> str:
    before = tree_state()
    done = subprocess.run(
        [sys.executable, "examples/demo/demo.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert tree_state() == before
    return done.stdout


def test_it_fits_a_screen_and_a_half(story: str) -> None:
    lines = story.splitlines()
    assert len(lines) <= 75
    assert max(map(len, lines)) <= 120


def test_it_shows_each_step(story: str) -> None:
    assert re.findall(r"^(\d)\. ", story, re.MULTILINE) == ["1", "2", "3", "4", "5"]
    assert "+ generated/runcomfy/models/papermoon/poster_1_0/text_to_image.py" in story
    assert 'Literal["512x512(1:1)", "768x512(3:2)", "512x768(2:3)"]' in story.replace("'", '"')


def test_it_shows_every_error_of_the_bad_payload(story: str) -> None:
    for path in ("/prompt", "/width×height", "/scale", "/papr"):
        assert re.search(rf"^ *{path}\b", story, re.MULTILINE), path


def test_the_job_queues_runs_and_ends(story: str) -> None:
    positions = [story.index(state) for state in ("in_queue", "in_progress", "saved ")]
    assert positions == sorted(positions)


def test_the_picture_is_real(story: str) -> None:
    saved = re.search(r"saved (.+) \([\d,]+ bytes\)", story)
    assert saved
    picture = Path(saved[1])
    with Image.open(picture) as image:
        image.load()
        assert image.size == (768, 512)
    picture.unlink()
    picture.parent.rmdir()
