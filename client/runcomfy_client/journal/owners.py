"""Who holds a lease: a name for one client in one process, which other processes can look up.

A process number means something only on its own computer, since it was last started, and in its own name space (two
containers may share a host name). So all of that is in the name, and whoever finds another host in it takes the owner
for alive.
"""

from __future__ import annotations

import functools
import os
import socket
import sys
from pathlib import Path

# A process that has ended, and that its parent has not yet noticed.
_ENDED = ("Z", "X")


def new_owner() -> str:
    """A new name for a client in this process: ``4711:83052:9f86d081@host+boot+namespace``."""
    pid = os.getpid()
    state = _process_state(pid)
    return f"{pid}:{state[1] if state else '?'}:{os.urandom(4).hex()}@{_host()}"


def describe_owner(owner: str | None) -> str:
    """``process 4711 on host``."""
    process, _, host = (owner or "").partition("@")
    return f"process {process.partition(':')[0] or '?'} on {host.partition('+')[0] or 'an unknown host'}"


def has_ended(owner: str) -> bool:
    """Whether the owner's process is certainly gone. False if it runs elsewhere, or if nobody can tell."""
    process, _, host = owner.partition("@")
    parts = process.split(":")
    if len(parts) != 3 or host != _host() or not parts[0].isdecimal() or sys.platform == "win32":
        return False
    pid, started = int(parts[0]), parts[1]
    try:
        os.kill(pid, 0)  # sends nothing, only asks whether there is such a process
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        pass  # there is one, of another user
    state = _process_state(pid)
    return state is not None and started != "?" and (state[0] in _ENDED or state[1] != started)


@functools.cache
def _host() -> str:
    parts = [socket.gethostname() or "?"]
    if sys.platform == "linux":
        for read in (_boot_id, _name_space):
            try:
                parts.append(read())
            except OSError:
                parts.append("?")
    return "+".join(parts)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]


def _name_space() -> str:
    return Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")


def _process_state(pid: int) -> tuple[str, str] | None:
    """State and start time of a process, where the system shows them."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return None
