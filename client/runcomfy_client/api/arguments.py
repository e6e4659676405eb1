"""Arguments of methods, checked in one style before anything is sent: what is wrong with which, and what it must be."""

from __future__ import annotations

from numbers import Real

from ..errors import ConfigurationError
from ..transport.deadline import LONGEST, Deadline


def deadline_of(timeout: object) -> Deadline:
    """The deadline that a ``timeout`` argument sets; too long for a computer's clocks is none."""
    if timeout is None:
        return Deadline(None)
    if not _is_number(timeout) or not timeout >= 0:  # type: ignore[operator]  # a number; NaN is neither more nor less
        raise wrong("timeout", timeout, "a number of seconds, 0 or more, or None")
    return Deadline(float(timeout) if timeout <= LONGEST else None)  # type: ignore[operator,arg-type]


def check_interval(poll_interval: object) -> None:
    if poll_interval is not None and not (_is_number(poll_interval) and 0 < poll_interval <= LONGEST):  # type: ignore[operator]
        raise wrong("poll_interval", poll_interval, "a number of seconds, more than 0, or None")


def check_callable(name: str, value: object) -> None:
    if value is not None and not callable(value):
        raise wrong(name, value, "a function, or None")


def wrong(name: str, value: object, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"The argument {name} is {value!r:.80}; it must be {wanted}.")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
