"""The poll plan: quick for what is short, cheap for what is long, never all at the same moment."""

from __future__ import annotations

import pytest
from runcomfy_client.api import calls as timing


@pytest.fixture(autouse=True)
def _as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("QUICKEST", 0.25),
        ("FIRST_BACKOFF", 0.5),
        ("LONGEST_BACKOFF", 30.0),
        ("SECONDS_A_PLACE", 0.5),
    ):
        monkeypatch.setattr(timing, name, value)


def polls(seconds: float, position: int | None = None) -> int:
    """How often a job is looked at that stays so long in one state."""
    now, count = 0.0, 0
    while now < seconds:
        now += timing.poll_pause(now, position)
        count += 1
    return count


def test_a_short_job_is_seen_to_end_quickly_and_a_long_one_costs_few_polls() -> None:
    assert all(timing.poll_pause(0.0, None) < 0.31 for _ in range(100))
    assert polls(5) < 20
    assert polls(60) < 40
    assert polls(3600) < 460
    assert all(timing.poll_pause(600.0, None) <= 12 for _ in range(100))


def test_deep_in_the_queue_there_is_no_hurry() -> None:
    assert all(timing.poll_pause(0.0, 8) >= 3.2 for _ in range(100))
    assert all(timing.poll_pause(0.0, 10_000) <= 12 for _ in range(100))
    assert all(timing.poll_pause(0.0, position) < 0.31 for position in (0, 1))


def test_a_long_queue_that_is_gone_in_no_time_is_seen_to_be() -> None:
    assert all(timing.poll_pause(0.0, 10_000) <= 4.8 for _ in range(100))
    assert all(timing.poll_pause(6.0, 10_000) <= 7.2 for _ in range(100))
    assert polls(60, 10_000) < 12


def test_the_pause_after_misses_grows_to_half_a_minute() -> None:
    assert all(0.4 <= timing.backoff(1) <= 0.6 for _ in range(100))
    assert all(24 <= timing.backoff(misses) <= 36 for misses in (7, 15, 5000))


def test_no_two_jobs_keep_step() -> None:
    assert len({timing.poll_pause(1.0, None) for _ in range(100)}) > 90
    assert len({timing.backoff(3) for _ in range(100)}) > 90


def test_a_cool_down_is_as_long_as_the_longest_that_was_asked_for() -> None:
    cool_down = timing.CoolDown()
    assert cool_down.left() == 0
    cool_down.push(5)
    cool_down.push(1)
    assert 4 < cool_down.left() <= 5


def test_a_deadline_is_reached_and_not_passed() -> None:
    assert timing.Deadline(None).left() == float("inf")
    assert not timing.Deadline(None).over()
    assert timing.Deadline(0).over()
    assert timing.Deadline(0).left() == 0
    assert timing.Deadline(10).within(3) == 3
    assert timing.Deadline(1).within(3) <= 1
