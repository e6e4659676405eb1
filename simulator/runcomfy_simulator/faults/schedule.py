"""Asks the rules, the script's, the job's own and chance, what happens to a request."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import TYPE_CHECKING

from .effects import Effect, merged, request_effect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rules import Rule

# What chance picks from: what a client must expect of any server on a bad day.
_BAD_DAYS = (
    "latency 0.3",
    "408",
    "429 retry-after 1",
    "429",
    "500 html",
    "502 html",
    "503",
    "drop",
    "lost reply",
    "reset after 10 bytes",
    "cut json",
    "html",
    "drip 7 bytes every 0.01",
)
# A whole file may be dripped or cut, but not replaced by a state or a page that passes for it.
_BAD_FILES = (
    "latency 0.3",
    "503",
    "429 retry-after 1",
    "drop",
    "reset after 1000 bytes",
    "drip 4096 bytes every 0.005",
)
_SUBJECTS = ("submit", "status", "result", "cancel", "file")


class Schedule:
    """The rules in force. May be changed from any thread."""

    def __init__(self, *, rate: float = 0.0, seed: int = 0) -> None:
        self._rate = rate
        self._seed = seed
        self._rules: list[Rule] = []
        self._seen: Counter[str] = Counter()
        self._struck: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, rules: Sequence[Rule]) -> None:
        """Put rules in force; each counts from now."""
        with self._lock:
            self._rules += rules

    def clear(self) -> None:
        """Take all rules out of force; the rate stays."""
        with self._lock:
            self._rules.clear()

    def counts(self) -> dict[str, dict[str, int]]:
        """How many requests of each subject came, and how many of them met a fault."""
        with self._lock:
            return {"requests": dict(self._seen), "faults": dict(self._struck)}

    def next(self, subject: str, own: Sequence[Rule] = ()) -> Effect | None:
        """What happens to the request that has just come; `own` are the rules of its job."""
        with self._lock:
            self._seen[subject] += 1
            # Every rule counts, also when another strikes first.
            struck = [rule.effect for rule in (*self._rules, *own) if rule.strikes(subject, self._seed)]
            if not struck and (chosen := self._by_chance(subject)):
                struck = [chosen]
            if not struck:
                return None
            self._struck[subject] += 1
            return merged(struck)

    def _by_chance(self, subject: str) -> Effect | None:
        if not self._rate or subject not in _SUBJECTS:
            return None
        chance = random.Random(f"{self._seed}/{subject}/{self._seen[subject]}")
        if chance.random() >= self._rate:
            return None
        return request_effect(chance.choice(_BAD_FILES if subject == "file" else _BAD_DAYS))
