"""Arguments of methods, checked in one style before anything is sent: what is wrong with which, and what it must be."""

from __future__ import annotations

import os
from collections.abc import Iterable
from numbers import Real
from pathlib import Path
from typing import NamedTuple

from ..errors import ConfigurationError
from ..transport.deadline import LONGEST, Deadline


class Limits(NamedTuple):
    """What the user allows a download: more hosts than RunComfy's, the most bytes of a file, the time for all of it."""

    hosts: tuple[str, ...]
    max_bytes: int
    deadline: Deadline


def deadline_of(timeout: object) -> Deadline:
    """The deadline that a ``timeout`` argument sets; none for a timeout beyond the range of the system's clocks."""
    if timeout is None:
        return Deadline(None)
    if not _is_number(timeout) or not timeout >= 0:  # type: ignore[operator]  # a number; NaN is neither more nor less
        raise argument_error("timeout", timeout, "a number of seconds, 0 or more, or None")
    return Deadline(float(timeout) if timeout <= LONGEST else None)  # type: ignore[operator,arg-type]


def check_interval(poll_interval: object) -> None:
    if poll_interval is not None and not (_is_number(poll_interval) and 0 < poll_interval <= LONGEST):  # type: ignore[operator]
        raise argument_error("poll_interval", poll_interval, "a number of seconds, more than 0, or None")


def check_callable(name: str, value: object) -> None:
    if value is not None and not callable(value):
        raise argument_error(name, value, "a function, or None")


def limits_of(hosts: object, max_bytes: object, timeout: object) -> Limits:
    """What a download may do."""
    names = [hosts] if isinstance(hosts, str) else list(hosts) if isinstance(hosts, Iterable) else None
    if names is None or not all(isinstance(name, str) for name in names):
        raise argument_error("hosts", hosts, "a list of host names")
    if not isinstance(max_bytes, int) or isinstance(max_bytes, bool) or max_bytes < 1:
        raise argument_error("max_bytes", max_bytes, "a number of bytes, 1 or more")
    return Limits(hosts=tuple(name.lower() for name in names), max_bytes=max_bytes, deadline=deadline_of(timeout))


def path_of(name: str, path: object) -> Path:
    """A file or folder of this computer; ~ is the user's own folder."""
    if not isinstance(path, (str, os.PathLike)) or not isinstance(text := os.fspath(path), str) or "\0" in text:
        raise argument_error(name, path, "a path")
    return Path(text).expanduser()


def argument_error(name: str, value: object, expected: str) -> ConfigurationError:
    return ConfigurationError(f"The argument {name} is {value!r:.80}; it must be {expected}.")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
