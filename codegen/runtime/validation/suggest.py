"""The nearest of the known names, by shared pairs of letters: a hundred times cheaper than an edit distance."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Speller", "nearest", "ranked"]

# Half of the pairs must be shared: "promt" finds "prompt", "hieght" finds "height", "seed" does not find "speed_up".
_ENOUGH = 0.5
_LONGEST = 200


class Speller:
    """Knows some names, taken apart once, and which of them a misspelt one was most likely meant to be."""

    __slots__ = ("_known",)

    def __init__(self, names: Iterable[str]) -> None:
        self._known = [(name, pairs, len(pairs)) for name in names for pairs in (_pairs(name),)]

    def nearest(self, given: str) -> str | None:
        """The name that ``given`` was meant to be, or None if none is near."""
        near = self._near(given)
        return max(near)[2] if near else None

    def ranked(self, given: str) -> list[str]:
        """All names that are near, the nearest first."""
        return [name for _, _, name in sorted(self._near(given), reverse=True)]

    def _near(self, given: str) -> list[tuple[float, int, str]]:
        if len(given) > _LONGEST:
            return []
        mine = _pairs(given)
        count = len(mine)
        near: list[tuple[float, int, str]] = []
        for place, (name, pairs, size) in enumerate(self._known):
            score = 2 * len(mine & pairs) / (count + size)
            if score >= _ENOUGH:
                near.append((score, -place, name))  # of equals the first
        return near


def nearest(given: str, known: Iterable[str]) -> str | None:
    """The name in ``known`` that ``given`` was most likely meant to be, or None if none is near."""
    return Speller(known).nearest(given)


def ranked(given: str, known: Iterable[str]) -> list[str]:
    """All names in ``known`` that are near to ``given``, the nearest first."""
    return Speller(known).ranked(given)


def _pairs(name: str) -> set[tuple[str, str]]:
    # The marks at both ends make first and last letters count, and give the empty name a pair of its own.
    text = f"\x02{name.casefold()}\x03"
    return set(zip(text, text[1:], strict=False))  # noqa: RUF007  # itertools need not be loaded for it
