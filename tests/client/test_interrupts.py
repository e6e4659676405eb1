"""Ctrl-C held back: the first waits for the end of the block, the second does not, and handlers are put back."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.transport.blocking import DeferredSignals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """As Python has them; and whatever a test does, afterwards they are as before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def held(grace: float, *steps: Callable[[], object]) -> None:
    with DeferredSignals(grace):
        for step in steps:
            step()


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def test_the_first_waits_for_the_end() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        held(5.0, ctrl_c, lambda: done.append("all"))
    assert done == ["all"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_second_does_not_wait() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        held(5.0, ctrl_c, ctrl_c, lambda: done.append("all"))
    assert done == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_does_not_wait_for_ever() -> None:
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        held(0.2, ctrl_c, lambda: time.sleep(10))
    assert 0.15 < time.monotonic() - begun < 5


def test_an_error_in_the_block_gives_way_to_the_interruption() -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        held(5.0, ctrl_c, lambda: int("no number"))
    assert isinstance(caught.value.__context__, ValueError)


def test_a_handler_of_the_users_own_is_called_late_and_put_back() -> None:
    seen: list[str] = []

    def handler(number: int, frame: object) -> None:
        seen.append("handled")

    signal.signal(signal.SIGTERM, handler)
    with DeferredSignals(5.0):
        signal.raise_signal(signal.SIGTERM)
        seen.append("block")
    assert seen == ["block", "handled"]
    assert signal.getsignal(signal.SIGTERM) is handler


def test_other_threads_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with DeferredSignals(5.0):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
