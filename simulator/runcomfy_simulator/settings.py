"""Everything that can be set when a simulator starts, checked in one place."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from .profiles import PROFILES, UNDECLARED_KEYS, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY = 86_400.0
# The length of a run by default: short enough for a demo, long enough to be seen running.
RUN_SECONDS_BY_KIND = {"image": 1.0, "audio": 1.5, "video": 3.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the simulated API behaves. Times are in seconds, money in US dollars.

    Args:
        queue_seconds: the least time a job stays queued, also when a slot is free.
        run_seconds: how long a run takes: one number, or one per model as `{"kling/*": 5, "*": 1}` (first match wins).
        slots: how many jobs run at the same time, over all models and tokens.
        tokens: the tokens that are taken; empty for any well-formed one.
        balance: what every token has when it is first seen.
        request_ttl: how long an ended job, and its files, can be asked for.
        cost_delay: how long after its end a job's cost becomes known.
        fault_rate: the share of requests, 0 to 1, that meet a fault picked by `seed`.
        fetch_inputs: fetch media inputs from other hosts too, as the real API does; else only our own URLs are read.
        keep_jobs: how many ended jobs are remembered at most; the oldest go first.
        allow_hosts: the names in URLs, besides loopback names, under which requests are answered.
        request_seconds: how long a client may take to send one request.
    """

    profile: Profile = field(default_factory=lambda: PROFILES["docs"])
    queue_seconds: float = 1.0
    run_seconds: float | Mapping[str, float] | None = None
    slots: int = 4
    tokens: frozenset[str] = frozenset()
    balance: float = 100.0
    request_ttl: float = DAY
    cost_delay: float = 0.0
    fault_rate: float = 0.0
    seed: int = 0
    fetch_inputs: bool = False
    keep_jobs: int = 20_000
    allow_hosts: frozenset[str] = frozenset()
    request_seconds: float = 60.0

    def __post_init__(self) -> None:
        for name in ("queue_seconds", "request_ttl", "cost_delay", "request_seconds"):
            _not_negative(name, getattr(self, name))
        for seconds in self._run_times().values():
            _not_negative("run_seconds", seconds)
        if self.request_seconds == 0:
            raise ValueError("request_seconds is 0; a client needs time to send a request")
        if self.slots < 1:
            raise ValueError(f"slots is {self.slots}; at least one job must be able to run")
        if not 0 <= self.fault_rate <= 1:
            raise ValueError(f"fault_rate is {self.fault_rate}; it is a share between 0 and 1")
        if self.keep_jobs < 1:
            raise ValueError(f"keep_jobs is {self.keep_jobs}; a result must be kept to be read")
        if not math.isfinite(self.balance):
            raise ValueError(f"balance is {self.balance}; it is an amount in US dollars")

    def _run_times(self) -> Mapping[str, float]:
        if self.run_seconds is None:
            return {}
        if isinstance(self.run_seconds, int | float):
            return {"*": self.run_seconds}
        return self.run_seconds

    def run_time(self, model_id: str, kind: str) -> float:
        """How long a job of this model runs."""
        for pattern, seconds in self._run_times().items():
            if fnmatchcase(model_id, pattern):
                return seconds
        return RUN_SECONDS_BY_KIND[kind]


def choose_profile(name: str, undeclared_keys: str | None = None) -> Profile:
    """The profile of this name, perhaps with another way to treat undeclared keys.

    Raises:
        ValueError: there is no such profile, or no such way.
    """
    if name not in PROFILES:
        raise ValueError(f"there is no profile {name!r}; the profiles are {', '.join(PROFILES)}")
    way = undeclared_keys or PROFILES[name].undeclared_keys
    chosen = next((choice for choice in UNDECLARED_KEYS if choice == way), None)
    if chosen is None:
        raise ValueError(f"undeclared_keys is {way!r}; it is one of {', '.join(UNDECLARED_KEYS)}")
    return replace(PROFILES[name], undeclared_keys=chosen)


def _not_negative(name: str, seconds: float) -> None:
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{name} is {seconds}; it is a time in seconds, 0 or more")


def find_schemas(source: str | Path | None) -> Path:
    """The folder of schemas to serve: `source`, else that of the project, `./schemas`, or what ships.

    A project names its schemas in the nearest pyproject.toml that has a table [tool.runcomfy].

    Raises:
        FileNotFoundError: there is none; says what to do.
    """
    here = Path(__file__).resolve().parent
    if source is not None:
        candidates = [Path(source)]
    else:
        candidates = _project_folders() or [
            Path("schemas"),
            here.parents[1] / "schemas",
            here.parent / "runcomfy_codegen" / "_data" / "schemas",
        ]
    for candidate in candidates:
        if candidate.exists():
            return candidate.resolve()
    raise FileNotFoundError(f"no schemas at {candidates[0]}; name their folder with --schemas DIR")


def _project_folders() -> list[Path]:
    """What [tool.runcomfy] names; a file that cannot be read names nothing here, the generator reports it."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        try:
            tool = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("tool", {})
        except (OSError, ValueError):
            continue
        table = tool.get("runcomfy") if isinstance(tool, dict) else None
        if isinstance(table, dict):
            return [folder / name] if isinstance(name := table.get("schemas"), str) else []
    return []
