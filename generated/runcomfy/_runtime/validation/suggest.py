"""The nearest of the known names, by shared pairs of letters: a hundred times cheaper than an edit distance."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["nearest", "ranked"]

# Half of the pairs must be shared: "promt" finds "prompt", "hieght" finds "height", "seed" does not find "speed_up".
_ENOUGH = 0.5
_LONGEST = 200


def nearest(given: str, known: Iterable[str]) -> str | None:
    """The name in ``known`` that ``given`` was most likely meant to be, or None if none is near."""
    return next(iter(ranked(given, known)), None)


def ranked(given: str, known: Iterable[str]) -> list[str]:
    """All names that are near, the nearest first."""
    if len(given) > _LONGEST:
        return []
    mine = _pairs(given)
    near: list[tuple[float, str]] = []
    for name in known:
        theirs = _pairs(name)
        score = 2 * len(mine & theirs) / (len(mine) + len(theirs))
        if score >= _ENOUGH:
            near.append((score, name))
    return [name for _, name in sorted(near, key=_score)]


def _score(scored: tuple[float, str]) -> float:
    return -scored[0]


def _pairs(name: str) -> set[str]:
    # The marks at both ends make first and last letters count, and give the empty name a pair of its own.
    text = f"\x02{name.casefold()}\x03"
    return {text[i : i + 2] for i in range(len(text) - 1)}
