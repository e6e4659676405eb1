"""Decides what happens to a request: by the script's rules, the job's own rules, and chance."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import TYPE_CHECKING

from .effects import Effect, merge, request_effect
from .rules import ScriptError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rules import FaultRule, Phase

# What chance picks from: what a client must expect of any server.
_RANDOM_FAULTS = (
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
# A file may come slowly or break off, but nothing that looks like a whole file may replace it.
_RANDOM_FILE_FAULTS = (
    "latency 0.3",
    "503",
    "429 retry-after 1",
    "drop",
    "reset after 1000 bytes",
    "drip 4096 bytes every 0.005",
)
_SUBJECTS = ("submit", "status", "result", "cancel", "file")
MOST_RULES = 1_000


class Schedule:
    """The fault rules. May be changed from any thread."""

    def __init__(self, *, rate: float = 0.0, seed: int = 0) -> None:
        self._rate = rate
        self._seed = seed
        self._rules: list[FaultRule] = []
        self._requests: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, rules: Sequence[FaultRule]) -> None:
        """Add rules; each counts requests from now on.

        Raises:
            ScriptError: there are too many rules.
        """
        with self._lock:
            if len(self._rules) + len(rules) > MOST_RULES:
                raise ScriptError(f"there would be more than {MOST_RULES} rules; take some back first")
            self._rules += rules

    def clear(self) -> None:
        """Remove all rules; the fault rate stays."""
        with self._lock:
            self._rules.clear()

    def counts(self) -> dict[str, dict[str, int]]:
        """How many requests of each subject came, and how many of them met a fault."""
        with self._lock:
            return {"requests": dict(self._requests), "faults": dict(self._faults)}

    def next(self, subject: str, own: Sequence[FaultRule] = (), phase: Phase | None = None) -> Effect | None:
        """What happens to the request that has just come; `own` are the rules of its job, which is in `phase`."""
        with self._lock:
            self._requests[subject] += 1
            # Every rule counts, also when another applies first.
            rules = (*self._rules, *own)
            effects = [rule.effect for rule in rules if rule.applies(subject, self._seed, phase)]
            if not effects and (chosen := self._by_chance(subject)):
                effects = [chosen]
            if not effects:
                return None
            self._faults[subject] += 1
            return merge(effects)

    def _by_chance(self, subject: str) -> Effect | None:
        if not self._rate or subject not in _SUBJECTS:
            return None
        chance = random.Random(f"{self._seed}/{subject}/{self._requests[subject]}")
        if chance.random() >= self._rate:
            return None
        return request_effect(chance.choice(_RANDOM_FILE_FAULTS if subject == "file" else _RANDOM_FAULTS))
