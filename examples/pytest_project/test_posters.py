"""What the posters do on good days and on bad ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image
from posters import NoPosterError, make_poster
from runcomfy import InvalidInputError, RunComfy, SubmissionUnknownError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runcomfy_simulator import Simulator


@pytest.fixture
def client(runcomfy_sim: Simulator, tmp_path: Path) -> Iterator[RunComfy]:
    with RunComfy(token=runcomfy_sim.token, base_url=runcomfy_sim.url, journal=tmp_path / "jobs.sqlite") as client:
        yield client


def test_a_poster_is_a_picture_of_the_asked_size(client: RunComfy, runcomfy_sim: Simulator, tmp_path: Path) -> None:
    poster = make_poster(client, "A paper moon", tmp_path)
    with Image.open(poster) as picture:
        assert picture.size == (1024, 1024)
    assert runcomfy_sim.jobs[0].input == {"prompt": "A paper moon", "width×height": "1024x1024(1:1)"}


def test_passing_faults_do_no_harm(client: RunComfy, runcomfy_sim: Simulator, tmp_path: Path) -> None:
    runcomfy_sim.script("status 1: 503", "result 1: reset after 10 bytes")
    assert make_poster(client, "A paper moon", tmp_path).is_file()
    assert runcomfy_sim.accepted == 1


def test_a_lost_reply_is_not_paid_for_twice(client: RunComfy, runcomfy_sim: Simulator, tmp_path: Path) -> None:
    runcomfy_sim.script("submit 1: lost reply")
    for _ in range(2):
        with pytest.raises(SubmissionUnknownError):
            make_poster(client, "A paper moon", tmp_path)
    assert runcomfy_sim.accepted == 1


def test_a_refusal_of_the_model_is_reported(client: RunComfy, tmp_path: Path) -> None:
    # Words behind a hash in a prompt tell the simulator what to do with this job.
    with pytest.raises(NoPosterError, match="not safe"):
        make_poster(client, "Something rude #fail nsfw", tmp_path)


def test_a_text_too_long_costs_nothing(client: RunComfy, runcomfy_sim: Simulator, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="prompt"):
        make_poster(client, "x" * 801, tmp_path)
    assert runcomfy_sim.accepted == 0


@pytest.mark.parametrize(
    "any_profile",
    [
        pytest.param(name, marks=pytest.mark.runcomfy_sim(profile=name, queue_seconds=0.2))
        for name in ("docs", "nodes", "zapier", "third-party")
    ],
)
def test_it_works_with_every_reading_of_the_api(client: RunComfy, tmp_path: Path, any_profile: str) -> None:
    assert make_poster(client, "A paper moon", tmp_path).suffix == ".png"
