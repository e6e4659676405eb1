"""The poll plan: quick for what is short, cheap for what is long, never all at the same moment."""

from __future__ import annotations

from dataclasses import replace

import pytest
from runcomfy_client.api import calls, poll

from tests.support.internals import Deadline, JobRef, set_constant


@pytest.fixture(autouse=True)
def _as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    set_constant(monkeypatch, "QUICKEST", 0.15)
    set_constant(monkeypatch, "SECONDS_A_PLACE", 0.25)
    set_constant(monkeypatch, "FIRST_BACKOFF", 0.5)
    set_constant(monkeypatch, "LONGEST_BACKOFF", 30.0)


def polls(seconds: float, position: int | None = None) -> int:
    """How often a job is looked at that stays so long in one state."""
    now, count = 0.0, 0
    while now < seconds:
        now += poll.poll_pause(now, position)
        count += 1
    return count


def test_a_short_job_is_seen_to_end_quickly_and_a_long_one_costs_few_polls() -> None:
    assert all(poll.poll_pause(0.0) <= 0.18 for _ in range(100))
    assert polls(0.5) <= 5
    assert polls(5) < 20
    assert polls(60) < 40
    assert polls(3600) < 460
    assert all(poll.poll_pause(600.0) <= 12 for _ in range(100))


def test_deep_in_the_queue_there_is_no_hurry() -> None:
    assert all(poll.poll_pause(0.0, 8) >= 0.8 for _ in range(100))
    assert all(poll.poll_pause(0.0, 10_000) <= 12 for _ in range(100))
    assert all(poll.poll_pause(0.0, position) <= 0.18 for position in (0, 1))


def test_a_queue_that_stands_still_costs_few_polls() -> None:
    assert all(poll.poll_pause(6.0, 10_000) <= 7.2 for _ in range(100))
    assert polls(60, 10_000) < 12


def test_a_queue_that_moves_is_looked_at_when_the_job_should_start_soon() -> None:
    assert all(2.4 <= poll.poll_pause(5.0, 40, 10.0) <= 3.6 for _ in range(100))
    assert all(poll.poll_pause(1.0, 2, 30.0) <= 0.18 for _ in range(100))
    assert all(poll.poll_pause(1.0, 10_000, 0.1) <= 1.2 for _ in range(100))
    assert all(8 <= poll.poll_pause(60.0, 10_000, 0.1) <= 12 for _ in range(100))


def test_many_short_jobs_over_few_slots_are_seen_to_end_when_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 jobs of half a second over 16 slots, on a clock of the test's own: 6.5 s are possible."""
    clock, polled, last = 0.0, 0, 0.0
    monkeypatch.setattr(poll, "now", lambda: clock)
    for place in range(200):
        starts = place // 16 * 0.5
        clock = 0.0
        state = poll.first_state()
        while not state.over:
            ahead = place - int(clock / 0.5) * 16
            if clock < starts:
                reply: dict[str, object] = {"status": "in_queue", "queue_position": ahead}
            else:
                reply = {"status": "in_progress" if clock < starts + 0.5 else "completed"}
            found = poll.next_poll(JobRef("job"), replace(state, over=reply["status"] == "completed"), reply, None)
            state, polled, last = found.state, polled + 1, max(last, clock)
            clock += found.pause
    assert last < 6.5 * 1.1
    assert polled / 200 < 12


def test_the_pause_after_misses_grows_to_half_a_minute() -> None:
    assert all(0.4 <= calls.backoff(1) <= 0.6 for _ in range(100))
    assert all(24 <= calls.backoff(misses) <= 36 for misses in (7, 15, 5000))


def test_no_two_jobs_keep_step() -> None:
    assert len({poll.poll_pause(1.0) for _ in range(100)}) > 90
    assert len({calls.backoff(3) for _ in range(100)}) > 90


def test_a_cool_down_is_as_long_as_the_longest_that_was_asked_for() -> None:
    cool_down = calls.CoolDown()
    assert cool_down.left() == 0
    cool_down.push(5)
    cool_down.push(1)
    assert 4 < cool_down.left() <= 5


def test_a_deadline_is_reached_and_not_passed() -> None:
    assert Deadline(None).left() == float("inf")
    assert not Deadline(None).over()
    assert Deadline(0).over()
    assert Deadline(0).left() == 0
    assert Deadline(10).within(3) == 3
    assert Deadline(1).within(3) <= 1
